"""Four ways of drawing side by side, and a blind test of the learner's own eye."""

from dataclasses import dataclass, field

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.comparison import CONTESTANTS, SEEDS, load_outcome
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import RED, load_font
from cnngen_course.figures.charts import draw_interval
from cnngen_course.figures.comparison import COLOURS, REAL
from cnngen_course.images import make_grid, to_pil
from cnngen_course.metrics import Estimate, compute_share

QUESTIONS = 64  # of a series; half of them real, an eighth by each model
COLUMNS = 10
TITLES = {REAL: "real pictures"} | {name: contestant.title for name, contestant in CONTESTANTS.items()}


def make_comparison_explorer() -> Panel:
    """All four models on the same class, with the numbers of that training."""
    names = load_fashion_mnist("test").class_names
    controls = {
        "label": widgets.Dropdown(options=[(name, label) for label, name in enumerate(names)], description="class"),
        "seed": widgets.Dropdown(options=[(f"training {seed + 1}", seed) for seed in SEEDS], description="seed"),
    }
    return Panel(draw_comparison, controls)


def draw_comparison(label: int, seed: int) -> View:
    """Draw ten pictures of a class by each model below ten real ones, with two numbers a row."""
    test = load_fashion_mnist("test")
    rows = {REAL: test.pixels[test.labels == label][:COLUMNS]}
    rows |= {name: load_outcome(name, seed).pixels[label::10][:COLUMNS] for name in CONTESTANTS}
    tiles = [to_pil(make_grid(pixels, columns=COLUMNS), zoom=2) for pixels in rows.values()]
    picture = Image.new("RGB", (tiles[0].width + 190, (tiles[0].height + 6) * len(tiles)), "white")
    draw, sentences = ImageDraw.Draw(picture), []
    for index, (name, tile) in enumerate(zip(rows, tiles, strict=True)):
        top = index * (tile.height + 6)
        picture.paste(tile, (190, top))
        draw.text((4, top + 4), TITLES[name], "black", load_font(15))
        if name == REAL:
            continue
        metrics = load_outcome(name, seed).metrics
        numbers = f"distance {metrics['frechet']:.2f}", f"diversity {metrics['diversity']:.2f}"
        for line, number in enumerate(numbers):
            draw.text((4, top + 24 + 16 * line), number, "black", load_font(12))
        sentences.append(f"{TITLES[name]} {', '.join(numbers)}")
    text = f"Each row shows {COLUMNS} pictures of the class {test.class_names[label]}. Over all classes: "
    return View(picture, f"{text}{'; '.join(sentences)}.", quality=85)


@dataclass(frozen=True)
class Question:
    """One picture (1, 28, 28) uint8 of the blind test, and where it comes from: "real" or a contestant's name."""

    pixels: Tensor
    source: str


