"""Every exercise of every lesson: its solution is right, its stub not started, each mistake named, garbage survived."""

import importlib
import math
import pkgutil
import random
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnngen_course import exercises
from cnngen_course.exercises.report import Exercise, Report, Sheet

FRAME = {"report", "guard", "solutions"}
MODULES = [module.name for module in pkgutil.iter_modules(exercises.__path__) if module.name not in FRAME]


def load_sheet(name: str) -> Sheet:
    return importlib.import_module(f"cnngen_course.exercises.{name}").SHEET


ALL = [
    pytest.param(load_sheet(name), e, id=f"{name}.{e.name}")
    for name in MODULES
    for e in load_sheet(name).exercises.values()
]


def explode(*_: object) -> None:
    raise RuntimeError("a learner's bug")


def loop(*_: object) -> None:
    while True:
        pass


def give_up(*_: object) -> None:
    sys.exit("a learner has had enough")


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even its message can be read")


class Endless(Exception):
    def __str__(self) -> str:
        while True:
            pass


def throw(error: BaseException) -> Callable[..., None]:
    def answer(*_: object) -> None:
        raise error

    return answer


GARBAGE = {
    "nothing": None,
    "text": "forty-two",
    "number": 41.5,
    "nan": float("nan"),
    "wrong shape": torch.zeros(7, 3, 2),
    "nan tensor": torch.full((3, 3), torch.nan),
    "list": [],
    "class": dict,
    "returns nothing": lambda *_: print(end=""),  # a bare None would be the same code as the stub
    "returns text": lambda *_: "text",
    "returns nan": lambda *_: torch.tensor(float("nan")),
    "raises": explode,
    "too few parameters": lambda: 1,
    "never ends": loop,
    "exits": give_up,
    "raises GeneratorExit": throw(GeneratorExit()),
    "raises KeyboardInterrupt": throw(KeyboardInterrupt()),
    "raises what can't be read": throw(Unreadable()),
}


def do_nothing() -> None:
    pass


def return_nothing() -> None:
    return None


def stub() -> None: ...


@pytest.mark.parametrize(
    ("answer", "words"), [(do_nothing, "does nothing"), (return_nothing, "does nothing"), (stub, "replace the ...")]
)
def test_what_is_not_started_is_told_what_to_replace(answer: Callable[[], None], words: str) -> None:
    report = Sheet(Exercise("task", lambda answer: None, ("", "", ""), stub, ())).check("task", answer)
    assert report.status == "not started" and words in report.sentence
    assert ("..." in report.sentence) == ("..." in words)


def test_there_are_lessons() -> None:
    assert len(MODULES) >= 5


@pytest.mark.parametrize("name", MODULES)
def test_a_lesson_has_enough_exercises(name: str) -> None:
    module = importlib.import_module(f"cnngen_course.exercises.{name}")
    assert len(module.SHEET.exercises) >= (1 if name == "start_here" else 3)
    assert module.check == module.SHEET.check
    for exercise in module.SHEET.exercises.values():
        assert exercise.check.__doc__, f"what does the check of {exercise.name} judge?"


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
def test_the_solution_is_right(sheet: Sheet, exercise: Exercise) -> None:
    answer = exercise.solution() if exercise.solution_gives_answer else exercise.solution
    dice = torch.get_rng_state(), str(np.random.get_state()), random.getstate()
    report = sheet.check(exercise.name, answer)
    assert report.status == "right", report
    assert torch.equal(torch.get_rng_state(), dice[0])
    assert (str(np.random.get_state()), random.getstate()) == dice[1:]


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
@pytest.mark.parametrize("stub", [..., lambda *_: ...], ids=["value", "function"])
def test_the_stub_is_not_started(sheet: Sheet, exercise: Exercise, stub: object) -> None:
    report = sheet.check(exercise.name, stub)
    if callable(stub) and exercise.solution_gives_answer:  # a function where a value is asked for
        assert report.status in ("not started", "not yet")
    else:
        assert report.status == "not started"


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
def test_each_mistake_gets_its_own_sentence(sheet: Sheet, exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 3
    sentences = []
    for mistake in exercise.mistakes:
        report = sheet.check(exercise.name, mistake.answer)
        assert report.status == "not yet", mistake
        assert mistake.sentence in report.sentence, report
        sentences.append(report.sentence)
    assert len(set(sentences)) == len(sentences), "two mistakes share a sentence"


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_survived(
    sheet: Sheet, exercise: Exercise, garbage: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    if garbage is loop:
        monkeypatch.setattr("cnngen_course.exercises.report.MOST_SECONDS", 0.1)
    report = sheet.check(exercise.name, garbage)
    assert report.status == "not yet", report
    assert 10 < len(report.sentence) < 500


class Hostile:
    """What fails whatever is asked of it."""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    def __eq__(self, other: object) -> bool:
        raise SystemExit

    def __bool__(self) -> bool:
        raise GeneratorExit


ODD = (
    True, np.bool_(True), 1 + 2j, 10**400, math.inf, -1, b"bytes", "", {}, {1, 2}, int, iter([1]), Hostile(),
    [math.nan] * 3, [[1, 2], [3]], (None, None), (None, None, None), (..., 1), [torch.ones(2), torch.ones(3)],
    np.array(["a", "b"]), np.array([None, 1], dtype=object), np.array(3.0), np.datetime64("2020-01-01"),
    torch.zeros(0), torch.ones(3, 3, dtype=torch.complex64), torch.ones(3, 3, dtype=torch.bool),
    torch.ones(3, 3).half(), torch.eye(3).to_sparse(), torch.empty(3, device="meta"), torch.nn.Linear(3, 3),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("sheet", "exercise"), ALL)
def test_odd_answers_are_survived(sheet: Sheet, exercise: Exercise) -> None:
    for place, value in enumerate(ODD):
        for answer in (value, lambda *_, value=value: value):
            report = sheet.check(exercise.name, answer)
            assert report.status == "not yet", place
            assert 10 < len(report.sentence) < 600, place


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
def test_hints_come_one_after_the_other(sheet: Sheet, exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = Sheet(exercise)
    for _ in range(4):
        fresh.hint(exercise.name)
    shown = [block for block in capsys.readouterr().out.split("Hint ") if block]
    assert [block[0] for block in shown] == ["1", "2", "3", "3"]
    last = f'That is the last hint. exercise.show_solution("{exercise.name}") shows a solution.\n'
    assert len(set(shown)) == 4 and shown[3] == shown[2] + last


def test_an_unknown_exercise_is_named() -> None:
    with pytest.raises(KeyError, match="there are: output_size"):
        load_sheet("convolution").check("outputsize", 1)


def test_a_report_is_readable_as_text_and_html() -> None:
    report = Report("not yet", "is 1 < 2?")
    assert str(report) == "✗ Not yet: is 1 < 2?"
    assert "1 &lt; 2" in report._repr_html_()
