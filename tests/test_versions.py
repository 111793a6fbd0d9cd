"""The trials of other versions: what each installs, and what is reported of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import versions
from tools.environment import find_uv
from tools.versions import CLOSING, Trial, find_python, list_trials, main, report, resolve


def test_the_oldest_and_the_newest_are_of_the_whole_course_and_colab_s_are_held() -> None:
    trials = {(trial.kind, trial.python): trial for trial in list_trials()}
    assert {kind for kind, _ in trials} == {"oldest", "newest", "colab"}
    assert {"3.11", "3.14"} <= {python for kind, python in trials if kind == "newest"}
    assert "lowest-direct" in trials["oldest", "3.11"].options
    (colab,) = (trial for trial in trials.values() if trial.kind == "colab")
    assert "ipywidgets" in colab.needs and "torch>=2.8" in colab.needs  # Colab's Jupyter, the course's bounds
    assert not any(need.startswith(("jupyter-client", "voila")) for need in colab.needs)


def test_packages_that_do_not_fit_together_are_told() -> None:
    trial = Trial("odd", "3.11", ("cnngen-course==1", "cnngen-course==2"))
    assert "unsatisfiable" in resolve(find_uv(), trial)


def test_a_python_is_found_by_its_version() -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = find_python(find_uv(), here)
    said = subprocess.run([found, "--version"], capture_output=True, encoding="utf-8", check=True).stdout
    assert said.startswith(f"Python {here}.")
    assert find_python(find_uv(), "3.99") is None


@pytest.mark.parametrize(
    ("said", "closing"),
    [
        ("..\n3 passed in 0.1s\n", "3 passed"),
        ("= 1 failed, 2 passed, 4 warnings in 61.20s (0:01:01) =\n", "1 failed, 2 passed, 4 warnings"),
    ],
)
def test_the_closing_line_is_read(said: str, closing: str) -> None:
    assert CLOSING.findall(said) == [closing]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Trials that install nothing: their Python is this one, their tests are one file."""
    file, settings = tmp_path / "test_one.py", tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def make(uv: str, trial: Trial, base: str) -> Path:
        trial.folder.mkdir()
        return Path(sys.executable)

    for name, value in {
        "PLACE": tmp_path,
        "resolve": lambda uv, trial: "",
        "make": make,
        "read_versions": lambda uv, python: {"torch": "9.9"},
        "QUICK": ("-q", "-p", "no:cacheprovider", "-c", str(settings), str(file)),  # not the course's own settings
    }.items():
        monkeypatch.setattr(versions, name, value)
    return file


@pytest.mark.slow
def test_failing_tests_make_a_failing_row(quick: Path, capsys: pytest.CaptureFixture) -> None:
    trial = Trial("newest", f"3.{sys.version_info.minor}", ())
    quick.write_text("def test_one(): pass\n", encoding="utf-8")
    assert list(report([trial], False, [])) == [True]
    quick.write_text("def test_one(): assert False\n", encoding="utf-8")
    assert list(report([trial], False, [])) == [False]
    well, ill = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| newest |")]
    assert "| 1 passed | 0 | torch 9.9 |" in well and "| 1 failed | 0 | torch 9.9 |" in ill


def test_a_python_that_is_not_here_is_said_to_be_missing(quick: Path, capsys: pytest.CaptureFixture) -> None:
    assert list(report([Trial("newest", "3.99", ())], False, [])) == [True]
    assert "no such Python here, not run" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["newst"], ["--python", "3.9"]])
def test_what_is_no_trial_is_refused_in_words(wrong: list[str], monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["versions", *wrong])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "oldest on 3.11" in capsys.readouterr().err
