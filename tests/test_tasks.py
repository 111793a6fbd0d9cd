"""Each task starts what it says, with what it was given."""

import subprocess
from pathlib import Path

import pytest

from tools import tasks


@pytest.fixture
def calls(monkeypatch) -> list[tuple]:
    """Record commands instead of running them."""
    recorded: list[tuple] = []
    monkeypatch.setattr(tasks, "run", lambda *command, **variables: recorded.append((command, variables)))
    return recorded


def test_lab_opens_the_first_lesson(calls) -> None:
    tasks.lab(["--no-browser"])
    ((command, _),) = calls
    assert command[1:4] == ("-m", "jupyterlab", "notebooks/00_start_here.ipynb")
    assert command[-1] == "--no-browser"


def test_the_studio_keeps_stars_where_it_is_told(calls, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    tasks.studio(["--no-browser", "--ratings", "mine.sqlite3", "--port=8877"])
    (command, variables), *_ = calls
    assert command[1:3] == ("-m", "voila") and command[4:] == ("--no-browser", "--port=8877")
    assert command[3].is_file() and (Path(variables["JUPYTER_CONFIG_PATH"]) / "voila.json").is_file()
    assert variables["CNNGEN_RATINGS"] == str(tmp_path / "mine.sqlite3")
    with pytest.raises(SystemExit, match="needs the name of a file"):
        tasks.studio(["--ratings"])


def test_the_lock_is_tried_for_every_platform(calls, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "find_uv", lambda: "uv")
    tasks.lock(["--upgrade"])
    compiled, tried = calls[:2], calls[2:]
    assert all("--upgrade" in command for command, _ in compiled)
    assert len(tried) == 2 * len(tasks.PLATFORMS)
    pairs = {
        tuple(command[command.index(word) + 1] for word in ("--python-platform", "--python-version"))
        for command, _ in tried
    }
    assert {version for _, version in pairs} == {"3.11", "3.14"} and {name for name, _ in pairs} == set(tasks.PLATFORMS)
    for command, variables in tried:
        assert {"--dry-run", "--require-hashes"} <= set(command) and command[-1] == tasks.LOCK
        assert variables == {"MACOSX_DEPLOYMENT_TARGET": "14.0"}


def test_a_lock_that_a_platform_cannot_install_is_refused(monkeypatch) -> None:
    def run(*command: object, **_: str) -> None:
        if "x86_64-pc-windows-msvc" in command:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(tasks, "run", run)
    with pytest.raises(subprocess.CalledProcessError):
        tasks.check_platforms("uv")
