"""Each task starts what it says, with what it was given."""

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
