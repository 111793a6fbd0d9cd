"""The doctor finds what is wrong, says what to do, and fails only where a lesson would."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import nbformat
import psutil
import pytest

from cnngen_course import __main__, doctor, paths, pretrained, runtime
from cnngen_course.desk import times
from cnngen_course.desk.times import Work
from cnngen_course.doctor import OK, PROBLEM, WARNING, Finding
from cnngen_course.paths import ROOT
from tools.outputs import mask

SAMPLE = Work(0.1, 0.05)
SAMPLES = {"one_thread": asdict(SAMPLE), "two_threads": asdict(SAMPLE)}


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(times, "find_speed", lambda: Work(0.05, 0.01))  # a quick machine


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
    monkeypatch.setattr(pretrained, "load_provenance", lambda name: {"sha256": "0" * 64})
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


@pytest.mark.parametrize("host", ["Colab", "Kaggle"])
def test_what_colab_and_kaggle_bring_is_no_problem(monkeypatch, host: str) -> None:
    def version(name: str) -> str:
        if name == "jupyterlab":
            raise PackageNotFoundError(name)
        return "0.0.1"

    monkeypatch.setattr(doctor, "version", version)
    assert PROBLEM in levels(doctor.check_packages())
    if host == "Colab":
        monkeypatch.setitem(sys.modules, "google.colab", object())
    else:
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    findings = [*doctor.check_packages(), *doctor.check_jupyter()]
    assert levels(findings) == {OK}
    assert (
        f"those of {host}: torch 0.0.1" in findings[0].text and f"that of {host}, ipywidgets 0.0.1" in findings[1].text
    )


def test_little_memory_and_no_disk_are_told(monkeypatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": 1e9}))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("", (), {"free": 1e6}))
    assert [finding.level for finding in doctor.check_space()] == [WARNING, PROBLEM]


def test_enough_memory_is_what_the_hungriest_lesson_takes(monkeypatch, tmp_path: Path) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text(
        json.dumps(SAMPLES | {"lessons": {"07_gan": {"memory_gb": 1.5}, "14_optimisation": {"memory_gb": 3.5}}}),
        encoding="utf-8",
    )
    monkeypatch.setattr(times, "TIMINGS", timings)
    for free, level in ((3.4, WARNING), (3.6, OK)):
        monkeypatch.setattr(psutil, "virtual_memory", lambda free=free: type("", (), {"available": free * 1e9}))
        finding = next(doctor.check_space())
        assert finding.level == level and "14_optimisation, takes 3.5 GB" in finding.text


def test_a_slow_machine_is_told(monkeypatch, tmp_path: Path) -> None:
    timings = tmp_path / "timings.json"
    timings.write_text(json.dumps(SAMPLES | {"lessons": {"01_convolution": {"seconds": 10}}}), encoding="utf-8")
    monkeypatch.setattr(times, "find_speed", lambda: Work(0.5, 0.25))
    monkeypatch.setattr(times, "TIMINGS", timings)
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


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def make_unreadable(path: Path) -> None:
    """A folder of that name: reading fails for everybody, also for root, whom no permission stops."""
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_text("{}", encoding="utf-8")


@pytest.fixture
def patient(monkeypatch, tmp_path: Path) -> Path:
    """A small course that can be damaged: lock, timings, one set of data, one file of weights."""
    for name in ("requirements.lock", "notebooks/timings.json", "data/weights/judge.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.ROOT / name, tmp_path / name)
    shutil.copyfile(paths.WEIGHTS / "judge.safetensors", tmp_path / "data/weights/judge.safetensors")
    shutil.copytree(paths.DATA / "people", tmp_path / "data/people")
    ledger = {"people": paths.read_ledger()["people"]}
    (tmp_path / "data/ledger.json").write_text(json.dumps(ledger), encoding="utf-8")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for module in (paths, doctor):
        monkeypatch.setattr(module, "DATA", tmp_path / "data")
    for module in (paths, doctor, pretrained):
        monkeypatch.setattr(module, "WEIGHTS", tmp_path / "data/weights")
    monkeypatch.setattr(pretrained.load_provenance, "__defaults__", (tmp_path / "data/weights",))
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "data/ledger.json")
    monkeypatch.setattr(doctor, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(times, "TIMINGS", tmp_path / "notebooks/timings.json")
    paths.read_ledger.cache_clear()
    yield tmp_path
    paths.read_ledger.cache_clear()


def test_the_small_course_is_well(patient: Path) -> None:
    findings = doctor.examine()
    assert PROBLEM not in levels(findings), doctor.describe(findings)


@pytest.mark.parametrize("damage", [cut, empty, make_unreadable, Path.unlink])
@pytest.mark.parametrize(
    "name", ["requirements.lock", "notebooks/timings.json", "data/ledger.json", "data/weights/judge.json"]
)
def test_every_damaged_file_is_named_with_its_repair(patient: Path, name: str, damage: Callable) -> None:
    damage(patient / name)
    findings = doctor.examine()
    # A busy machine is slow, and that is no damage.
    problems = [finding for finding in findings if finding.level != OK and finding.subject != "speed"]
    if name == "notebooks/timings.json" and damage is Path.unlink:
        assert not problems  # it is measured anew where it is wanted
        return
    if name == "requirements.lock" and damage in (cut, empty):
        assert [finding.advice for finding in problems] == [
            "the course may still work; to get the tested versions run: python3 course.py setup"
        ]
        return
    told = "\n".join(map(str, problems))
    assert f"git checkout -- {name}" in told, doctor.describe(findings)
    assert "Error" not in told, "in the course's words"


@pytest.mark.parametrize("missing", ["ipywidgets", "torch", "torchvision", "psutil", "jupyterlab", "safetensors"])
def test_it_speaks_where_a_package_is_missing(monkeypatch, capsys, patient: Path, missing: str) -> None:
    known = doctor.version

    def version(name: str) -> str:
        if name == missing:
            raise PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "safetensors":  # the module that needs it was imported before
        monkeypatch.delitem(sys.modules, "safetensors.torch")
        monkeypatch.delitem(sys.modules, "cnngen_course.pretrained")
    assert __main__.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert missing in said and "run: python3 course.py setup" in said
    assert "speed" in said and "Not ready" in said, "it goes on to the end"


def test_it_starts_where_nothing_is_installed() -> None:
    code = """
