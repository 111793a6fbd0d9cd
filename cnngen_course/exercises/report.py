"""What every exercise has in common: it says "right", "not yet, because ..." or "not started".

A lesson's exercises are a ``Sheet``. Each check is an ordinary function that returns None if the answer is
right, and otherwise the sentence that helps; whatever a learner's answer does, no traceback reaches them.
"""

import copy
import html
import inspect
import math
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from IPython.display import Code, display
from torch import Tensor

from cnngen_course.desk.store import Store, StoreError, find_folder, tell_once
from cnngen_course.exercises.guard import TimeUp, keep_dice, keep_kernel, limit_time
from cnngen_course.exercises.solutions import write_solution

Check = Callable[[Any], str | None]
MOST_SECONDS = 20.0  # for one call of an answer; the slowest right one takes half a second
LONGEST_CHECK = 200.0  # all calls, and what the check itself loads and computes, also on a slow machine


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and the words its sentence must hold; the tests try each."""

    answer: Any
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: its check, its three hints from gentle to plain, its solution and typical mistakes.

    The name is that of the notebook's stub. The solution is the answer itself where a function is asked for; where
    a value is asked for (``solution_gives_answer``), it is a function without parameters that returns the value.
    ``explain`` writes comment lines that stand above the solution when it is shown.
    """

    name: str
    check: Check
    hints: tuple[str, str, str]
    solution: Callable[..., Any]
    mistakes: tuple[Mistake, ...]
    solution_gives_answer: bool = False
    explain: Callable[[], list[str]] = list


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
    """The exercises of one lesson, by name. Reports and hints are kept in the learner's store, under that lesson."""

    def __init__(self, *exercises: Exercise) -> None:
        self.exercises = {exercise.name: exercise for exercise in exercises}
        self.lesson = exercises[0].solution.__module__.rpartition(".")[2]
        self._hints_given = dict.fromkeys(self.exercises, 0)

    def check(self, name: str, answer: Any) -> Report:
        """Judge an answer; whatever it is or does, nothing is raised, and the random numbers go on as without it.

        Raises:
            KeyError: no exercise has this name.
        """
        report = self._judge(self._find(name), answer)
        self._keep(lambda store: store.answer(self.lesson, name, report.status))
        return report

    def _judge(self, exercise: Exercise, answer: Any) -> Report:
        try:
            with keep_dice(), keep_kernel(), limit_time(LONGEST_CHECK):
                return judge(exercise, answer)
        except TimeUp:
            return Report("not yet", "your answer took too long, and was stopped. Does each loop come to its end?")
        except KeyboardInterrupt:
            return Report("not yet", "you stopped the check before your answer had come to its end.")
        except BaseException as error:  # the learner's own code may raise anything, SystemExit among it
            inside = any(frame.f_code is call.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))
            what = "your answer stopped with" if inside else "the check can't use what your answer returns:"
            return Report("not yet", f"{what} {describe(error)}")

    def hint(self, name: str) -> None:
        """Print the next hint of an exercise: there are three, each plainer than the last."""
        exercise = self._find(name)
        before = self._hints_given[name]
        given = min(before, 2)
        self._hints_given[name] += 1
        self._keep(lambda store: store.hint(self.lesson, name, given + 1))
        print(textwrap.fill(f"Hint {given + 1} of 3: {exercise.hints[given]}", 100))
        if before > given:
            print(f'That is the last hint. exercise.show_solution("{name}") shows a solution.')

    def show_solution(self, name: str) -> None:
        """Display the solution as code that can be pasted: what the tests run, with the imports that it needs."""
        solution = Code(self.write_solution(name), language="python")
        self._keep(lambda store: store.hint(self.lesson, name, 4))
        display(solution)

    def write_solution(self, name: str) -> str:
        """Return what ``show_solution`` displays."""
        exercise = self._find(name)
        code = write_solution(exercise.solution, name, exercise.solution_gives_answer)
        return "\n".join([*(f"# {line}" for line in exercise.explain()), code])

    def _keep(self, do: Callable[[Store], None]) -> None:
        """Do what needs the learner's store, where there is one; what cannot be kept is said once."""
        if folder := find_folder():
            try:
                do(Store(folder))
            except StoreError as error:
                tell_once(error)

    def _find(self, name: str) -> Exercise:
        if name not in self.exercises:
            raise KeyError(f"no exercise {name!r} in this lesson; there are: {', '.join(self.exercises)}")
        return self.exercises[name]


class NotStarted(Exception):
    """The stub's ``...`` is there still, or came back from a function."""


def judge(exercise: Exercise, answer: Any) -> Report:
    """Return the report of a check; what the answer raises passes through."""
    try:
        if answer is ... or is_untouched(answer):
            raise NotStarted
        if not (callable(answer) or exercise.solution_gives_answer):
            return Report("not yet", f"a function is asked for, got {name_type(answer)}.")
        problem = exercise.check(answer)
    except NotStarted:
        return not_started(exercise.name, answer)
    return Report("not yet", problem) if problem else Report("right", "well done.")


def describe(error: BaseException) -> str:
    """Return an error in one line; its own text may fail, too."""
    name = type(error).__name__
    if isinstance(error, SystemExit):
        return f"{name}: to leave a function, use return."
    try:
        with limit_time(1.0):
            text = textwrap.shorten(str(error), 300)
    except BaseException:
        text = "(and its message can't be read)"
    return f"{name}: {text}" if text else f"{name}."


