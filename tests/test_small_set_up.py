"""PyTorch without CUDA where no GPU could use it, and authors' packages when they are asked for: chosen, remembered.

uv is a stand-in here (tests/stand_ins); that the real one does the same is tested in test_real_set_up.py.
"""

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from cnngen_course.platforms import has_nvidia_driver
from tests.small_course import Course

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one PyTorch")]
READY = "Ready. Next: python3 course.py lab\n"
USUAL, SMALL = "1.0", "1.0+cpu"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(tmp_path_factory.mktemp("small, äöü 课程"), "--cpu")
    course.set_up()
    shutil.copytree(course.environment, course.folder / "whole", symlinks=True)
    return course


@pytest.fixture
def course(kept: Course) -> Iterator[Course]:
    """A course that was set up with the small PyTorch, and no trace of other tests."""
    shutil.rmtree(kept.environment, ignore_errors=True)
    shutil.copytree(kept.folder / "whole", kept.environment, symlinks=True)
    yield kept
    for name in ("reached", "let go"):
        (kept.folder / name).unlink(missing_ok=True)


def list_packages(course: Course) -> dict[str, str]:
    """Return what is installed, but for the course itself: version by name."""
    parts = (folder.name.removesuffix(".dist-info").split("-") for folder in course.packages.glob("*.dist-info"))
    return {name: version for name, version in parts if name != "cnngen_course"}


def has(pytorch: str, **others: str) -> dict[str, str]:
    """Return what should be installed with one of the two PyTorchs."""
    cuda = {"nvidia_sums": "1.0"} if pytorch == USUAL else {}
    return {"numbers": "1.0", "torch": pytorch, "torchvision": pytorch} | cuda | others


def test_the_small_one_comes_without_cuda(course: Course) -> None:
    assert list_packages(course) == has(SMALL)
    assert (course.environment / ".ready").read_text(encoding="utf-8").split("\n")[0].endswith(" small")
    assert course.set_up("setup").count("\n") == 2, "a second look finds nothing to do"


@pytest.fixture
def driver(tmp_path: Path) -> dict[str, str]:
    """Variables by which a machine has a library of the name of NVIDIA's driver."""
    shutil.copyfile(find_spec("_cffi_backend").origin, tmp_path / "libcuda.so.1")
    return {"LD_LIBRARY_PATH": str(tmp_path)}


def test_the_machine_decides_and_is_remembered(course: Course, driver: dict[str, str]) -> None:
    shutil.rmtree(course.environment)
    course.set_up("setup", **driver)
    assert list_packages(course) == has(USUAL)
    assert "1 of 4" not in course.set_up("setup"), "a driver that is gone for a day changes nothing"
    assert list_packages(course) == has(USUAL)


@pytest.mark.skipif(has_nvidia_driver(), reason="this machine has the driver")
def test_a_machine_without_the_driver_gets_the_small_one(course: Course) -> None:
    shutil.rmtree(course.environment)
    course.set_up("setup")
    assert list_packages(course) == has(SMALL)


def test_one_can_be_changed_for_the_other_and_back(course: Course) -> None:
    for option, version in (("--cuda", USUAL), ("--cpu", SMALL)):
        said = course.set_up("setup", option)
        assert list_packages(course) == has(version) and "1 of 4" not in said
        assert course.set_up("setup").count("\n") == 2, "the choice is remembered"


def test_a_choice_that_was_interrupted_is_remembered(course: Course) -> None:
    shutil.rmtree(course.environment)
    course.pytorch = "--cuda"
    try:
        course.interrupt(("uv", "open a", "torch/_utils.py", 1), signal.SIGTERM)
    finally:
        course.pytorch = "--cpu"
    course.set_up("setup")
    assert list_packages(course) == has(USUAL)


def test_out_of_reach_means_the_usual_one_and_a_sentence(course: Course) -> None:
    shutil.rmtree(course.environment)
    said = course.set_up("setup", "--cpu", NO_HOST="1")
    assert "PyTorch without CUDA could not be had" in said and said.endswith(READY)
    assert list_packages(course) == has(USUAL)
    assert course.set_up("setup", NO_HOST="1").count("\n") == 2, "nobody waits for that host again"
    assert "could not be had" not in course.set_up("setup", "--cpu")
    assert list_packages(course) == has(SMALL), "until somebody asks"


def test_what_was_asked_for_in_vain_leaves_what_works(course: Course) -> None:
    said = course.set_up("setup", "--cuda")
    before = course.list_files()
    said = course.set_up("setup", "--cpu", NO_HOST="1")
    assert "could not be had" in said and "1 of 4" not in said
    assert course.list_files() == before


