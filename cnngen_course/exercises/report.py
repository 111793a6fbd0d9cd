"""What every exercise has in common: it says "right", "not yet, because ..." or "not started".

A lesson's exercises are a ``Sheet``. Each check is an ordinary function that returns None if the answer is
right, and otherwise the sentence that helps; whatever a learner's answer does, no traceback reaches them.
"""

import html
import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from IPython.display import Code, display
from torch import Tensor

Check = Callable[[Any], str | None]


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and the words its sentence must hold; the tests try each."""

    answer: Any
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: its check, its three hints from gentle to plain, its solution and typical mistakes.

    The solution is the answer itself where a function is asked for; where a value is asked for
    (``solution_gives_answer``), it is a function without parameters that returns the value.
    """

    name: str
    check: Check
    hints: tuple[str, str, str]
    solution: Callable[..., Any]
    mistakes: tuple[Mistake, ...]
    solution_gives_answer: bool = False


@dataclass(frozen=True)
class Report:
    """The answer to an answer: ``status`` is "right", "not yet" or "not started"."""

    status: str
    sentence: str

    def __str__(self) -> str:
        sign = {"right": "✓", "not yet": "✗", "not started": "○"}[self.status]
        return f"{sign} {self.status.capitalize()}: {self.sentence}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = {"right": "#009E73", "not yet": "#D55E00", "not started": "#777777"}[self.status]
        style = f"border-left: 4px solid {colour}; padding: 0.3em 0.8em"
        return f'<div role="status" style="{style}">{html.escape(str(self))}</div>'


class Sheet:
    """The exercises of one lesson, by name."""

    def __init__(self, *exercises: Exercise) -> None:
        self.exercises = {exercise.name: exercise for exercise in exercises}
        self._hints_given = dict.fromkeys(self.exercises, 0)

    def check(self, name: str, answer: Any) -> Report:
        """Judge an answer; never raises for what the answer is or does."""
        exercise = self._find(name)
        if answer is ... or is_untouched(answer):
            return not_started(name)
        try:
            problem = exercise.check(answer)
        except NotStarted:
            return not_started(name)
        except Exception as error:  # the learner's own code may raise anything
            return Report("not yet", f"your answer stopped with {type(error).__name__}: {error}")
        return Report("not yet", problem) if problem else Report("right", "well done.")

    def hint(self, name: str) -> None:
        """Print the next hint of an exercise: there are three, each plainer than the last."""
        exercise = self._find(name)
        given = min(self._hints_given[name], 2)
        self._hints_given[name] += 1
        print(textwrap.fill(f"Hint {given + 1} of 3: {exercise.hints[given]}", 100))

    def show_solution(self, name: str) -> None:
        """Display the source of the solution, the same code that the tests run."""
        display(Code(inspect.getsource(self._find(name).solution), language="python"))

    def _find(self, name: str) -> Exercise:
        if name not in self.exercises:
            raise KeyError(f"no exercise {name!r} in this lesson; there are: {', '.join(self.exercises)}")
        return self.exercises[name]


class NotStarted(Exception):
    """The stub's ``...`` came back from a function."""


def not_started(name: str) -> Report:
    return Report("not started", f'replace the ... and run the cell again; exercise.hint("{name}") helps.')


def _stub() -> None: ...


def is_untouched(answer: Any) -> bool:
    """Return whether a function's body is still nothing but ``...`` (after a docstring, if it has one)."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    same_operations = code.co_code[::2] == _stub.__code__.co_code[::2]  # every other byte is an argument
    return same_operations and set(code.co_consts) <= {None, answer.__doc__}


def call(function: Any, *arguments: Any) -> Any:
    """Call the learner's function; the stub's ``...`` coming back means that it is not started."""
    if not callable(function):
        raise TypeError(f"a function is asked for, got {type(function).__name__}")
    result = function(*arguments)
    if result is ...:
        raise NotStarted
    return result


def explain_number(got: Any, wanted: float, what: str, tolerance: float = 1e-4) -> str | None:
    """Return None if ``got`` is the wanted number, else a sentence about what is different."""
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if got is None:
        return f"{what} is None. Did you forget to return it?"
    if isinstance(got, bool) or not isinstance(got, int | float):
        return f"{what} should be a number, got {type(got).__name__}."
    if not math.isfinite(got):
        return f"{what} is {got}, not a finite number."
    if isinstance(wanted, int) and isinstance(got, float) and got == wanted:
        return f"{what} should be a whole number (int), got {got}: divide with // instead of /."
    if abs(got - wanted) > tolerance * max(1, abs(wanted)):
        return f"{what} should be {wanted:g}, got {got:g}."
    return None


def explain_tensor(got: Any, wanted: Tensor, what: str, tolerance: float = 1e-4) -> str | None:
    """Return None if ``got`` equals the wanted tensor, else a sentence about the first thing that is different."""
    if got is None:
        return f"{what} is None. Did you forget to return it?"
    if not isinstance(got, Tensor):
        return f"{what} should be a tensor, got {type(got).__name__}."
    if got.shape != wanted.shape:
        return f"{what} should have shape {tuple(wanted.shape)}, got {tuple(got.shape)}."
    if not torch.isfinite(got).all():
        return f"{what} holds values that are not numbers (NaN or infinity)."
    worst = (got.double() - wanted.double()).abs().max().item()
    if worst > tolerance:
        return f"{what} has the right shape but other values: one is off by {worst:.3g}."
    return None
