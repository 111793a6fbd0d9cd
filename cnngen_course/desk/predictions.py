"""A prediction: a control to answer with before a cell is run, and the sentence that compares it with what came out."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from cnngen_course.explorers.pad import XYPad
from cnngen_course.explorers.panel import KeyGuard, Shown
from cnngen_course.images import encode_jpeg

RIGHT, NEAR = 0.05, 0.15  # of the range that was offered, or of the picture's side
COLOURS = {"right": "#009E73", "near": "#0072B2", "wrong": "#D55E00", "told": "#777777"}
LONG = 24  # characters; longer choices stand one below the other


@dataclass(frozen=True)
class Choices:
    """One of several answers."""

    choices: tuple[str, ...]

    def make_control(self) -> widgets.Widget:
        if max(map(len, self.choices)) > LONG:
            return widgets.RadioButtons(options=self.choices, value=None, layout=widgets.Layout(width="auto"))
        return widgets.ToggleButtons(options=self.choices, value=None, style={"button_width": "auto"})

    def read(self, answer: Any) -> str:
        """Return the answer as it is kept.

        Raises:
            ValueError: it is none of the choices.
        """
        if str(answer) not in self.choices:
            raise ValueError(f"choose one of: {', '.join(self.choices)}")
        return str(answer)

    def judge(self, answer: Any, truth: Any) -> str:
        return "right" if answer == self.read(truth) else "wrong"

    def write(self, answer: Any) -> str:
        return answer

    def ask(self) -> str:
        return " · ".join(self.choices)


@dataclass(frozen=True)
class Number:
    """A number between two others; where ``log`` is set, a factor counts and not a difference."""

    low: float
    high: float
    unit: str = ""
    log: bool = False

    def make_control(self) -> widgets.Widget:
        layout = widgets.Layout(width="30em", max_width="calc(100% - 4px)")
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            return widgets.FloatLogSlider(self.low, min=low, max=high, step=(high - low) / 100, layout=layout)
        whole = all(isinstance(end, int) for end in (self.low, self.high)) and self.high - self.low >= 10
        if whole:
            return widgets.IntSlider(self.low, self.low, self.high, layout=layout)
        step = (self.high - self.low) / 100
        return widgets.FloatSlider(self.low, min=self.low, max=self.high, step=step, layout=layout)

    def read(self, answer: Any) -> float:
        """Return the answer as it is kept.

        Raises:
            ValueError: it is no number, or not finite.
        """
        try:
            number = float(answer)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"what is asked for is {self.ask()}")
        return number

    def judge(self, answer: Any, truth: Any) -> str:
        if self.log:
            if min(answer, truth) <= 0:
                return "wrong"
            off = abs(math.log(answer / truth) / math.log(self.high / self.low))
        else:
            off = abs(answer - truth) / (self.high - self.low)
        return "right" if off <= RIGHT else "near" if off <= NEAR else "wrong"

    def write(self, answer: Any) -> str:
        number = f"{answer:,.0f}" if abs(answer) >= 1000 else f"{answer:.3g}"
        return f"{number}{self.unit}"

    def ask(self) -> str:
        return f"a number from {self.low:,g} to {self.write(self.high)}"


@dataclass(frozen=True)
class Place:
    """A place in a picture: ``(x, y)``, each from -1 to 1, y upwards."""

    background: bytes

    def make_control(self) -> widgets.Widget:
        return XYPad(description="the place that you mean", background=self.background)

    def read(self, answer: Any) -> list[float]:
        """Return the answer as it is kept.

        Raises:
            ValueError: it is not two finite numbers.
        """
        try:
            x, y = map(float, answer)
        except (TypeError, ValueError):
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError("a place is two numbers from -1 to 1: across and upwards")
        return [x, y]

    def judge(self, answer: Any, truth: Any) -> str:
        off = math.dist(answer, truth) / 2
        return "right" if off <= RIGHT else "near" if off <= NEAR else "wrong"

    def write(self, answer: Any) -> str:
        x, y = answer
        return f"({x:.2f}, {y:.2f})"

    def ask(self) -> str:
        return "a place in the picture"


@dataclass(frozen=True)
class Words:
    """An answer in the learner's own words; there is no right or wrong."""

    def make_control(self) -> widgets.Widget:
        layout = widgets.Layout(width="40em", max_width="calc(100% - 4px)")
        return widgets.Textarea(placeholder="in your words", continuous_update=False, layout=layout)

    def read(self, answer: Any) -> str:
        """Return the answer as it is kept.

        Raises:
            ValueError: there are no words in it.
        """
        if not str(answer).strip():
            raise ValueError("a few words are asked for")
        return str(answer).strip()[:2000]

    def judge(self, answer: Any, truth: Any) -> str:
        return "told"

    def write(self, answer: Any) -> str:
        return f"“{answer}”"

    def ask(self) -> str:
        return "your words"


Question = Choices | Number | Place | Words


def make_question(
    choices: Sequence[Any],
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    log: bool = False,
    picture: Any = None,
) -> Question:
    """Return what ``Lesson.predict`` asks for, of which only one kind may be given.

    Raises:
        TypeError: several kinds at once, a single choice, the same choice twice, or a range without an order.
    """
    kinds = [bool(choices), low is not None or high is not None, picture is not None]
    if sum(kinds) > 1:
        raise TypeError("ask for one of several choices, for a number or for a place, not for two of these at once")
    if choices:
        texts = tuple(map(str, choices))
        if len(set(texts)) < max(2, len(texts)):
            raise TypeError(f"several choices are needed, each once, got {texts}")
        return Choices(texts)
    if kinds[1]:
        if low is None or high is None or not low < high or (log and low <= 0):
            raise TypeError(f"a number needs low < high, and low > 0 where log is set; got {low} and {high}")
        return Number(low, high, unit, log)
    return Words() if picture is None else Place(encode_jpeg(picture.convert("RGB")))


class PredictionPanel(Shown, widgets.VBox):
    """The control that a prediction is made with. ``keep`` takes an answer, and returns what to say about it."""

    def __init__(
        self, name: str, question: Question, keep: Callable[[Any], str], answer: Any = None, told: str = ""
    ) -> None:
        self.name = name
        self.question = question
        self.control = question.make_control()
        self.status = widgets.HTML()
        self.control.add_class("cnngen-prediction")
        if answer is not None:
            self.control.value = tuple(answer) if isinstance(question, Place) else answer
        choose = f"Choose {question.ask()}, then" if isinstance(question, Number) else "Then"
        self.say(told or f"What do you predict? {choose} run the next cell.")
        self.control.observe(lambda change: self.say(keep(change["new"])), "value")
        super().__init__([self.control, self.status, KeyGuard()])
        self.add_class("cnngen-panel")

    def say(self, text: str) -> None:
        self.status.value = f'<div role="status">{html.escape(text)}</div>'

    def close_question(self, told: str) -> None:
        """The truth is out: what was answered stays visible, and can no longer be changed."""
        self.control.disabled = True
        self.say(told)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        text = f'Your prediction: {self.question.ask()}. Without a control: lesson.answer("{self.name}", ...)'
        return {**bundle, "text/plain": text} if bundle else bundle


@dataclass(frozen=True)
class Comparison:
    """What is said once the truth is known."""

    text: str
    verdict: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        style = f"border-left: 4px solid {COLOURS[self.verdict]}; padding: 0.3em 0.8em"
        return f'<div role="status" style="{style}">{html.escape(self.text)}</div>'