def make_questions(series: int) -> list[Question]:
    """Return ``QUESTIONS`` pictures in random order, half of them real; the same series, the same questions."""
    random = torch.Generator().manual_seed(series)
    each = QUESTIONS // (2 * len(CONTESTANTS))
    test = load_fashion_mnist("test")
    pools = {REAL: (test.pixels, QUESTIONS // 2)}
    pools |= {name: (torch.cat([load_outcome(name, seed).pixels for seed in SEEDS]), each) for name in CONTESTANTS}
    questions = [
        Question(pixels[index], source)
        for source, (pixels, count) in pools.items()
        for index in torch.randperm(len(pixels), generator=random)[:count].tolist()
    ]
    return [questions[index] for index in torch.randperm(len(questions), generator=random).tolist()]


@dataclass
class BlindTest:
    """The questions of a series and the learner's answers so far: True for "real". It lives in memory only."""

    series: int
    questions: list[Question] = field(init=False)
    answers: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.questions = make_questions(self.series)

    @property
    def current(self) -> Question | None:
        """The question to answer now, or None after the last."""
        return self.questions[len(self.answers)] if len(self.answers) < len(self.questions) else None

    def answer(self, real: bool) -> None:
        """Take an answer to the current question; after the last, there is nothing to answer."""
        if self.current:
            self.answers.append(real)

    def count_errors(self) -> dict[str, Estimate]:
        """Return for each source met so far the share of its pictures that was judged wrongly, with its interval."""
        met = list(zip(self.questions, self.answers, strict=False))
        shares = {}
        for source in TITLES:
            wrong = [real != (source == REAL) for question, real in met if question.source == source]
            if wrong:
                shares[source] = compute_share(sum(wrong), len(wrong))
        return shares

    def describe(self) -> str:
        """Say what the last answer was worth, and how it stands."""
        asked = f"Question {len(self.answers) + 1} of {len(self.questions)} in series {self.series}: real or generated?"
        if not self.answers:
            return f"{asked} Nothing that you answer leaves this computer, and nothing is stored."
        last, said = self.questions[len(self.answers) - 1], self.answers[-1]
        truth = "it is real" if last.source == REAL else f"it was drawn by the {TITLES[last.source]}"
        verdict = "Right" if said == (last.source == REAL) else "Wrong"
        errors = "; ".join(
            f"{TITLES[source]} {share.value:.0%} [{share.low:.0%} to {share.high:.0%}] of {share.n}"
            for source, share in self.count_errors().items()
        )
        end = asked if self.current else "That was the last one."
        return f"{verdict}: {truth}. Your errors so far: {errors}. {end}"


def make_blind_test_explorer() -> Panel:
    """One picture at a time: real or generated? Two buttons to answer, and the error rate for each model."""
    test = BlindTest(0)

    def draw(series: int) -> View:
        nonlocal test
        if series != test.series:
            test = BlindTest(series)
        return View(draw_blind_test(test), test.describe())

    def restart(_button: widgets.Button) -> None:
        nonlocal test
        test = BlindTest(test.series)
        panel.redraw()

    def take(real: bool) -> None:
        test.answer(real)
        panel.redraw()

    yes = widgets.Button(description="real", tooltip="I think a camera took it")
    no = widgets.Button(description="generated", tooltip="I think a network drew it")
    again = widgets.Button(description="start anew", tooltip="Forget all answers")
    yes.on_click(lambda _button: take(True))
    no.on_click(lambda _button: take(False))
    again.on_click(restart)
    series = widgets.IntSlider(0, 0, 20, description="series")
    panel = Panel(draw, {"series": series}, also_shown=(widgets.HBox([yes, no]), again))
    panel.buttons = {"real": yes, "generated": no, "start anew": again}
    return panel


def draw_blind_test(test: BlindTest) -> Image.Image:
    """Draw the current picture large, the error rates with their intervals beside it, the last answers below."""
    picture = Image.new("RGB", (660, 316), "white")
    draw = ImageDraw.Draw(picture)
    if test.current:
        picture.paste(to_pil(test.current.pixels, 8), (4, 4))
    else:
        draw.text((40, 100), "All answered.", "black", load_font(18))
    draw.text((250, 4), "how often you were wrong (bar: where the true rate lies)", "black", load_font(12))
    errors = test.count_errors()
    for row, source in enumerate(TITLES):
        draw_rate(draw, 30 + 38 * row, source, errors.get(source))
    draw.text((4, 236), "your last answers, newest first; a cross is a wrong one", "black", load_font(12))
    met = list(zip(test.questions, test.answers, strict=False))[::-1][:COLUMNS]
    for column, (question, real) in enumerate(met):
        left = 4 + 64 * column
        picture.paste(to_pil(question.pixels, 2), (left, 254))
        if real != (question.source == REAL):
            draw.line((left, 254, left + 55, 309), RED, 3)
            draw.line((left + 55, 254, left, 309), RED, 3)
    return picture


def draw_rate(draw: ImageDraw.ImageDraw, top: int, source: str, share: Estimate | None) -> None:
    """Draw one line of the score: the name, and how often one was wrong on a scale from 0 to 100%."""
    draw.text((250, top), TITLES[source], "black", load_font(12))
    words = f"{share.value:.0%} of {share.n}" if share else "not met yet"
    draw_interval(draw, (350, top), 200, (0, 0.5, 1), share, words, COLOURS[source])