MOMENTS = {
    "half of the small torch": ("", ("uv", "open a", "torch/_utils.py", 1)),
    "between the two": ("", ("course.py", "subprocess.Popen", "--require-hashes", 1)),
    "half of the others": ("", ("uv", "open a", "numbers/_utils.py", 1)),
    "on the way to the usual one": ("--cuda", ("uv", "open a", "torchvision/_utils.py", 1)),
    "on the way to the small one": ("--cpu", ("uv", "open a", "torchvision/_utils.py", 1)),
    "half of CUDA thrown away": ("--cpu", ("uv", "shutil.rmtree", "nvidia_sums-1.0", 1)),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_set_up_is_healed(course: Course, moment: str, number: signal.Signals) -> None:
    change, stop_at = MOMENTS[moment]
    if not change:
        shutil.rmtree(course.environment)
    elif change == "--cpu":
        course.set_up("setup", "--cuda")
    course.pytorch = change or "--cpu"
    try:
        course.interrupt(stop_at, number)
    finally:
        course.pytorch = "--cpu"
    assert course.set_up("setup").endswith(READY)
    assert list_packages(course) == has(USUAL if change == "--cuda" else SMALL)


@pytest.mark.parametrize("name", ["torch", "numbers"])
@pytest.mark.parametrize("host", ["", "1"])
def test_damage_is_mended(course: Course, name: str, host: str) -> None:
    before = course.list_files()
    (course.packages / name / "_utils.py").write_text("works = False\n", encoding="utf-8")
    said = course.set_up("setup", **({"NO_HOST": "1"} if host else {}))
    assert f"installed anew: {name} ..." in said
    if host and name == "torch":
        assert "could not be had" in said and list_packages(course) == has(USUAL)
    elif not host:
        assert course.list_files() == before


def test_authors_packages_come_when_they_are_asked_for(course: Course) -> None:
    torch = course.packages / "torch" / "version.py"
    before = torch.stat()
    for _ in range(2):
        process = course.start(None, "pages")
        said = process.communicate(timeout=60)[0]
        assert "No module named tools.pages" in said, "the small course has none"
        assert "1 of 4" not in said
    assert "Looking at" not in said, "the second time all is there"
    assert list_packages(course) == has(SMALL, tests="1.0")
    assert torch.stat() == before, "nothing else is installed anew"
    course.set_up("setup")
    assert list_packages(course) == has(SMALL, tests="1.0")
    note = (course.environment / ".ready").read_text(encoding="utf-8").split("\n")[0]
    assert note.endswith(" small everything"), "and they stay, also when the lock changes"


def test_setup_all_installs_them_from_the_start(course: Course) -> None:
    shutil.rmtree(course.environment)
    course.set_up("setup", "--all", "--cuda")
    assert list_packages(course) == has(USUAL, tests="1.0")


def test_authors_packages_out_of_reach_leave_a_learners_course_as_it_was(course: Course) -> None:
    before = course.list_files()
    more = course.folder / "requirements.more.lock"
    text = more.read_text(encoding="utf-8")
    more.write_text("unreachable==1.0\n", encoding="utf-8")
    try:
        process = course.start(None, "pages")
        assert "HTTPS_PROXY" in process.communicate(timeout=60)[0] and process.returncode == 2
        assert course.list_files() == before
        assert course.set_up("setup").endswith(READY)
    finally:
        more.write_text(text, encoding="utf-8")


def test_an_environment_of_yesterdays_course_is_taken_over(course: Course) -> None:
    """One lock with everything, one PyTorch, and a note of two words: nothing large is installed again."""
    course.set_up("setup", "--cuda", "--all")
    fingerprint = hashlib.sha256(b"yesterday's lock").hexdigest()
    (course.environment / ".ready").write_bytes(f"{fingerprint}\n".encode() + os.fsencode(course.folder))
    torch = course.packages / "torch" / "version.py"
    before = torch.stat()
    said = course.set_up("setup", NO_HOST="1")
    assert "1 of 4" not in said and "could not be had" not in said and said.endswith(READY)
    assert list_packages(course) == has(USUAL, tests="1.0") and torch.stat() == before


@pytest.mark.parametrize("options", [["--gpu"], ["--cpu", "--cuda"]])
def test_other_choices_are_refused(course: Course, options: list[str]) -> None:
    process = course.start(None, "setup", *options)
    assert "setup knows --all, and --cpu or --cuda" in process.communicate(timeout=60)[0] and process.returncode == 1
