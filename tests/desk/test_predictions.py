"""What a prediction asks for, how it is judged, and what stays of it when the answer is out."""

import math
from pathlib import Path

import ipywidgets as widgets
import pytest
from PIL import Image

from cnngen_course.desk import lesson as desk
from cnngen_course.desk.lesson import Lesson
from cnngen_course.desk.predictions import Number, PredictionPanel, make_question
from cnngen_course.desk.store import VARIABLE, Store

PICTURE = Image.new("RGB", (32, 32), "grey")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def lesson(folder: Path) -> Lesson:
    return Lesson("convolution")


def told(panel: PredictionPanel) -> str:
    return panel.status.value


@pytest.mark.parametrize(
    ("asked", "answer", "truth", "verdict"),
    [
        ({"choices": ("max", "average")}, "max", "max", "right"),
        ({"choices": ("max", "average")}, "max", "average", "wrong"),
        ({"choices": (1, 2, 3)}, 2, 2, "right"),
        ({"low": 0, "high": 100}, 40, 44.9, "right"),
        ({"low": 0, "high": 100}, 40, 54, "near"),
        ({"low": 0, "high": 100}, 40, 56, "wrong"),
        ({"low": 1, "high": 1000, "log": True}, 10, 13, "right"),
        ({"low": 1, "high": 1000, "log": True}, 10, 26, "near"),
        ({"low": 1, "high": 1000, "log": True}, 10, 40, "wrong"),
        ({"low": 1, "high": 1000, "log": True}, 10, 0, "wrong"),
        ({"picture": PICTURE}, (0.5, 0.5), (0.5, 0.58), "right"),
        ({"picture": PICTURE}, (0.5, 0.5), (0.5, 0.3), "near"),
        ({"picture": PICTURE}, (0.5, 0.5), (-0.5, 0.5), "wrong"),
        ({}, "it blurs", "it sharpens", "told"),
    ],
)
def test_an_answer_is_judged(lesson: Lesson, asked: dict, answer: object, truth: object, verdict: str) -> None:
    choices = asked.pop("choices", ())
    lesson.predict("thing", *choices, **asked)
    lesson.answer("thing", answer)
    assert lesson.compare("thing", truth).verdict == verdict
    (kept,) = Store(lesson.store.path.parent).load_predictions("convolution").values()
    assert kept.verdict == verdict


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"choices": ("max", "average")}, widgets.ToggleButtons),
        ({"choices": ("a choice in many words, too long", "another")}, widgets.RadioButtons),
        ({"low": 0, "high": 100}, widgets.IntSlider),
        ({"low": 0.0, "high": 1.0}, widgets.FloatSlider),
        ({"low": 1, "high": 1000, "log": True}, widgets.FloatLogSlider),
        ({}, widgets.Textarea),
    ],
)
def test_the_control_keeps_what_is_chosen(lesson: Lesson, asked: dict, kind: type) -> None:
    choices = asked.pop("choices", ())
    panel = lesson.predict("thing", *choices, **asked)
    assert isinstance(panel.control, kind) and "Noted" not in told(panel)
    panel.control.value = (
        choices[1] if choices else 50 if "high" in asked and asked["high"] > 1 else 0.5 if asked else "x"
    )
    assert "Noted" in told(panel)
    assert Store(lesson.store.path.parent).load_predictions("convolution")["thing"].answer == panel.control.value


def test_a_place_is_pointed_at(lesson: Lesson) -> None:
    panel = lesson.predict("where", picture=PICTURE)
    panel.control.value = (0.25, -0.5)
    assert (
        lesson.compare("where", (0.25, -0.5)).text == "✓ Right: you said (0.25, -0.50). What came out: (0.25, -0.50)."
    )


