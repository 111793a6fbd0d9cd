"""What a learner did stays: with several kernels at once, after damage; no cell breaks where nothing can be kept."""

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cnngen_course.desk import store as module
from cnngen_course.desk.store import FILE, VARIABLE, Prediction, Progress, Store, StoreError, find_folder, tell_once
from cnngen_course.exercises import convolution, start_here
from cnngen_course.paths import ROOT


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "desk")


def test_what_was_done_is_read_back(store: Store) -> None:
    store.predict("gan", "heap", {"x": [1, "课"]})
    for status in ("not started", "not yet", "right", "not yet"):
        store.answer("gan", "loss", status)
    store.answer("gan", "detach", "not started")
    store.hint("gan", "loss", 1)
    store.hint("gan", "loss", 4)
    store.work("gan", 60, "The game")
    store.work("gan", 30.5, "Two losses")
    store.work("data", 1)
    store.note("gan", "it was a ring")
    done = store.load()
    assert done["data"] == Progress("data", seconds=1)
    gan = done["gan"]
    assert (gan.right, gan.tried, gan.hints) == ({"loss"}, {"loss"}, 2), "right once is right"
    assert (gan.seconds, gan.section, gan.note) == (90.5, "Two losses", "it was a ring") and gan.moment > 1.7e9
    assert gan.predictions == (Prediction("gan", "heap", {"x": [1, "课"]}),)


def test_a_prediction_stays_once_the_truth_is_told(store: Store) -> None:
    store.predict("gan", "heap", "one")
    store.predict("gan", "heap", "two")
    store.reveal("gan", "heap", "three", "wrong")
    store.predict("gan", "heap", "three")
    assert store.load_predictions("gan") == {"heap": Prediction("gan", "heap", "two", "three", "wrong")}
    store.reveal("gan", "nobody asked", 1, "right")
    assert len(store.load_predictions("gan")) == 1


WRITE = """
import sys
from pathlib import Path
from cnngen_course.desk.store import Store
store = Store(Path(sys.argv[1]))
for number in range(10):
    store.work("gan", 1, sys.argv[2])
    store.answer("gan", f"{sys.argv[2]}-{number}", "right")
"""


@pytest.mark.slow
def test_several_kernels_write_at_once_and_nothing_is_lost(store: Store) -> None:
    folder = store.path.parent
    command = [sys.executable, "-c", WRITE, str(folder)]
    kernels = [subprocess.Popen([*command, name], cwd=ROOT) for name in "abc"]  # the file is not there yet
    assert [kernel.wait(timeout=100) for kernel in kernels] == [0, 0, 0]
    done = store.load()["gan"]
    assert done.seconds == 30 and len(done.right) == 30


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 4096])
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(store: Store, capsys, content: bytes) -> None:
    store.path.parent.mkdir()
    for number in (1, 2):
        store.path.write_bytes(content)
        store.work("gan", 5)
        assert store.load()["gan"].seconds == 5
        kept = store.path.with_name(f"progress_damaged_{number}.sqlite3")
        assert kept.read_bytes() == content and f"{FILE} was damaged. It is now {kept.name}" in capsys.readouterr().err


def test_a_file_with_a_damaged_page_is_damaged(store: Store, capsys) -> None:
    for number in range(60):
        store.answer("gan", f"{number:0500}", "right")
    content = bytearray(store.path.read_bytes())
    content[8192:12288] = os.urandom(4096)
    store.path.write_bytes(content)
    assert store.load() == {} and "was damaged" in capsys.readouterr().err


def test_a_file_that_others_hold_is_waited_for_and_then_told(store: Store, monkeypatch) -> None:
    store.work("gan", 1)
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(StoreError, match="others have been writing"):
        store.work("gan", 1)
    holder.close()
    store.work("gan", 1)
    assert store.load()["gan"].seconds == 2


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="a folder that nobody can write to, not even root")
def test_a_folder_that_cannot_be_written_to_is_told() -> None:
    store = Store(Path("/proc/nothing"))
    with pytest.raises(StoreError, match=rf"cannot be written to .*{VARIABLE} can name another folder"):
        store.work("gan", 1)


