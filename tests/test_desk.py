"""The learner's copies: nothing of them is lost, whatever happens to them, to the lessons or to the disk."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cnngen_course.paths import ROOT
from tools import desk, merge, tasks, update

STUB, ANSWER = "def f(x):\n    return ...\n\n\nexercise.check(f)", "def f(x):\n    return 2 * x\n\n\nexercise.check(f)"


def publish(root: Path, name: str, *cells: str, first: int = 0) -> None:
    """Publish a lesson, with outputs; a cell's id is its place, the first is words."""
    folder = root / "notebooks"
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "pictures" / "a.jpg").touch()
    output = {"output_type": "stream", "name": "stdout", "text": ["the answer"]}
    code = {"cell_type": "code", "metadata": {}, "execution_count": 7, "outputs": [output]}
    words = {"cell_type": "markdown", "metadata": {}}
    made = [
        {"id": f"cell-{first + place:03}", "source": text.splitlines(keepends=True)} | (code if place else words)
        for place, text in enumerate(cells)
    ]
    lesson = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / name).write_text(json.dumps(lesson), encoding="utf-8")


def read(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells]


def write(path: Path, place: int, text: str) -> None:
    """Write into a cell at the desk as JupyterLab saves it: with an output."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[place].source = text
    notebook.cells[place].outputs = [nbformat.v4.new_output("stream", text="mine")]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


@pytest.fixture
def course(monkeypatch, tmp_path: Path) -> Path:
    """Two lessons at the desk, with an answer in one of them."""
    for name, folder in (("LESSONS", "notebooks"), ("DESK", "desk"), ("BASES", "desk/.base")):
        monkeypatch.setattr(desk, name, tmp_path / folder)
    publish(tmp_path, "01_convolution.ipynb", "# One\n![](pictures/a.jpg)", STUB, "print(1)")
    publish(tmp_path, "02_data.ipynb", "# Two", STUB, "print(2)")
    desk.lay_out()
    write(tmp_path / "desk/01_convolution.ipynb", 1, ANSWER)
    return tmp_path


def test_a_copy_shows_nothing_that_was_not_run(course: Path) -> None:
    copy = nbformat.read(course / "desk/02_data.ipynb", as_version=4)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in copy.cells[1:])
    assert "the answer" in (course / "notebooks/02_data.ipynb").read_text(encoding="utf-8"), "the lesson has it still"


@pytest.mark.parametrize(
    ("words", "at_the_desk"),
    [
        ("![alt](pictures/a.jpg)", "![alt](../notebooks/pictures/a.jpg)"),
        ('<img src="pictures/a.jpg">', '<img src="../notebooks/pictures/a.jpg">'),
        ("[02](02_data.ipynb#two) [web](https://a.org/a.jpg) [here](#one) [up](../README.md)", None),
        ("`layers[0](pictures)`, ![](attachment:a.jpg)", None),
    ],
)
def test_links_lead_where_they_led(course: Path, words: str, at_the_desk: str | None) -> None:
    publish(course, "02_data.ipynb", words)
    desk.lay_out()
    assert read(course / "desk/02_data.ipynb") == [at_the_desk or words]


@pytest.mark.parametrize("lesson", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda lesson: lesson.stem)
def test_every_lesson_can_lie_on_the_desk(lesson: Path, tmp_path: Path) -> None:
    copy = desk.make_copy(json.loads(lesson.read_bytes()))
    nbformat.validate(nbformat.from_dict(copy))
    (tmp_path / "desk").mkdir()
    for cell in copy["cells"]:
        for link in desk.LINK.finditer("".join(cell["source"]) if cell["cell_type"] == "markdown" else ""):
            assert desk.LESSON.fullmatch(link["file"]) or "." not in link["file"] or "/" not in link["file"], link[0]
        for part in "".join(cell["source"]).split("](../")[1:]:
            assert (ROOT / part.partition(")")[0]).exists(), part


def test_a_second_time_nothing_is_touched(course: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    assert desk.lay_out() == []
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*")} == before


def test_an_answer_stays_and_the_rest_is_new(course: Path) -> None:
    publish(course, "01_convolution.ipynb", "# One, better", STUB, "print('better')", "print('more')")
    publish(course, "02_data.ipynb", "# Two, better", STUB)
    assert desk.lay_out() == ["desk/01_convolution.ipynb: the new version and yours are merged."]
    assert read(course / "desk/01_convolution.ipynb") == ["# One, better", ANSWER, "print('better')", "print('more')"]
    assert read(course / "desk/02_data.ipynb") == ["# Two, better", STUB]
    assert desk.lay_out() == []


def test_what_both_changed_stands_side_by_side(course: Path) -> None:
    changed = STUB.replace("x", "y")
    publish(course, "01_convolution.ipynb", "# One", changed, "print(1)")
    (told,) = desk.lay_out()
    assert told.endswith("merged. 1 cell was changed on both sides: look for the notes.")
    assert read(course / "desk/01_convolution.ipynb")[1:4] == [ANSWER, merge.BOTH, changed]
    publish(course, "01_convolution.ipynb", "# One, again", changed, "print(1)")
    assert "both sides" not in desk.lay_out()[0]
    assert read(course / "desk/01_convolution.ipynb") == ["# One, again", ANSWER, merge.BOTH, changed, "print(1)"]


def test_an_update_long_after_is_one_as_well(course: Path) -> None:
    """Several versions are skipped, and a copy that was open in JupyterLab meanwhile is saved as it began."""
    old = (course / "desk/01_convolution.ipynb").read_bytes()
    for number in range(3):
        publish(course, "01_convolution.ipynb", "# One", STUB, f"print({number} + 1)")
        desk.lay_out()
    (course / "desk/01_convolution.ipynb").write_bytes(old)
    desk.lay_out()
    assert read(course / "desk/01_convolution.ipynb")[1:] == [ANSWER, "print(2 + 1)"]


def test_a_deleted_copy_comes_anew(course: Path) -> None:
    (course / "desk/01_convolution.ipynb").unlink()
    assert desk.lay_out() == []
    assert read(course / "desk/01_convolution.ipynb")[1] == STUB
    shutil.rmtree(course / "desk")
    assert desk.lay_out() == ["Your copies of the lessons lie in the folder desk: what you write there stays yours."]


def test_a_copy_under_a_name_of_ones_own_is_left_alone(course: Path) -> None:
    (course / "desk/01_convolution.ipynb").rename(course / "desk/my convolution.ipynb")
    publish(course, "01_convolution.ipynb", "# New", STUB)
    assert desk.lay_out() == []
    assert read(course / "desk/my convolution.ipynb")[1] == ANSWER
    assert read(course / "desk/01_convolution.ipynb") == ["# New", STUB]


def test_a_lesson_with_another_number_keeps_its_answers(course: Path) -> None:
    """A lesson comes between: each number after it is one more."""
    shutil.rmtree(course / "notebooks")
    publish(course, "01_drawing.ipynb", "# A new one")
    publish(course, "02_convolution.ipynb", "# One is two", STUB, "print(1)")
    publish(course, "03_data.ipynb", "# Two is three", STUB, "print(2)")
    assert desk.lay_out() == ["desk/02_convolution.ipynb: the new version and yours are merged."]
    assert sorted(path.name for path in (course / "desk").glob("*.ipynb")) == [
        *("01_drawing.ipynb", "02_convolution.ipynb", "03_data.ipynb")
    ]
    assert read(course / "desk/02_convolution.ipynb") == ["# One is two", ANSWER, "print(1)"]


def test_a_lesson_that_the_course_took_away_stays_with_the_learner(course: Path) -> None:
    (course / "notebooks/01_convolution.ipynb").unlink()
    assert desk.lay_out() == []
    assert read(course / "desk/01_convolution.ipynb")[1] == ANSWER


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def mark(path: Path) -> None:
    path.write_text("<<<<<<< mine\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def misspell(path: Path) -> None:
    path.write_bytes(b"\xff\xfe" + path.read_bytes())


def hold_something_else(path: Path) -> None:
    path.write_text('{"cells": 3, "metadata": []}', encoding="utf-8")


def lose_its_version(path: Path) -> None:
    notebook = json.loads(path.read_bytes())
    notebook["metadata"]["cnngen"] = "?"
    path.write_text(json.dumps(notebook), encoding="utf-8")


def lose_a_cell_s_metadata(path: Path) -> None:
    notebook = json.loads(path.read_bytes())
    del notebook["cells"][1]["metadata"]
    path.write_text(json.dumps(notebook), encoding="utf-8")


def lose_its_base(path: Path) -> None:
    shutil.rmtree(path.parent / ".base")
    lesson = path.parents[1] / "notebooks" / path.name
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("One", "One, better"), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [cut, mark, empty, misspell, hold_something_else, lose_a_cell_s_metadata, lose_its_version, lose_its_base],
)
def test_a_copy_that_cannot_be_merged_is_kept_beside_a_new_one(course: Path, damage) -> None:
    copy = course / "desk/01_convolution.ipynb"
    for number, end in enumerate(("_kept", "_kept_2")):
        write(copy, 1, ANSWER)
        damage(copy)
        content = copy.read_bytes() + b"\n" * number
        copy.write_bytes(content)
        told = "".join(desk.lay_out())
        assert f"It is kept as desk/01_convolution{end}.ipynb" in told
        assert (course / f"desk/01_convolution{end}.ipynb").read_bytes() == content
        assert read(copy)[1] == STUB


def test_a_damaged_lesson_is_told_and_the_others_go_on(course: Path) -> None:
    cut(course / "notebooks/01_convolution.ipynb")
    publish(course, "02_data.ipynb", "# Two, better", STUB)
    (told,) = desk.lay_out()
    assert "Not brought up to date: 01. " in told and "git checkout -- " in told
    assert read(course / "desk/01_convolution.ipynb")[1] == ANSWER
    assert read(course / "desk/02_data.ipynb") == ["# Two, better", STUB]


def test_half_a_sign_in_an_output_stops_one_lesson_alone(course: Path) -> None:
    copy = course / "desk/01_convolution.ipynb"
    copy.write_text(copy.read_text(encoding="utf-8").replace('"mine"', '"\\ud83d"'), encoding="utf-8")
    content = copy.read_bytes()
    assert b'"\\ud83d"' in content
    publish(course, "01_convolution.ipynb", "# One, better", STUB, "print(1)")
    publish(course, "02_data.ipynb", "# Two, better", STUB)
    (told,) = desk.lay_out()
    assert "Not brought up to date: 01. " in told and "half a sign" in told
    assert copy.read_bytes() == content and read(course / "desk/02_data.ipynb") == ["# Two, better", STUB]


def fill_disk(monkeypatch, course: Path) -> None:
    """Whatever is written goes to a device that is always full."""
    for name in ("01_convolution", "02_data"):
        (course / f"desk/.{name}.ipynb.half").symlink_to("/dev/full")


def forbid_writing(monkeypatch, course: Path) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(desk.os, "fsync", refuse)
    monkeypatch.setattr(desk.os, "replace", refuse)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(
            fill_disk, "No space left", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
        ),
        (forbid_writing, "Read-only file system"),
    ],
)
def test_where_nothing_can_be_written_nothing_is_lost(course: Path, monkeypatch, trouble, words: str) -> None:
    publish(course, "01_convolution.ipynb", "# One, better", STUB)
    publish(course, "02_data.ipynb", "# Two, better", STUB)
    with monkeypatch.context() as patched:
        trouble(patched, course)
        (told,) = desk.lay_out()
    assert told.startswith("Not brought up to date: 01, 02. What you wrote is as you left it.") and words in told
    assert read(course / "desk/01_convolution.ipynb")[1] == ANSWER
    assert not list((course / "desk").rglob("*.half"))
    assert len(desk.lay_out()) == 1 and read(course / "desk/01_convolution.ipynb") == ["# One, better", ANSWER]


def test_a_desk_that_cannot_be_made_is_told(course: Path) -> None:
    shutil.rmtree(course / "desk")
    (course / "desk").touch()
    _, told = desk.lay_out()
    assert "Not brought up to date: 01, 02." in told and "In the folder desk: " in told


KILLED = """
import os, signal, sys
from pathlib import Path
from tools import desk