import sys
sys.modules |= dict.fromkeys(("torch", "torchvision", "numpy", "PIL", "psutil", "ipywidgets", "safetensors"))
from cnngen_course import __main__
sys.exit(__main__.main(["doctor"]))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert answer.returncode == 1 and not answer.stderr
    assert "torch does not work" in answer.stdout and "files intact" in answer.stdout, "the data needs none of them"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError('[WinError 126] The specified module could not be found. Error loading "c10.dll"'), "Visual C++"),
        (ImportError("DLL load failed while importing onnx"), "Visual C++"),
        (ImportError("No module named torch._utils"), "course.py setup"),
    ],
)
def test_a_package_that_does_not_work_is_told(monkeypatch, error: Exception, words: str) -> None:
    def refuse(name: str) -> None:
        raise error

    monkeypatch.setattr(doctor.importlib, "import_module", refuse)
    findings = list(doctor.check_imports())
    assert levels(findings) == {PROBLEM} and len(findings) == 3
    assert words in findings[0].advice and str(error)[:20] in findings[0].text


def test_a_machine_that_writes_other_text_is_told(monkeypatch) -> None:
    monkeypatch.setattr(doctor.locale, "getpreferredencoding", lambda _: "cp936")
    (_, finding) = doctor.check_python()
    assert finding.level == OK and "cp936" in finding.text and "PYTHONUTF8" in finding.advice


def test_a_machine_that_will_not_do_is_told(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "find_platform_trouble", lambda: "PyTorch is no longer made for Intel Macs.")
    assert next(doctor.check_python()).level == PROBLEM


@pytest.mark.parametrize(("torch", "driver"), [("2.8.0+cpu", True), ("2.8.0+cpu", False), ("2.8.0", True)])
def test_a_gpu_that_pytorch_cannot_use_is_told(monkeypatch, torch: str, driver: bool) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: torch)
    monkeypatch.setattr(doctor, "has_nvidia_driver", lambda: driver)
    advice = [finding.advice for finding in doctor.check_machine() if finding.subject == "GPU"]
    assert advice == (["to compute on it: python3 course.py setup --cuda"] if driver and "+cpu" in torch else [])


def test_apple_numbers_are_told(monkeypatch) -> None:
    monkeypatch.setattr(runtime, "pick_device", lambda: runtime.torch.device("mps"))
    finding = next(doctor.check_machine())
    assert finding.level == OK and "differ a little" in finding.text


@pytest.mark.parametrize(
    ("encoding", "sign"), [("cp1252", "+ OK"), ("cp936", "+ OK"), ("ascii", "+ OK"), ("utf-8", "✓ OK")]
)
def test_any_terminal_can_show_it(encoding: str, sign: str) -> None:
    code = """
from cnngen_course import __main__
from cnngen_course.doctor import OK, PROBLEM, Finding
__main__.examine = lambda: [Finding(OK, "Python", "课程 ä"), Finding(PROBLEM, "data", "gone", "get it back")]
raise SystemExit(__main__.main(["doctor"]))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}
    )
    assert answer.returncode == 1 and not answer.stderr
    assert answer.stdout.decode(encoding).startswith(sign) and "get it back" in answer.stdout.decode(encoding)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = """
from cnngen_course import __main__
from cnngen_course.doctor import OK, Finding
__main__.examine = lambda: [Finding(OK, "Python", "a text")] * 20_000
raise SystemExit(__main__.main(["doctor"]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith("✓".encode())
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 1


def test_an_unknown_recipe_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["train", "jugde"])
    assert "judge" in capsys.readouterr().err


def test_what_lesson_00_shows_of_the_doctor_is_what_it_says_now() -> None:
    """Numbers and how a check ended may differ from machine to machine; the words of one that ended alike may not."""
    cells = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4).cells
    (shown,) = (cell.outputs[0].text for cell in cells if "print(doctor.describe(" in cell.source)
    now = {(finding.level, finding.subject): mask(finding.text) for finding in doctor.examine()}
    compared = []
    for line in filter(str.strip, shown.splitlines()):
        sign, *words = line.split()
        level = {"✓": OK, "!": WARNING, "✗": PROBLEM}.get(sign)
        if level and (level, words[1]) in now:
            compared.append(words[1])
            assert mask(" ".join(words[2:])) == now[level, words[1]], "run: python3 course.py execute"
    assert {"memory", "disk", "data", "weights", "Jupyter"} <= set(compared)