def test_a_full_disk_is_told_and_what_was_kept_stays(store: Store, monkeypatch) -> None:
    store.work("gan", 1)
    monkeypatch.setattr(module, "CREATE", f"{module.CREATE} pragma max_page_count = 20;")
    with pytest.raises(StoreError, match=r"^the disk is full\.$"):
        store.note("gan", "much to say" * 10_000)
    assert store.load()["gan"] == Progress("gan", seconds=1)


def test_the_name_of_a_folder_is_no_reason(tmp_path: Path) -> None:
    (tmp_path / "fuller locked").touch()
    with pytest.raises(StoreError, match=r"fuller locked cannot be written to"):
        Store(tmp_path / "fuller locked").work("gan", 1)


def test_a_folder_that_cannot_be_made_for_want_of_space_is_told(store: Store, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(StoreError, match=r"^the disk is full\.$"):
        store.work("gan", 1)


def test_a_file_that_may_only_be_read_can_be_read(store: Store) -> None:
    store.work("gan", 1)
    assert store.load()["gan"].seconds == 1
    uri = f"file:{store.path}?mode=ro"
    connection = sqlite3.connect(uri, uri=True)
    connection.executescript(module.CREATE)  # what `_open` does writes nothing if all is there
    connection.close()


def test_all_is_deleted(store: Store, capsys) -> None:
    store.delete()
    store.path.parent.mkdir(exist_ok=True)
    store.path.write_bytes(b"damaged" * 1000)
    store.work("gan", 1)
    (store.path.parent / "progress of mine.ipynb").touch()
    store.delete()
    assert [path.name for path in store.path.parent.iterdir()] == ["progress of mine.ipynb"] and store.load() == {}


def test_where_the_desk_is(monkeypatch, tmp_path: Path) -> None:
    for value, folder in (
        ("", ROOT / "desk"),
        (str(tmp_path), tmp_path),
        ("~/desk", Path.home() / "desk"),
        ("off", None),
    ):
        monkeypatch.setenv(VARIABLE, value)
        assert find_folder() == folder
    monkeypatch.delenv(VARIABLE)
    assert find_folder() == ROOT / "desk"


def test_trouble_is_told_once(capsys, monkeypatch) -> None:
    monkeypatch.setattr(module, "_told", set())
    told = [tell_once(StoreError("the disk is full.")) for _ in range(3)]
    assert told == ["What you do is kept only until the kernel stops: the disk is full."] * 3
    assert capsys.readouterr().err == told[0] + "\n"


def test_reports_hints_and_solutions_are_kept(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    sheet = convolution.SHEET
    assert sheet.check("output_size", ...).status == "not started"
    assert Store(tmp_path).load()["convolution"].tried == set()
    assert sheet.check("output_size", 3).status == "not yet"
    assert sheet.check("output_size", sheet.exercises["output_size"].solution).status == "right"
    sheet.hint("output_size")
    sheet.show_solution("output_size")
    done = Store(tmp_path).load()["convolution"]
    assert done.right == done.tried == {"output_size"} and done.hints == 2
    start_here.check("count", 1)
    assert Store(tmp_path).load()["start_here"].tried == {"count"}


def test_an_exercise_is_checked_where_nothing_can_be_kept(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(module, "_told", set())
    (tmp_path / "a file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "a file"))
    for _ in range(2):
        assert convolution.check("output_size", 3).status == "not yet"
        convolution.hint("output_size")
    assert capsys.readouterr().err.count("kept only until the kernel stops") == 1
    monkeypatch.setenv(VARIABLE, "off")
    assert convolution.check("output_size", 3).status == "not yet" and list(tmp_path.iterdir()) == [tmp_path / "a file"]
