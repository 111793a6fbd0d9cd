"""Set-up, interrupted at any moment, is healed by the same command; "Ready" is only said of what was tried.

A whole course is set up here in a second (tests/small_course.py).
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.small_course import Course
from tools import environment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="the signals are those of Unix")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("a course, äöü 课程"))


@pytest.fixture(scope="module")
def whole(course: Course) -> dict[str, str]:
    """The files of an environment whose set-up was not interrupted; it stays in place."""
    course.set_up()
    shutil.copytree(course.environment, course.folder / "whole", symlinks=True)
    return course.list_files()


@pytest.fixture
def finished(course: Course, whole: dict[str, str]) -> Iterator[Course]:
    """The course with a set-up that was finished, and no trace of other tests."""
    shutil.rmtree(course.environment, ignore_errors=True)
    shutil.copytree(course.folder / "whole", course.environment, symlinks=True)
    yield course
    for name in ("reached", "let go"):
        (course.folder / name).unlink(missing_ok=True)


def nothing(course: Course) -> None:
    shutil.rmtree(course.environment)


def other_version(course: Course) -> None:
    (course.packages / "torch-1.0.dist-info").rename(course.packages / "torch-0.9.dist-info")
    (course.packages / "torch" / "_utils.py").write_text("works = False\n", encoding="utf-8")


def edited(course: Course) -> None:
    (course.packages / "torch" / "_utils.py").write_text("value = 0\nworks = True\n", encoding="utf-8")


def half_made(course: Course) -> None:
    (course.environment / ".ready").write_text("making\n", encoding="utf-8")


def moved(course: Course) -> None:
    for path in [*(course.environment / "bin").glob("activate*"), course.environment / ".ready"]:
        path.write_text(path.read_text(encoding="utf-8").replace(str(course.folder), "/elsewhere"), encoding="utf-8")


MOMENTS: dict[str, tuple[Callable[[Course], None], tuple]] = {
    "before anything": (nothing, ("course.py", "import", "ensurepip", 1)),
    "first note": (nothing, ("course.py", "open w", ".ready", 1)),
    "first note, beside its place": (nothing, ("course.py", "os.rename", ".ready", 1)),
    "environment": (nothing, ("course.py", "open w", "pyvenv.cfg", 1)),
    "before pip": (nothing, ("course.py", "subprocess.Popen", "ensurepip", 1)),
    "half of pip": (nothing, ("__main__.py", "open a", "bin/pip", 1)),
    "half of uv": (nothing, ("__main__.py", "open a", "bin/uv", 1)),
    "before the packages": (nothing, ("course.py", "subprocess.Popen", "--require-hashes", 1)),
    "half of torch": (nothing, ("uv", "open a", "torch/_utils.py", 1)),
    "torch without a record": (nothing, ("uv", "open w", "torch-1.0.dist-info/RECORD", 1)),
    "half of torchvision's record": (nothing, ("uv", "open a", "torchvision-1.0.dist-info/RECORD", 1)),
    "half of the import line": (nothing, ("uv", "open a", "_editable_impl", 1)),
    "import line with a whole path": (nothing, ("course.py", "open w", "_editable_impl", 1)),
    "settings": (nothing, ("course.py", "open w", "page_config.json", 1)),
    "trial": (nothing, ("-c", "import", "torchvision", 1)),
    "last note": (nothing, ("course.py", "open w", ".ready", 2)),
    "throwing away": (half_made, ("course.py", "shutil.rmtree", ".venv", 1)),
    "other version, halfway": (other_version, ("uv", "open a", "torch/_utils.py", 1)),
    "mending, before": (edited, ("course.py", "subprocess.Popen", "cache", 1)),
    "mending, halfway": (edited, ("uv", "open w", "torch/_utils.py", 1)),
    "after a move": (moved, ("course.py", "open w", "activate", 1)),
}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)  # Ctrl-C, a system that shuts down, a power cut


@pytest.mark.parametrize(
    ("moment", "number"),
    [(moment, SIGNALS[index % 3]) for index, moment in enumerate(MOMENTS)],  # all 60 pairs were tried once
)
def test_an_interrupted_set_up_is_healed_by_the_same_command(
    finished: Course, whole: dict[str, str], moment: str, number: signal.Signals
) -> None:
    prepare, stop_at = MOMENTS[moment]
    prepare(finished)
    assert "Traceback" not in finished.interrupt(stop_at, number).split("KeyboardInterrupt")[-1]
    assert finished.set_up().endswith("Ready. Next: python3 course.py lab\n")
    assert finished.list_files() == whole


def test_a_second_look_changes_nothing(finished: Course, whole: dict[str, str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.packages.rglob("*.py")}
    assert finished.set_up() == (
        "Looking at the course's environment, the folder .venv ...\nReady. Next: python3 course.py lab\n"
    )
    assert finished.list_files() == whole
    assert "etc/ipython/ipython_kernel_config.py" in whole, "or a restarted kernel explains no missing name"
    assert {path: path.stat().st_mtime_ns for path in finished.packages.rglob("*.py")} == before


def dangling(course: Course) -> None:
    python = course.environment / "bin" / "python3"
    for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
        (python.with_name(name)).unlink()
        (python.with_name(name)).symlink_to("/no/such/python")


def without_a_file(course: Course) -> None:
    (course.packages / "torch" / "_utils.py").unlink()


def without_metadata(course: Course) -> None:
    (course.packages / "torch-1.0.dist-info" / "METADATA").unlink()


def without_packages(course: Course) -> None:
    shutil.rmtree(course.environment / "lib")


def without_config(course: Course) -> None:
    (course.environment / "pyvenv.cfg").unlink()


def without_command(course: Course) -> None:
    (course.environment / "bin" / "cnngen").unlink()


def foreign_line(course: Course) -> None:
    (line,) = course.packages.glob("*cnngen_course*.pth")
    line.write_text("/elsewhere", encoding="utf-8")


def broken_from_outside(course: Course) -> None:
    """A file that no package knows stands before PyTorch: only the trial can find it."""
    (course.packages / "torch.pth").write_text("import sys; sys.modules['torchvision'] = None\n", encoding="utf-8")


DAMAGE = [
    dangling,
    without_a_file,
    edited,
    other_version,
    without_metadata,
    without_packages,
    without_config,
    without_command,
    foreign_line,
    broken_from_outside,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_mended(finished: Course, whole: dict[str, str], damage: Callable[[Course], None]) -> None:
    damage(finished)
    finished.set_up()
    assert finished.list_files() == whole


@pytest.mark.parametrize("content", ["", "mak", "making", "?", "making\n/elsewhere"])
def test_a_note_that_was_cut_means_a_new_environment(finished: Course, whole: dict[str, str], content: str) -> None:
    (finished.environment / ".ready").write_text(content, encoding="utf-8")
    (finished.packages / "left over").touch()
    finished.set_up()
    assert finished.list_files() == whole


def test_a_note_that_cannot_be_written_leaves_the_old_one(monkeypatch, tmp_path: Path) -> None:
    def write_half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("the disk is full")

    monkeypatch.setattr(environment, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(environment, "STATE", tmp_path / ".ready")
    monkeypatch.setattr(environment, "NEXT_STATE", tmp_path / ".ready.new", raising=False)
    environment.write_state(environment.CHECKING, None)
    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="full"):
        environment.write_state("0" * 64, None)
    assert environment.read_state()[0] == environment.CHECKING


def ask(course: Course, program: str) -> str:
    return subprocess.run([course.environment / "bin" / program], capture_output=True, encoding="utf-8").stdout


@pytest.mark.parametrize("by", [shutil.copytree, shutil.move])
def test_another_folder_is_told(finished: Course, tmp_path: Path, by: Callable) -> None:
    """By mv or by cp -r, also into a folder whose name begins with the old one and holds a space."""
    first = Course(tmp_path / "course")
    by(finished.environment, first.environment, **({"symlinks": True} if by is shutil.copytree else {}))
    assert ask(first, "cnngen") == "cnngen\n", "programs find their Python wherever they are"
    place = tmp_path / "course 2"
    shutil.move(first.folder, place)
    second = Course(place)
    said = second.set_up()
    assert "moved" in said and "1 of 4" not in said, "nothing is made anew"
    assert ask(second, "cnngen") == "cnngen\n" and ask(second, "pip") == "pip 1.0\n"
    for path in (second.environment / "bin").glob("activate*"):
        assert str(first.environment) not in path.read_text(encoding="utf-8"), path.name
    assert str(second.environment) in (second.environment / "bin" / "activate").read_text(encoding="utf-8")


def test_no_file_that_python_reads_at_its_start_holds_the_folder(finished: Course) -> None:
    """Python 3.12 and older read it in the machine's code page, and do not start if they cannot."""
    for line in finished.packages.glob("*.pth"):
        assert line.read_text(encoding="ascii").strip() == os.path.join(*[".."] * 4)
    for locale in ("C", "C.UTF-8", "POSIX"):
        variables = {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        code = "import cnngen_course, os; print(os.path.exists(cnngen_course.__file__))"
        python = [finished.environment / "bin" / "python", "-c", code]
        assert subprocess.run(python, env=variables, capture_output=True, encoding="utf-8", cwd="/").stdout == "True\n"
        assert "Ready" in finished.set_up(**variables)


def test_two_at_once_take_turns(finished: Course, whole: dict[str, str]) -> None:
    half_made(finished)
    first = finished.start(("uv", "open a", "torch/_utils.py", 1))
    while not (finished.folder / "reached").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = finished.start()
    lines = iter(second.stdout.readline, "")
    assert any("waiting for its end" in line for line in lines)
    (finished.folder / "let go").touch()
    for process in (first, second):
        assert process.communicate(timeout=60)[0].endswith("Ready. Next: python3 course.py lab\n")
    assert finished.list_files() == whole


def test_what_a_killed_set_up_left_running_is_waited_for(finished: Course, whole: dict[str, str]) -> None:
    half_made(finished)
    finished.interrupt(("uv", "open a", "torch/_utils.py", 1), signal.SIGKILL, let_go=False)
    second = finished.start()
    assert any("waiting for its end" in line for line in iter(second.stdout.readline, ""))
    (finished.folder / "let go").touch()
    assert second.communicate(timeout=60)[0].endswith("Ready. Next: python3 course.py lab\n")
    assert finished.list_files() == whole


def test_the_first_line_comes_before_any_work(finished: Course) -> None:
    half_made(finished)
    process = finished.start(("course.py", "shutil.rmtree", "", 1))
    assert process.stdout.readline().startswith("Looking at")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_an_environment_made_by_hand_is_not_touched(finished: Course, whole: dict[str, str]) -> None:
    (finished.environment / ".ready").unlink()
    (finished.environment / "mine").touch()
    before = finished.list_files()
    assert "used as it is" in finished.set_up()
    without_a_file(finished)
    process = finished.start()
    assert "Delete or rename it" in process.communicate(timeout=60)[0] and process.returncode == 1
    assert finished.list_files() == {name: text for name, text in before.items() if name != TORN}


TORN = f"lib/python3.{sys.version_info.minor}/site-packages/torch/_utils.py"


def test_without_a_network_what_works_is_kept(finished: Course, whole: dict[str, str]) -> None:
    """A new lock that cannot be fetched ends in a sentence; the old packages stay, and the next run tries again."""
    lock = finished.lock.read_text(encoding="utf-8")
    finished.lock.write_text(f"{lock}unreachable==1.0\n", encoding="utf-8")
    try:
        for _ in range(2):
            process = finished.start()
            said = process.communicate(timeout=60)[0]
            assert process.returncode == 2 and "run the same command again" in said and "Traceback" not in said
            assert finished.list_files() == whole
    finally:
        finished.lock.write_text(lock, encoding="utf-8")
    assert "Ready" in finished.set_up()


LACKING = """
import sys
class Finder:
    def find_spec(name, *_):
        if name == "torch":
            raise ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")
sys.meta_path.insert(0, Finder)
"""


def test_what_the_system_lacks_is_told_and_nothing_is_made_anew(finished: Course) -> None:
    (finished.packages / "lacking.py").write_text(LACKING, encoding="utf-8")
    (finished.packages / "lacking.pth").write_text("import lacking\n", encoding="utf-8")
    process = finished.start()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "A library of the system is missing" in said and "1 of 4" not in said


@pytest.fixture
def slip(finished: Course) -> Iterator[Path]:
    """A slip in a module of the course that its command imports; gone after the test."""
    module = finished.folder / "cnngen_course" / "slip.py"
    module.write_text("def (:\n", encoding="utf-8")
    with (finished.environment / "bin" / "cnngen").open("a", encoding="utf-8") as file:
        file.write("import cnngen_course.slip\n")
    yield module
    module.unlink()


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_slip_in_the_course_itself_is_told_and_no_package_is_installed(
    finished: Course, slip: Path, by_hand: bool
) -> None:
    if by_hand:
        (finished.environment / ".ready").unlink()
    before = finished.list_files()
    process = finished.start()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "1 of 4" not in said and "Delete" not in said, said
    assert f"own code does not run: {os.path.join('cnngen_course', 'slip.py')}" in said and "SyntaxError" in said
    assert finished.list_files() == before
    slip.write_text("", encoding="utf-8")
    assert "1 of 4" not in finished.set_up(), "once it is mended, all is well"


@pytest.mark.parametrize(
    ("place", "error", "own"),
    [
        ("cnngen_course/doctor.py", "SyntaxError: invalid syntax", True),
        ("cnngen_course/doctor.py", "NameError: name 'x' is not defined", True),
        ("cnngen_course/doctor.py", "ImportError: cannot import name 'x' from 'cnngen_course.paths' (/x)", True),
        ("cnngen_course/doctor.py", "ModuleNotFoundError: No module named 'psutil'", False),
        (".venv/lib/python3.12/site-packages/torch/a.py", "SyntaxError: invalid syntax", False),
    ],
)
def test_the_courses_own_fault_is_told_from_one_of_a_package(place: str, error: str, own: bool) -> None:
    lines = ['  File "<string>", line 1', f'  File "{environment.ROOT / place}", line 3', error]
    found = environment.find_own_fault("\n".join(lines))
    assert found == (os.path.normpath(place) if own else "")


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        ('OSError: [WinError 126] The specified module could not be found. Error loading "c10.dll"', "Visual C\\+\\+"),
        ("ImportError: libGL.so.1: cannot open shared object file", "of the system"),
        ("AssertionError: the course is imported from another folder: /x", "cnngen doctor"),
    ],
)
def test_advice_fits_the_trouble(trouble: str, word: str) -> None:
    assert re.search(word, environment.advise(trouble))
