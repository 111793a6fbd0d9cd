"""A folder that cannot be written to, a full disk, names and terminals in other letters: the course works or says why.

What is in the way of packages, a proxy for instance, is tried in test_real_set_up.py.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT
from tests.small_course import STAND_INS, Course
from tools import environment, tasks

CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24  # of Linux


def obey_permissions() -> None:
    """Let a program that root starts, as in a container, obey the permissions of files as anybody must."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


def change_mode(folder: Path, writable: bool) -> None:
    for path in [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]:
        mode = path.stat().st_mode
        path.chmod(mode | 0o200 if writable else mode & ~0o222)


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    course = Course(tmp_path / "a course, 课程")
    yield course
    change_mode(course.folder, writable=True)


def run_as_anybody(course: Course, *task: str) -> subprocess.CompletedProcess:
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(STAND_INS), "HOME": str(course.folder)}
    command = [sys.executable, "course.py", *task]
    return subprocess.run(
        command, cwd=course.folder, env=variables, capture_output=True, encoding="utf-8", preexec_fn=obey_permissions
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="permissions and capabilities are those of Linux")
@pytest.mark.parametrize("task", ["setup", "lab", "test"])
def test_a_read_only_checkout_is_told_in_a_sentence(course: Course, task: str) -> None:
    change_mode(course.folder, writable=False)
    answer = run_as_anybody(course, task)
    sentence = f"Nothing can be written here: {course.environment}. Copy the course into a folder of your own, then"
    assert answer.returncode == 1 and answer.stderr.startswith(sentence) and answer.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="permissions and capabilities are those of Linux")
def test_a_read_only_checkout_that_was_set_up_opens(course: Course) -> None:
    """As on a workshop's server, where somebody else owns the folder; setup, which would write, says so."""
    course.set_up()
    change_mode(course.folder, writable=False)
    assert "No module named voila" in run_as_anybody(course, "studio").stderr, "it was started; there is none here"
    assert "Nothing can be written here" in run_as_anybody(course, "setup").stderr


@pytest.mark.parametrize(
    ("number", "system", "words"),
    [
        (errno.ENOSPC, "posix", "The disk is full"),
        (errno.EDQUOT, "posix", "The disk is full"),
        (errno.EROFS, "posix", "Nothing can be written here: /course/.venv/x. Copy the course"),
        (errno.EACCES, "posix", "Nothing can be written here"),
        (errno.EACCES, "nt", "A file cannot be written: /course/.venv/x. Close JupyterLab"),
    ],
)
def test_what_the_disk_refuses_is_told(monkeypatch, tmp_path: Path, number: int, system: str, words: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/course/.venv/x")

    monkeypatch.setattr(environment, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(environment, "WINDOWS", system == "nt")
    monkeypatch.setattr(tasks, "set_up", refuse)
    with pytest.raises(SystemExit, match=words):
        tasks.prepare()


def test_what_is_not_known_is_not_explained(monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(tasks, "set_up", fail)
    with pytest.raises(OSError, match="Input/output"):
        tasks.prepare()


# Python reads and writes text in the machine's letters unless it is told otherwise, or is 3.15.
LETTERS = {
    "no language": {"LC_ALL": "C"},
    "ASCII alone": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "Windows in China": {"LC_ALL": "zh_CN.GBK", "PYTHONUTF8": "0"},
    "Windows in Europe": {"LC_ALL": "de_DE.CP1252", "PYTHONUTF8": "0"},
    "a terminal in China": {"PYTHONIOENCODING": "cp936", "PYTHONUTF8": "0"},
    "a terminal in Europe": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
}


@pytest.fixture
def letters(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Variables of a machine that does not write UTF-8; its locale is made for the test."""
    variables = {"LOCPATH": str(tmp_path)} | LETTERS[request.param]
    language, _, charmap = variables.get("LC_ALL", "").partition(".")
    if charmap:
        made = ["localedef", "-i", language, "-f", charmap, str(tmp_path / variables["LC_ALL"])]
        if not shutil.which("localedef") or subprocess.run(made).returncode:
            pytest.skip("no localedef, or no description of that locale: on Debian, the package locales has both")
    return variables


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the locales are those of Linux")
@pytest.mark.parametrize("letters", sorted({*LETTERS} - {"ASCII alone"}), indirect=True)
def test_the_set_up_works_where_letters_are_others(course: Course, letters: dict[str, str]) -> None:
    assert "1 of 4" in course.set_up(**letters)
    assert course.set_up(**letters).count("\n") == 2
    place = course.folder.rename(course.folder.with_name("moved, 课程"))
    course.folder, course.environment = place, place / ".venv"
    assert "has moved" in course.set_up(**letters)
    (course.folder / "cnngen_course" / "slip.py").write_text("课程 = (\n", encoding="utf-8")
    with (course.environment / "bin" / "cnngen").open("a", encoding="utf-8") as file:
        file.write("import cnngen_course.slip\n")
    process = course.start(**letters)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "own code does not run: cnngen_course/slip.py" in said, said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the locales are those of Linux")
@pytest.mark.parametrize("letters", ["ASCII alone"], indirect=True)
def test_a_folder_that_python_cannot_name_is_told(course: Course, letters: dict[str, str]) -> None:
    process = course.start(**letters)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and said.endswith("Set PYTHONUTF8=1, then run the same command again.\n"), said
    assert "1 of 4" in course.set_up(**letters | {"PYTHONUTF8": "1"})


LESSON = """
import os
import nbformat
from nbclient import NotebookClient
from cnngen_course.desk.store import Store, find_folder
from cnngen_course.paths import ROOT

assert os.getcwd() == str(ROOT), "the copy is tried"
store = Store(find_folder())
store.predict("01", "name", "\\u8bfe")
assert Store(find_folder()).load_predictions("01")["name"].answer == "\\u8bfe"
notebook = nbformat.read("notebooks/00_start_here.ipynb", as_version=4)
resources = {"metadata": {"path": "notebooks"}}
NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
print(ascii([cell.outputs for cell in notebook.cells if "print(doctor.describe(" in cell.source]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the locales are those of Linux")
@pytest.mark.parametrize("letters", ["ASCII alone", "Windows in China"], indirect=True)
def test_a_lesson_and_its_desk_work_where_letters_are_others(tmp_path: Path, letters: dict[str, str]) -> None:
    """In a folder whose name holds a space and Chinese letters."""
    place = tmp_path / "a course, 课程"
    shutil.copytree(ROOT / "cnngen_course", place / "cnngen_course", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "data").symlink_to(ROOT / "data")
    shutil.copytree(ROOT / "notebooks" / "words", place / "notebooks" / "words")
    for name in ("requirements.lock", "notebooks/timings.json", "notebooks/00_start_here.ipynb"):
        shutil.copyfile(ROOT / name, place / name)
    path = os.pathsep.join((str(place), os.environ["PYTHONPATH"]))
    variables = os.environ | letters | {"PYTHONPATH": path, "CNNGEN_DESK": ""}
    answer = subprocess.run([sys.executable, "-c", LESSON], cwd=place, env=variables, capture_output=True)
    said = (answer.stdout + answer.stderr).decode("utf-8", "replace")
    assert answer.returncode == 0 and "Ready." in said, said
    assert (place / "desk").is_dir()
