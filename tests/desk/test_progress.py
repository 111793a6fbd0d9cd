"""The progress page: what it counts, where it sends a learner, and that ``cnngen progress`` deletes what it says."""

import html.parser
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnngen_course.__main__ import main
from cnngen_course.desk import progress as module
from cnngen_course.desk.outline import find_names, list_lessons, read_cells
from cnngen_course.desk.progress import LessonProgress, ProgressPage, describe_time, progress
from cnngen_course.desk.store import VARIABLE, Prediction, Progress, Store


@pytest.fixture
def store(monkeypatch, tmp_path: Path) -> Store:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return Store(tmp_path)


def make(slug: str, right: int = 0, moment: float = 0.0, section: str | None = None, **done: object) -> LessonProgress:
    names = ("one", "two")
    kept = Progress(slug, frozenset(names[:right]), moment=moment, section=section, **done)
    return LessonProgress(slug, f"{slug}.ipynb", slug.upper(), names, ("guess", "bet"), kept)


@pytest.mark.parametrize(
    ("lessons", "expected"),
    [
        ([make("a"), make("b"), make("c")], ("a", "")),
        ([make("a", 2), make("b"), make("c")], ("b", "")),
        ([make("a", 2, 5.0, ""), make("b"), make("c")], ("b", "")),
        ([make("a", 2, 9.0, ""), make("b", 0, 5.0, "Two"), make("c")], ("b", "Two")),
        ([make("a", 0, 9.0, ""), make("b", 1, 5.0, "Two"), make("c", 0, 6.0, "Three")], ("c", "Three")),
        ([make("a", 0, 9.0, ""), make("b"), make("c", 2, 6.0, "Three")], ("a", "")),
        ([make("a", 2, 9.0, ""), make("b", 2, 6.0, "Two"), make("c", 1, 5.0, "Three")], ("c", "Three")),
        ([make("a", 2, 9.0, ""), make("b", 2, 6.0, "Two"), make("c", 2, 5.0, "Three")], None),
    ],
)
def test_where_to_go_on(lessons: list[LessonProgress], expected: tuple | None) -> None:
    found = ProgressPage(tuple(lessons)).find_next()
    assert (found and (found[0].slug, found[1])) == expected


def test_predictions_count_if_they_can_be_right_and_are_known() -> None:
    made = (
        *(Prediction("a", name, 1, 2, verdict) for name, verdict in (("guess", "near"), ("bet", "wrong"))),
        *(Prediction("a", "gone", 1, 1, "right"), Prediction("a", "bet", 1), Prediction("a", "bet", "w", "w", "told")),
    )
    assert make("a", predictions=made).came_out == (1, 2)


def test_every_exercise_that_a_lesson_has_is_counted() -> None:
    for slug in list_lessons():
        sheet = importlib.import_module(f"cnngen_course.exercises.{slug}").SHEET
        assert set(find_names(slug, "exercise.check")) == set(sheet.exercises) and sheet.lesson == slug


def test_hints_in_comments_are_no_calls() -> None:
    assert any("# exercise.hint(" in cell.source for cell in read_cells("gan")) and not find_names(
        "gan", "exercise.hint"
    )


def test_the_page_says_what_was_done(store: Store) -> None:
    assert str(progress()) == module.NOTHING and module.NOTHING in progress()._repr_html_()
    for name in ("discriminator_loss", "generator_loss", "an exercise that is gone"):
        store.answer("gan", name, "right")
    store.work("gan", 4000, "The loop, in full")
    store.work("start_here", 65, "")
    text = str(progress())
    assert "00 · " in text and "2 of 5" in text and "1 h 07 min" in text and "02 · " not in text
    assert text.endswith("Go on: 07 · Two networks play a game, section “The loop, in full”")
    assert "0 of 19 lessons finished, 2 of 60 exercises right, 1 h 08 min at work." in text
    page = progress()._repr_html_()
    assert '<a href="07_gan.ipynb">07 · Two networks play a game</a>' in page
    parser = html.parser.HTMLParser()
    parser.feed(page)
    assert page.count("<tr") == page.count("</tr>") == 3 and "width: 40%" in page


def test_trouble_is_told_in_words(store: Store, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "a file"))
    assert str(progress()).startswith("Your progress cannot be read: ")
    monkeypatch.setenv(VARIABLE, "off")
    assert str(progress()) == module.OFF


def test_times_are_read_easily() -> None:
    assert [describe_time(s) for s in (0, 89, 3599, 3601, 36000)] == [
        "0 min",
        "1 min",
        "1 h 00 min",
        "1 h 00 min",
        "10 h 00 min",
    ]


def test_the_command_prints_and_deletes(store: Store, monkeypatch, capsys) -> None:
    assert main(["progress", "--delete"]) == 0 and "nothing to delete" in capsys.readouterr().out
    store.work("gan", 60, "The game")
    assert main(["progress"]) == 0 and "Go on: 07" in capsys.readouterr().out
    for answer in ("", "n", "yes please"):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert main(["progress", "--delete"]) == 1 and store.path.exists()
    monkeypatch.setattr("builtins.input", lambda question: (_ for _ in ()).throw(EOFError))
    assert main(["progress", "--delete"]) == 1 and store.path.exists()
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert main(["progress", "--delete"]) == 0 and not store.path.exists()
    store.work("gan", 60)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("--yes asks nothing"))
    assert main(["progress", "--delete", "--yes"]) == 0 and not store.path.exists()
    aside = store.path.with_name("progress_damaged_1.sqlite3")
    aside.write_bytes(b"damaged, and nothing was done since")
    assert main(["progress", "--delete", "--yes"]) == 0 and not aside.exists()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp936"])
def test_the_command_speaks_on_every_terminal(store: Store, tmp_path: Path, encoding: str) -> None:
    folder = tmp_path / "课 1"
    Store(folder).work("gan", 60, "The loop, in full")
    variables = os.environ | {"PYTHONIOENCODING": encoding, VARIABLE: str(folder)}
    command = [sys.executable, "-m", "cnngen_course", "progress"]
    shown = subprocess.run(command, env=variables, capture_output=True, encoding=encoding)
    assert "Two networks play a game" in shown.stdout and "\\u" not in shown.stdout, shown.stderr
    asked = subprocess.run([*command, "--delete"], env=variables, capture_output=True, input="y\n", encoding=encoding)
    assert asked.returncode == 0 and "Deleted." in asked.stdout, asked.stderr
