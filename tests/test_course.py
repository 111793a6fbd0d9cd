"""The two commands: set-up happens once, again after a change, and trouble is told in a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import course


@pytest.fixture
def calls(monkeypatch, tmp_path: Path) -> list[list[str]]:
    """Record commands instead of running them, in a repository whose environment is not there yet."""
    recorded: list[list[str]] = []
    monkeypatch.setattr(course, "run", lambda *command, **_: recorded.append([str(part) for part in command]))
    monkeypatch.setattr(course, "find_uv", lambda: "uv")
    monkeypatch.setattr(course, "make_environment", lambda: None)
    monkeypatch.setattr(course, "READY", tmp_path / ".ready")
    monkeypatch.setattr(course, "ENVIRONMENT", tmp_path)
    return recorded


def test_set_up_installs_the_hashed_lock_once(calls, tmp_path: Path) -> None:
    course.set_up()
    assert "--require-hashes" in calls[0] and "requirements.lock" in calls[0][-1]
    assert "-e" in calls[1] and "--no-deps" in calls[1]
    course.set_up()
    assert len(calls) == 2, "the second time starts at once"
    settings = tmp_path / "etc" / "jupyter" / "labconfig" / "page_config.json"
    assert list(json.loads(settings.read_text(encoding="utf-8"))) == ["disabledExtensions"]  # asks for no news


def test_a_changed_lock_is_installed(calls, monkeypatch, tmp_path: Path) -> None:
    course.set_up()
    changed = tmp_path / "requirements.lock"
    changed.write_text("torch==99\n", encoding="utf-8")
    monkeypatch.setattr(course, "LOCK", changed)
    course.set_up()
    assert len(calls) == 4


def test_an_old_python_is_told(monkeypatch) -> None:
    monkeypatch.setattr(course.sys, "version_info", (3, 9, 1))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        course.make_environment()


def test_a_python_without_venv_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match=r"sudo apt install python3\.\d+-venv"):
        course.make_environment()


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["help"], 0), (["tset"], 2)])
def test_help_lists_every_task(arguments: list[str], code: int) -> None:
    answer = subprocess.run([sys.executable, course.__file__, *arguments], capture_output=True, text=True)
    assert answer.returncode == code
    assert all(f"  {task} " in answer.stdout for task in course.TASKS)


def test_lab_opens_the_first_lesson(calls) -> None:
    course.lab(["--no-browser"])
    assert calls[0][1:4] == ["-m", "jupyterlab", "notebooks/00_start_here.ipynb"]
    assert calls[0][-1] == "--no-browser"


def test_the_studio_keeps_stars_where_it_is_told(monkeypatch, tmp_path: Path) -> None:
    recorded = []
    monkeypatch.setattr(course, "run", lambda *command, **variables: recorded.append((command, variables)))
    monkeypatch.chdir(tmp_path)
    course.studio(["--no-browser", "--ratings", "mine.sqlite3", "--port=8877"])
    (command, variables), *_ = recorded
    assert command[1:3] == ("-m", "voila") and command[4:] == ("--no-browser", "--port=8877")
    assert command[3].is_file() and (Path(variables["JUPYTER_CONFIG_PATH"]) / "voila.json").is_file()
    assert variables["CNNGEN_RATINGS"] == str(tmp_path / "mine.sqlite3")
    with pytest.raises(SystemExit, match="needs the name of a file"):
        course.studio(["--ratings"])
