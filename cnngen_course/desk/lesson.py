"""The desk that a lesson is worked at: ``lesson = Lesson("gan")`` in its first cell.

``lesson.predict`` asks before a cell is run, ``lesson.reveal`` compares, ``lesson.look_back`` ends the lesson;
``lesson.show`` displays a picture with its words, which stand beside the lesson in ``notebooks/words``: in the cell
they would tell what there is to see before it is seen.
"""

import ast
import contextlib
import html
import json
import math
import re
import tomllib
from dataclasses import replace
from functools import cache
from typing import Any, TypeGuard

import ipywidgets as widgets
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from cnngen_course import figures
from cnngen_course.desk import catching_up, hooks, times
from cnngen_course.desk.outline import NOTEBOOKS, find_lesson, read_cells
from cnngen_course.desk.predictions import Comparison, Number, Place, PredictionPanel, Question, Words, make_question
from cnngen_course.desk.store import Prediction, Progress, Store, StoreError, find_folder, tell_once
from cnngen_course.explorers.panel import KeyGuard
from cnngen_course.paths import DamagedFileError, complain, read_file, read_json

SIGNS = {"right": "✓", "near": "≈", "wrong": "✗", "told": "·"}
HEADER = "<tr><th></th><th>question</th><th>your answer</th><th>what came out</th></tr>"
ASKED = re.compile(r"\*\*Predict:?\*\*\s*(?P<question>.+?)(?=\n\s*\n|\Z)", re.DOTALL)
MARKS = re.compile(r"<!--.*?-->|[*`]|(?<=\])\([^)]*\)", re.DOTALL)  # comments, bold, code, where a link leads
CALL = re.compile(r"\blesson\.predict\(\s*[\"'](?P<name>\w+)[\"']")


@cache
def load_words(slug: str) -> dict[str, str]:
    """Return the words that stand for a lesson's pictures, by name.

    Raises:
        DamagedFileError: the file is missing or no TOML; the message says how to get it back.
    """
    path = NOTEBOOKS / "words" / f"{slug}.toml"
    try:
        return tomllib.loads(read_file(path).decode("utf-8"))
    except ValueError as error:  # also bytes that are not UTF-8
        raise complain(path, f"is damaged ({error})") from None


@cache
def load_questions(slug: str) -> dict[str, str]:
    """Return what a lesson asks before its results, by the name of the prediction, in the order of the lesson."""
    questions, last = {}, ""
    for cell in read_json(find_lesson(slug))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found = [match["question"] for match in ASKED.finditer(source)]
            last = " ".join(MARKS.sub("", found[-1]).split()) if found else last
        elif match := CALL.search(source):
            questions[match["name"]] = last
    return questions


def read_question(slug: str, name: str, truth: Any) -> Question:
    """Return what a lesson asks under a name, where the cell that asks was not run: after a restart, in a hurry."""
    for cell in read_cells(slug):
        if (match := CALL.search(cell.source)) and match["name"] == name:
            call = next(node for node in ast.walk(ast.parse(cell.source)) if is_predict(node))
            with contextlib.suppress(ValueError):  # a picture, or what only the lesson's variables know
                choices = [ast.literal_eval(choice) for choice in call.args[1:]]
                named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
                return make_question(choices, **named)
    if isinstance(truth, str):
        return Words()
    return Place(b"") if isinstance(truth, tuple | list) else Number(0, 1)