def not_started(name: str, answer: Any) -> Report:
    try:
        is_stub = "..." in inspect.getsource(answer)
    except (TypeError, OSError):  # no function, or one without a file or cell
        is_stub = True
    task = "replace the ..." if is_stub else "your function does nothing yet; write its body"
    return Report("not started", f'{task} and run the cell again; exercise.hint("{name}") helps.')


def _stub() -> None: ...


def is_untouched(answer: Any) -> bool:
    """Return whether a function's body, but for a docstring, is ``...``; ``pass`` and ``return None`` look the same."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    same_operations = code.co_code[::2] == _stub.__code__.co_code[::2]  # every other byte is an argument
    return same_operations and set(code.co_consts) <= {None, answer.__doc__}


def call(function: Any, *arguments: Any, as_given: bool = False) -> Any:
    """Call the learner's function with copies of the arguments, and return its answer in plain types.

    Args:
        function: the learner's answer.
        arguments: tensors and collections are copied, so that a change in place stays without effect here;
            networks, optimizers and functions are handed over themselves.
        as_given: hand over tensors themselves, to see whether they are changed.

    Raises:
        NotStarted: the stub's ``...`` came back.
        TimeUp: it took longer than ``MOST_SECONDS``.
    """
    given = arguments if as_given else [duplicate(argument) for argument in arguments]
    with limit_time(MOST_SECONDS):
        result = function(*given)
    if result is ... or (type(result) in (tuple, list) and result and all(part is ... for part in result)):
        raise NotStarted
    return simplify(result)


def call_for_tensor(function: Any, *arguments: Any) -> Any:
    """Do the same as ``call`` where a tensor is asked for: lists of numbers become tensors, float64 becomes float32."""
    result = to_tensor(call(function, *arguments))
    return result.float() if isinstance(result, Tensor) and result.dtype == torch.float64 else result


def call_for_list(function: Any, *arguments: Any) -> Any:
    """Do the same as ``call`` where several numbers are asked for: a tensor of them becomes a list."""
    result = call(function, *arguments)
    return result.tolist() if isinstance(result, Tensor) else result


def duplicate(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        return argument.clone()
    return copy.deepcopy(argument) if isinstance(argument, tuple | list | dict) else argument


def simplify(result: Any) -> Any:
    """Return NumPy's numbers and tensors without dimensions as Python's numbers, arrays as tensors, also in lists."""
    if isinstance(result, np.ndarray) and result.ndim and result.dtype.kind in "biuf":
        return torch.from_numpy(result.copy())
    if isinstance(result, np.generic) or (isinstance(result, np.ndarray | Tensor) and result.ndim == 0):
        return result.item()
    if type(result) in (tuple, list):
        return type(result)(simplify(part) for part in result)
    if type(result) is dict:
        return {simplify(name): simplify(value) for name, value in result.items()}
    return result


def explain_number(got: Any, wanted: float, what: str, tolerance: float = 1e-4) -> str | None:
    """Return None if ``got`` is the wanted number, else a sentence about what is different."""
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if got is None:
        return f"{what} is None. Did you forget to return it?"
    if isinstance(got, bool) or not isinstance(got, Real):
        return f"{what} should be a number, got {name_type(got)}."
    number = float(got)
    if not math.isfinite(number):
        return f"{what} is {number}, not a finite number."
    if isinstance(wanted, int) and not isinstance(got, int) and got == wanted:
        return f"{what} should be a whole number (int), got {got}. {WHOLE}"
    if isinstance(wanted, int) and isinstance(got, int):
        return None if got == wanted else f"{what} should be {wanted}, got {got}."
    if abs(number - wanted) > tolerance * max(1, abs(wanted)):
        return f"{what} should be {wanted:g}, got {number:g}."
    return None


WHOLE = "A division with / gives a float, also where nothing is left over; // between ints, or int(), gives an int."


def explain_tensor(got: Any, wanted: Tensor, what: str, tolerance: float = 1e-4) -> str | None:
    """Return None if ``got`` equals the wanted tensor, else a sentence about the first thing that is different.

    A list of numbers counts as a tensor.
    """
    if got is None:
        return f"{what} is None. Did you forget to return it?"
    got = to_tensor(got)
    if not isinstance(got, Tensor):
        advice = " torch.stack makes one tensor of a list of them." if is_list_of_tensors(got) else ""
        return f"{what} should be a tensor, got {name_type(got)}.{advice}"
    if got.shape != wanted.shape:
        return f"{what} should have shape {tuple(wanted.shape)}, got {tuple(got.shape)}."
    if got.is_complex():
        return f"{what} should hold real numbers, got {got.dtype}."
    if not torch.isfinite(got).all():
        return f"{what} holds values that are not numbers (NaN or infinity)."
    worst = (got.double() - wanted.double()).abs().max().item()
    if worst > tolerance:
        return f"{what} has the right shape but other values: one is off by {worst:.3g}."
    return None


def to_tensor(got: Any) -> Any:
    """Return a number, or a list of numbers or of rows of numbers, as a tensor; anything else as it is."""
    if isinstance(got, bool | int | float) or (type(got) in (tuple, list) and got and not is_list_of_tensors(got)):
        try:
            return torch.tensor(got)
        except (ValueError, TypeError, RuntimeError):  # rows of different lengths, or no numbers at all
            return got
    return got


def is_list_of_tensors(got: Any) -> bool:
    return isinstance(got, tuple | list) and bool(got) and any(isinstance(part, Tensor) for part in got)


def name_type(got: Any) -> str:
    """Return what a thing is, with the shape where it has one: "Tensor of shape (2, 3)"."""
    return f"{type(got).__name__} of shape {tuple(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
