"""The doctor finds what is wrong, says what to do, and fails only where a lesson would."""

from pathlib import Path

import pytest

from cnngen_course import __main__, doctor, paths
from cnngen_course.doctor import OK, PROBLEM, WARNING, Finding


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    doctor.measure_factor.cache_clear()
    monkeypatch.setattr(doctor, "measure_speed", lambda: 1000.0)


def levels(findings) -> set[str]:
    return {finding.level for finding in findings}


def test_this_machine_has_no_problem() -> None:
    findings = doctor.examine()
    assert PROBLEM not in levels(findings), doctor.describe(findings)
    assert {"Python", "packages", "device", "threads", "memory", "disk", "data", "weights", "Jupyter", "speed"} == {
        finding.subject for finding in findings
    }
    assert doctor.describe(findings).endswith("Ready.")


def test_missing_data_is_a_problem(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    findings = list(doctor.check_data())
    assert levels(findings) == {PROBLEM}
    assert "is missing" in findings[0].text and "git checkout" in findings[0].advice


def test_damaged_weights_are_a_problem(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "judge.json").write_text('{"sha256": "' + "0" * 64 + '"}', encoding="utf-8")
    (tmp_path / "judge.safetensors").write_bytes(b"cut")
    monkeypatch.setattr(doctor, "WEIGHTS", tmp_path)
    monkeypatch.setattr(doctor, "load_provenance", lambda name: {"sha256": "0" * 64})
    findings = list(doctor.check_weights())
    assert levels(findings) == {PROBLEM}
    assert "damaged" in findings[0].text


def test_no_weights_are_a_problem(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "WEIGHTS", tmp_path)
    assert levels(doctor.check_weights()) == {PROBLEM}


def test_other_versions_are_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1")
    (finding,) = doctor.check_packages()
    assert finding.level == WARNING
    assert "torch 0.0.1 (lock: " in finding.text


def test_little_memory_and_no_disk_are_told(monkeypatch) -> None:
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: type("", (), {"available": 1e9}))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("", (), {"free": 1e6}))
    assert [finding.level for finding in doctor.check_space()] == [WARNING, PROBLEM]


def test_enough_memory_is_what_the_hungriest_lesson_takes(monkeypatch, tmp_path: Path) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text(
        '{"lessons": {"07_gan": {"memory_gb": 1.5}, "14_optimisation": {"memory_gb": 3.5}}}', encoding="utf-8"
    )
    monkeypatch.setattr(doctor, "TIMINGS", timings)
    for free, level in ((3.4, WARNING), (3.6, OK)):
        monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda free=free: type("", (), {"available": free * 1e9}))
        finding = next(doctor.check_space())
        assert finding.level == level and "14_optimisation, takes 3.5 GB" in finding.text


def test_a_slow_machine_is_told(monkeypatch, tmp_path: Path) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text('{"speed": 5000, "lessons": {"01_convolution": {"seconds": 10}}}', encoding="utf-8")
    monkeypatch.setattr(doctor, "TIMINGS", timings)
    (finding,) = doctor.check_speed()
    assert finding.level == WARNING and "5.0 times" in finding.text
    assert "01_convolution" in doctor.describe_lessons() and "about 50 s" in doctor.describe_lessons()


def test_the_report_can_be_pasted() -> None:
    findings = [Finding(OK, "Python", "3.12"), Finding(PROBLEM, "data", "a file is missing", "get it back")]
    report = doctor.make_bug_report(findings)
    assert "What happened" in report and "✗ problem  data" in report and "→ get it back" in report


@pytest.mark.parametrize(("level", "code"), [(OK, 0), (WARNING, 0), (PROBLEM, 1)])
def test_the_command_fails_only_on_a_problem(monkeypatch, capsys, level: str, code: int) -> None:
    monkeypatch.setattr(__main__, "examine", lambda: [Finding(level, "Python", "a text")])
    assert __main__.main(["doctor"]) == code
    assert level in capsys.readouterr().out


def test_an_unknown_recipe_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["train", "jugde"])
    assert "judge" in capsys.readouterr().err
