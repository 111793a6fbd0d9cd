"""Each task starts what it says, with what it was given."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import tasks


@pytest.fixture
def calls(monkeypatch) -> list[tuple]:
    """Record commands instead of running them."""
    recorded: list[tuple] = []
    monkeypatch.setattr(tasks, "run", lambda *command, **variables: recorded.append((command, variables)))
    return recorded


@pytest.mark.parametrize(
    ("arguments", "has_desk", "folder"),
    [(["--no-browser"], True, "desk"), ([], False, "notebooks"), (["--published", "--no-browser"], True, "notebooks")],
)
def test_lab_opens_the_learners_copies(
    calls, monkeypatch, tmp_path: Path, arguments: list[str], has_desk: bool, folder: str
) -> None:
    monkeypatch.setattr(tasks, "ROOT", tmp_path)
    if has_desk:
        (tmp_path / "desk").mkdir()
        (tmp_path / "desk/00_start_here.ipynb").touch()
    tasks.lab(arguments)
    *before, (command, _) = calls
    assert [given[1:] for given, _ in before] == ([] if "--published" in arguments else [("-m", "tools.desk")])
    assert command[1:5] == (
        *("-m", "jupyterlab", f"--ServerApp.root_dir={tmp_path}"),
        f"--LabApp.default_url=/lab/tree/{folder}/00_start_here.ipynb",
    )
    assert "--published" not in command and ("--no-browser" in command) == ("--no-browser" in arguments)


def test_the_studio_keeps_stars_where_it_is_told(calls, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    tasks.studio(["--no-browser", "--ratings", "mine.sqlite3", "--port=8877"])
    (command, variables), *_ = calls
    assert command[1:3] == ("-m", "voila") and command[4:] == ("--no-browser", "--port=8877")
    assert command[3].is_file() and (Path(variables["JUPYTER_CONFIG_PATH"]) / "voila.json").is_file()
    assert variables["CNNGEN_RATINGS"] == str(tmp_path / "mine.sqlite3")
    with pytest.raises(SystemExit, match="needs the name of a file"):
        tasks.studio(["--ratings"])


@pytest.fixture
def locks(monkeypatch, tmp_path: Path) -> Path:
    """The locks' names in a folder that may be written to; "resolving" gave two packages, and one that tests need."""
    for name in ("LOCK", "MORE_LOCK", "SMALL_LOCK"):
        monkeypatch.setattr(tasks, name, tmp_path / name)
    lessons = "torch==2.0 \\\n    --hash=sha256:1\ntorchvision==0.2 \\\n    --hash=sha256:2\n"
    (tmp_path / "LOCK").write_text(lessons, encoding="utf-8")
    (tmp_path / "MORE_LOCK").write_text(f"pytest==9.0 \\\n    --hash=sha256:3\n{lessons}", encoding="utf-8")
    monkeypatch.setattr(tasks, "find_uv", lambda: "uv")
    return tmp_path


def get(command: tuple, word: str) -> object:
    return command[command.index(word) + 1]


def test_the_locks_are_tried_for_every_platform(calls, locks: Path) -> None:
    tasks.lock(["--upgrade"])
    compiled, tried = calls[:4], [command for command, _ in calls[4:]]
    assert ["--upgrade" in command for command, _ in compiled] == [True, False, False, False], "the others follow"
    assert (locks / "MORE_LOCK").read_text(encoding="utf-8") == "pytest==9.0 \\\n    --hash=sha256:3\n"
    for platform in tasks.PLATFORMS:
        for version in ("3.11", "3.14"):
            here = [
                command
                for command in tried
                if (get(command, "--python-platform"), get(command, "--python-version")) == (platform, version)
            ]
            whole = [command for command in here if "--require-hashes" in command]
            assert [command[-1] for command in whole] == [tasks.LOCK, tasks.MORE_LOCK]
            small = [command[-1] for command in here if "--torch-backend" in command]
            assert small == ([tasks.SMALL_LOCK] if "linux" in platform else [])
    assert all("--dry-run" in command for command in tried)
    assert all(variables == {"MACOSX_DEPLOYMENT_TARGET": "14.0"} for _, variables in calls[4:])


SMALL = """torch==2.0+cpu
torchvision==0.2+cpu ; platform_machine == 'x86_64'
torchvision==0.2 ; platform_machine == 'aarch64'
"""


WITH_HASHES = SMALL.replace("\n", " \\\n    --hash=sha256:7\n")


@pytest.mark.parametrize("before", [None, WITH_HASHES, WITH_HASHES.replace("2.0", "1.9")])
def test_the_small_lock_has_no_hashes_where_their_host_is_out_of_reach(
    monkeypatch, capsys, locks: Path, before: str | None
) -> None:
    """Those that are known for these very versions stay."""
    if before:
        (locks / "SMALL_LOCK").write_text(before, encoding="utf-8")

    def run(*command: object, text: str = "", **_: str) -> None:
        assert "--generate-hashes" in command and text == SMALL
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(tasks, "run", run)
    assert not tasks.lock_small("uv", tasks.read_blocks(tasks.LOCK))
    known = before == WITH_HASHES
    assert (locks / "SMALL_LOCK").read_text(encoding="utf-8") == (before if known else SMALL)
    assert ("has no hashes" in capsys.readouterr().out) != known


def test_a_lock_that_a_platform_cannot_install_is_refused(monkeypatch) -> None:
    def run(*command: object, **_: str) -> None:
        if "x86_64-pc-windows-msvc" in command:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(tasks, "run", run)
    with pytest.raises(subprocess.CalledProcessError):
        tasks.check_platforms("uv", small=False)


@pytest.mark.parametrize("name", list(tasks.TASKS))
def test_learners_are_spared_what_authors_need(monkeypatch, name: str) -> None:
    prepared: list[bool] = []
    monkeypatch.setattr(tasks, "prepare", lambda everything: prepared.append(everything))
    monkeypatch.setitem(tasks.TASKS, name, (lambda arguments: None, ""))
    monkeypatch.setattr(sys, "argv", ["course.py", name])
    tasks.main("")
    learners = ["lab", "studio"]
    assert prepared == ([] if name in ("setup", "update") else [name not in learners])