@pytest.mark.parametrize(
    ("asked", "answer", "sentence"),
    [
        ({"choices": ("MAX", "average")}, "median", "MAX, average"),
        ({"low": 0, "high": 100, "unit": "%"}, "many", "from 0 to 100%"),
        ({"low": 0, "high": 100}, math.nan, "from 0 to 100"),
        ({"picture": PICTURE}, 3, "two numbers"),
        ({}, "  ", "few words"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(
    lesson: Lesson, capsys: pytest.CaptureFixture[str], asked: dict, answer: object, sentence: str
) -> None:
    choices = asked.pop("choices", ())
    lesson.predict("thing", *choices, **asked)
    lesson.answer("thing", answer)
    assert sentence in capsys.readouterr().out
    assert lesson.compare("thing", choices[0] if choices else (0, 0) if "picture" in asked else 5).text.startswith(
        "What"
    )


def test_the_first_answer_stays_once_the_truth_is_out(lesson: Lesson, folder: Path) -> None:
    panel = lesson.predict("pool", "max", "average")
    panel.control.value = "max"
    panel.control.value = "average"
    assert lesson.compare("pool", "max").text == "✗ Different: you said average. What came out: max."
    assert panel.control.disabled
    lesson.answer("pool", "max")
    again = Lesson("convolution")  # the kernel was started anew
    panel = again.predict("pool", "max", "average")
    assert panel.control.disabled and panel.control.value == "average" and "What came out: max" in told(panel)
    assert Store(folder).load_predictions("convolution")["pool"].answer == "average"


def test_an_answer_survives_a_new_kernel(lesson: Lesson) -> None:
    lesson.predict("pool", "max", "average").control.value = "max"
    panel = Lesson("convolution").predict("pool", "max", "average")
    assert panel.control.value == "max" and "Noted: max." in told(panel) and not panel.control.disabled


def test_an_answer_to_what_is_asked_otherwise_now_is_asked_anew(lesson: Lesson) -> None:
    lesson.predict("pool", "max", "average").control.value = "max"
    panel = Lesson("convolution").predict("pool", low=1, high=5)
    assert panel.control.value == 1 and "What do you predict?" in told(panel)


def test_an_answer_to_what_was_asked_otherwise_is_not_judged(lesson: Lesson) -> None:
    """An update may ask for a number under the name that had choices: no cell breaks, no answer is compared."""
    lesson.predict("thing", "max", "average")
    lesson.answer("thing", "max")
    after = Lesson("convolution")
    after.predict("thing", low=0, high=10)
    assert after.compare("thing", 3).text == "What came out: 3."
    in_a_hurry = Lesson("convolution")
    assert in_a_hurry.compare("thing", 3).verdict == "told"
    assert "You made none" in in_a_hurry.look_back().children[0].value


def test_what_came_out_is_told_without_a_prediction(lesson: Lesson) -> None:
    lesson.predict("share", low=0, high=100, unit="%")
    assert lesson.compare("share", 45.678).text == "What came out: 45.7%."
    assert lesson.compare("never asked", 12).text == "What came out: 12."
    assert lesson.compare("never asked", "a shirt").text == "What came out: a shirt."


def test_a_truth_that_was_no_choice_is_an_error_of_the_lesson(lesson: Lesson) -> None:
    lesson.predict("pool", "max", "average")
    with pytest.raises(ValueError, match="max, average"):
        lesson.reveal("pool", "median")


@pytest.mark.parametrize(
    "asked",
    [
        {"choices": ("only one",)},
        {"choices": ("a", "a")},
        {"choices": ("a", "b"), "low": 1, "high": 2},
        {"low": 2, "high": 1},
        {"low": 0, "high": 1, "log": True},
        {"low": 1},
    ],
)
def test_a_question_without_sense_is_refused(asked: dict) -> None:
    with pytest.raises(TypeError):
        make_question(**{"choices": (), "low": None, "high": None, "unit": "", "log": False, "picture": None} | asked)


def test_large_numbers_are_written_in_full() -> None:
    assert Number(1, 1e9).write(157_351_936) == "157,351,936"
    assert Number(0, 1, " s").write(0.123456) == "0.123 s"


def test_a_lesson_looks_back(lesson: Lesson, folder: Path) -> None:
    assert "none of the" in lesson.look_back().children[0].value
    lesson.predict("arches").control.value = "round"
    lesson.compare("arches", "All round.")
    assert "You made 1 of 15 predictions.</p>" in lesson.look_back().children[0].value
    lesson.predict("whiskers", "max", "average").control.value = "max"
    lesson.compare("whiskers", "max")
    lesson.predict("shape", "a <b>", "b").control.value = "a <b>"
    lesson.compare("shape", "b")
    lesson.predict("of an older version", 1, 2).control.value = "1"
    lesson.compare("of an older version", 1)
    table, _, note, _ = lesson.look_back().children
    assert "You made 3 of 15 predictions; 1 of 2 came out as you said." in table.value
    assert "thin whiskers" in table.value, "the question stands beside the answer"
    assert "a &lt;b&gt;" in table.value
    note.value = "That the maximum keeps them."
    assert Lesson("convolution").look_back().children[2].value == "That the maximum keeps them."


def test_without_widgets_the_question_is_plain_text(lesson: Lesson) -> None:
    bundle = lesson.predict("share", low=0, high=100, unit="%")._repr_mimebundle_()
    text = (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"]
    assert text == 'Your prediction: a number from 0 to 100%. Without a control: lesson.answer("share", ...)'


def test_a_disk_that_takes_nothing_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "desk").write_text("a file, not a folder", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "desk"))
    lesson = Lesson("convolution")
    assert "only until the kernel stops" in capsys.readouterr().err
    lesson.predict("whiskers", "max", "average").control.value = "max"
    assert lesson.compare("whiskers", "max").verdict == "right"
    assert not capsys.readouterr().err


def test_nothing_is_kept_where_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    lesson = Lesson("convolution")
    assert lesson.store is None
    lesson.predict("whiskers", "max", "average").control.value = "max"
    assert lesson.compare("whiskers", "average").verdict == "wrong"


def test_pictures_have_their_words(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "load_words", lambda slug: {"cat": "A cat of {age} years."})
    assert lesson.describe("cat", age=3) == "A cat of 3 years."
    with pytest.raises(KeyError, match="no words for the picture 'dog'"):
        lesson.describe("dog")


def test_a_question_is_read_as_words() -> None:
    (weights,) = [asked for asked in desk.load_questions("style").values() if "weights belong to one style" in asked]
    assert not any(mark in weights for mark in ("<!--", "*", "`")), weights


def test_after_a_restart_a_question_is_read_from_the_lesson(lesson: Lesson) -> None:
    lesson.predict("whiskers", "max", "average", "both", "neither").control.value = "max"
    lesson.predict("loop_slower", low=1, high=100_000, unit=" times", log=True).control.value = 10.0
    again = Lesson("convolution")  # none of its cells that ask was run
    assert again.compare("whiskers", "average").verdict == "wrong"
    assert again.compare("loop_slower", 1000.0).text == "✗ Different: you said 10 times. What came out: 1,000 times."
    with pytest.raises(ValueError, match="max"):
        again.compare("whiskers", "median")


def test_nothing_is_predicted_once_it_is_told(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    panel = lesson.predict("whiskers", "max", "average")
    lesson.compare("whiskers", "max")
    assert panel.control.disabled and "What came out: max" in told(panel)
    lesson.answer("whiskers", "max")
    assert "told already" in capsys.readouterr().out
    assert "whiskers" not in Store(lesson.store.path.parent).load_predictions("convolution")


def test_a_training_that_went_wrong_is_told_and_judges_nothing(lesson: Lesson) -> None:
    lesson.predict("share", low=0, high=100, unit="%").control.value = 40
    told = lesson.compare("share", math.nan)
    assert told.text.startswith("What came out is no number: nan.") and told.verdict == "told"
    assert lesson.compare("share", 41).verdict == "right"