root, what, when = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
desk.LESSONS, desk.DESK, desk.BASES = root / "notebooks", root / "desk", root / "desk/.base"
real, calls = getattr(os, what), []

def stop(*arguments):
    calls.append(what)
    if len(calls) == when:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

setattr(os, what, stop)
desk.lay_out()
"""


@pytest.mark.skipif(os.name == "nt", reason="the signal is one of Unix")
@pytest.mark.parametrize("what", ["fsync", "replace"])
@pytest.mark.parametrize("when", range(1, 7))
def test_killed_in_the_middle_it_is_healed_by_the_next_run(course: Path, what: str, when: int) -> None:
    """Six files are written: two new bases, a copy that is merged, one kept aside, one in its place, and a new one."""
    publish(course, "01_convolution.ipynb", "# One, better", STUB)
    lost = course / "desk/02_data.ipynb"
    mark(lost)
    content = lost.read_bytes()
    publish(course, "03_new.ipynb", "# Three", STUB)
    command = [sys.executable, "-c", KILLED, str(course), what, str(when)]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert read(course / "desk/01_convolution.ipynb")[1] == ANSWER
    desk.lay_out()
    assert read(course / "desk/01_convolution.ipynb") == ["# One, better", ANSWER]
    assert (course / "desk/02_data_kept.ipynb").read_bytes() == content and read(lost)[1] == STUB
    assert read(course / "desk/03_new.ipynb")[1] == STUB
    assert not list((course / "desk").rglob("*_kept_2*"))


def test_git_and_the_tests_leave_the_desk_alone() -> None:
    assert "/desk/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_an_update_brings_new_lessons_to_the_desk(monkeypatch) -> None:
    commands = []
    monkeypatch.setattr(tasks, "bring_up_to_date", lambda: commands.append("git"))
    monkeypatch.setattr(tasks, "run", lambda *command, **_: commands.append(command[1:]))
    tasks.update([])
    assert commands == ["git", ("course.py", "setup"), ("-m", "tools.desk")]
    assert update.LESSONS.name == desk.LESSONS.name