def is_predict(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "predict"


class Lesson:
    """One lesson at a learner's desk.

    Args:
        slug: e.g. "gan", as in ``notebooks/07_gan.ipynb``.

    What cannot be kept (a read-only disk) is said once, and the lesson goes on.
    """

    def __init__(self, slug: str) -> None:
        self.slug = slug
        folder = find_folder()
        self.store = Store(folder) if folder else None
        self._questions: dict[str, Question] = {}
        self._panels: dict[str, PredictionPanel] = {}
        self._predictions: dict[str, Prediction] = {}
        self._told: set[str] = set()  # what came out, and was not predicted
        if self.store:
            self._try(self._remember)
            hooks.attach(self)
            self._say_how_long()

    def _say_how_long(self) -> None:
        try:
            told = times.describe_long_lesson(self.slug)
        except DamagedFileError as error:  # the lesson goes on
            told = str(error)
        if told:
            print(told)

    def work(self, seconds: float, section: str) -> None:
        """Keep that so many seconds were spent at a section; done by ``hooks`` after each cell."""
        if store := self.store:
            self._try(lambda: store.work(self.slug, seconds, section))

    def show(self, picture: Figure | Image.Image, name: str, **values: object) -> None:
        """Display a picture; ``notebooks/words/<slug>.toml`` holds the sentence that stands for it, under ``name``.

        Args:
            picture: a figure or a picture.
            name: of the sentence.
            values: are put into the sentence at ``{...}``.

        Raises:
            KeyError: there is no such sentence.
        """
        figures.show(picture, self.describe(name, **values))

    def describe(self, name: str, **values: object) -> str:
        """Return the sentence that stands for a picture, see ``show``."""
        words = load_words(self.slug)
        if name not in words:
            raise KeyError(f"notebooks/words/{self.slug}.toml has no words for the picture {name!r}")
        return words[name].format(**values)

    def predict(
        self,
        name: str,
        *choices: object,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
        log: bool = False,
        picture: Image.Image | None = None,
    ) -> PredictionPanel:
        """Return a control to predict with: one of several choices, a number, a place, or (none of these) words.

        Args:
            name: one word, for ``reveal``.
            choices: the answers to choose from.
            low, high: the range of a number, without choices.
            unit: stands behind the number, e.g. "%" or " s".
            log: the number's scale is one of factors.
            picture: to point at a place in, from -1 to 1 in each direction.
        """
        question = make_question(choices, low, high, unit, log, picture)
        self._questions[name] = question
        made = self._find_made(name, question)
        answer = None if made is None else made.answer
        told = "" if made is None else self._tell_noted(question, answer)
        panel = PredictionPanel(name, question, lambda new: self._keep(name, new), answer, told)
        if made is not None and made.verdict is not None:
            panel.close_question(self._compare(question, made).text)
        self._panels[name] = panel
        return panel

    def answer(self, name: str, answer: object) -> None:
        """Do without the control: ``lesson.answer("padding", 2)``, where widgets don't work.

        Raises:
            KeyError: nothing of this name was asked yet.
        """
        if name not in self._questions:
            raise KeyError(f"nothing was asked under the name {name!r} yet: run the cell with lesson.predict first")
        print(self._keep(name, answer))

    def reveal(self, name: str, truth: Any) -> None:
        """Display what came out beside what was predicted, and keep both; see ``compare``."""
        display(self.compare(name, truth))

    def compare(self, name: str, truth: Any) -> Comparison:
        """Return the sentence that compares what came out with what was predicted, and keep both.

        Args:
            name: that of ``predict``.
            truth: one of the choices, a number, a place, or a sentence where words were asked for.

        Raises:
            ValueError: the truth is none of the choices that were offered.
        """
        question = self._questions.get(name) or read_question(self.slug, name, truth)
        if isinstance(question, Number) and not math.isfinite(truth):  # a training that went wrong here
            return Comparison(
                f"What came out is no number: {float(truth)}. Run the cells before this one again.", "told"
            )
        comparison = self._judge(name, question, question.read(truth))
        if panel := self._panels.get(name):
            panel.close_question(comparison.text)
        return comparison

    def _judge(self, name: str, question: Question, truth: Any) -> Comparison:
        made = self._find_made(name, question)
        if made is None:
            self._told.add(name)
            return Comparison(f"What came out: {self._write_truth(question, truth)}.", "told")
        verdict = question.judge(made.answer, truth)
        self._predictions[name] = made = Prediction(self.slug, name, made.answer, truth, verdict)
        if store := self.store:
            self._try(lambda: store.reveal(self.slug, name, truth, verdict))
        return self._compare(question, made)

    def catch_up(self, section: str) -> None:
        """Make the variables as they are where a section starts; see ``catching_up.catch_up``."""
        catching_up.catch_up(self.slug, section)

    def hurry(self, on: bool = True) -> None:
        """Take the stored result of each training from now on, instead of training; see ``catching_up.hurry``."""
        catching_up.hurry(self.slug, on)

    def look_back(self) -> widgets.VBox:
        """Return all predictions of the lesson beside what came out, and a place to write what surprised.

        Those that only an older version of the lesson asked for are left out.
        """
        questions = load_questions(self.slug)
        told = [made for made in self._predictions.values() if made.verdict and made.name in questions]
        rows = "".join(self._write_row(questions[made.name], made) for made in told)
        right = sum(made.verdict in ("right", "near") for made in told)
        judged = sum(made.verdict != "told" for made in told)
        if told:
            said = f"; {right} of {judged} came out as you said" if judged else ""  # words can't be right or wrong
            head = f"You made {len(told)} of {len(questions)} predictions{said}."
        else:
            head = f"You made none of the {len(questions)} predictions. The next lesson asks, too."
        note = Words().make_control()
        if store := self.store:
            self._try(lambda: setattr(note, "value", store.load().get(self.slug, Progress(self.slug)).note))
            note.observe(lambda change: self._try(lambda: store.note(self.slug, change["new"])), "value")
        table = widgets.HTML(f'<p role="status">{html.escape(head)}</p><table>{HEADER}{rows}</table>')
        return widgets.VBox([table, widgets.Label("What surprised you most, and why?"), note, KeyGuard()])

    def _write_row(self, question: str, made: Prediction) -> str:
        known = self._questions.get(made.name)
        said, truth = (
            value if isinstance(value, str) else known.write(value) if known else json.dumps(value)
            for value in (made.answer, made.truth)
        )
        cells = [SIGNS[made.verdict or "told"], question, said, truth]
        return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"

    def _compare(self, question: Question, made: Prediction) -> Comparison:
        said, truth = question.write(made.answer), self._write_truth(question, made.truth)
        verdict = made.verdict or "told"
        judged = {"right": "✓ Right: you", "near": "≈ Close: you", "wrong": "✗ Different: you", "told": "You"}[verdict]
        return Comparison(f"{judged} said {said}. What came out: {truth}.", verdict)

    def _tell_noted(self, question: Question, answer: Any) -> str:
        return f"Noted: {question.write(answer)}. Now run the next cell."

    def _write_truth(self, question: Question, truth: Any) -> str:
        """The learner's words stand between quotes, the lesson's don't."""
        return str(truth).rstrip(".") if isinstance(question, Words) else question.write(truth)

    def _find_made(self, name: str, question: Question) -> Prediction | None:
        """Return what was predicted; an answer to what an older version of the lesson asked is forgotten."""
        if made := self._predictions.get(name):
            try:
                return replace(made, answer=question.read(made.answer))
            except ValueError:
                del self._predictions[name]
        return None

    def _keep(self, name: str, answer: object) -> str:
        """Keep an answer and return what to say about it."""
        try:
            kept = self._questions[name].read(answer)
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        before = self._predictions.get(name)
        if name in self._told or (before is not None and before.verdict is not None):
            return "What came out is told already; what you said before that stays."
        self._predictions[name] = Prediction(self.slug, name, kept)
        trouble = self._try(lambda: self.store.predict(self.slug, name, kept)) if self.store else ""
        return trouble or self._tell_noted(self._questions[name], kept)

    def _remember(self) -> None:
        if self.store:
            self._predictions = self.store.load_predictions(self.slug)

    def _try(self, do: Any) -> str:
        """Do what needs the store; if it fails, return why, and say it once."""
        try:
            do()
        except StoreError as error:
            self.store = None
            return tell_once(error)
        return ""
