"""A time machine for trainings, and a clinic of trainings that fail."""

from collections.abc import Sequence
from functools import cache

import ipywidgets as widgets
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.clinic import CASES, FAULTS, GAMES, SIGNS, Run, find_contradiction, load_fixed, load_run
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLACK, BLUE, GREEN, RED, load_font
from cnngen_course.figures.charts import draw_path
from cnngen_course.figures.gan import choose_lines, find_range
from cnngen_course.images import make_grid, to_pil

WIDTH = 714  # screen pixels of the explorers' pictures
PLOT_HEIGHT = 154
QUALITY = 75  # of the stored JPEG: sharp pixels everywhere would make a notebook large
GAP = 5
OPEN = "not yet made"
GREY = "#555555"
MARKS = {GREEN: "  ✓", RED: "  ✗", GREY: ""}


def pile(pieces: Sequence[Image.Image]) -> Image.Image:
    """Return pictures of one width below each other on white."""
    sheet = Image.new("RGB", (WIDTH, sum(piece.height + GAP for piece in pieces)), "white")
    top = 0
    for piece in pieces:
        sheet.paste(piece, (0, top))
        top += piece.height + GAP
    return sheet


def draw_text(text: str, colour: str = "black") -> Image.Image:
    line = Image.new("RGB", (WIDTH, 18), "white")
    ImageDraw.Draw(line).text((0, 1), text, colour, load_font(13))
    return line


def draw_grid(pixels: Tensor, columns: int) -> Image.Image:
    """Lay pictures (N, 1, H, W) uint8 out in rows that fill the width."""
    grid = to_pil(make_grid(pixels, columns))
    return grid.resize((WIDTH, WIDTH * grid.height // grid.width), Image.Resampling.BICUBIC)


@cache
def load_class_names() -> tuple[str, ...]:
    return load_fashion_mnist("test").class_names


def draw_class_names() -> Image.Image:
    """Name the ten columns of a game's pictures."""
    line = Image.new("RGB", (WIDTH, 14), "white")
    pen, wide = ImageDraw.Draw(line), WIDTH / 10
    for column, name in enumerate(load_class_names()):
        pen.text(((column + 0.5) * wide, 0), name, "black", load_font(11), anchor="mt")
    return line


def draw_plots(groups: dict[str, dict[str, Tensor]], share: float) -> Image.Image:
    """Draw groups of curves side by side with Pillow, fast enough to follow a slider.

    A red line marks the moment, as a ``share`` of the whole training; the second curve of a group is dashed.
    """
    sheet = Image.new("RGB", (WIDTH, PLOT_HEIGHT), "white")
    pen, wide = ImageDraw.Draw(sheet), WIDTH // len(groups)
    for column, (name, lines) in enumerate(groups.items()):
        box = left, top, right, bottom = (column * wide + 2, 38, (column + 1) * wide - 10, PLOT_HEIGHT - 16)
        logarithmic = name == "gradient"
        values = {label: line.log10() if logarithmic else line for label, line in lines.items()}
        low, high = find_range(name, values)
        pen.rectangle(box, outline="#bbbbbb")
        pen.text((left, 1), name + (", powers of ten" if logarithmic else ""), "black", load_font(12))
        key = left
        for (label, line), colour, dash in zip(values.items(), (BLUE, RED), (0, 5), strict=False):
            heights = ((line[::10].clamp(low, high) - low) / (high - low)).tolist()
            last = len(heights) - 1
            points = [
                (left + (right - left) * at / last, bottom - (bottom - top) * height)
                for at, height in enumerate(heights)
            ]
            draw_path(pen, points, colour, dash=dash)
            if label:
                draw_path(pen, [(key, 24), (key + 16, 24)], colour, dash=dash)
                pen.text((key + 20, 17), label, "black", load_font(11))
                key += 26 + round(pen.textlength(label, load_font(11)))
        marked = left + (right - left) * share
        pen.line([(marked, top), (marked, bottom)], BLACK, 1)
        pen.polygon([(marked - 4, top - 6), (marked + 4, top - 6), (marked, top)], BLACK)
        pen.text((left, bottom + 3), f"{round(low, 2):g} to {round(high, 2):g}", GREY, load_font(10))
    return sheet


def describe_step(run: Run, index: int) -> str:
    """Say in words and numbers what the curves show at a moment."""
    step = max(0, min(run.moments[index], run.moments[-1]) - 1)
    value = {name: line[step].item() for name, line in run.curves.items()}
    text = (
        f"After {run.moments[index]:,} steps: losses {value['discriminator_loss']:.2f} (discriminator) and "
        f"{value['generator_loss']:.2f} (generator), scores {value['score_real']:.2f} for real and "
        f"{value['score_generated']:.2f} for generated pictures, diversity {value['diversity']:.0%} of the real"
    )
    if "gradient" in value:
        text += f", length of the generator's gradient {value['gradient']:.2g}"
    if run.checks:
        check = {name: values[index] for name, values in run.checks.items()}
        text += (
            f". Checks: in one mixed batch the scores are {check['mixed_real']:.2f} and "
            f"{check['mixed_generated']:.2f}; real pictures never trained on score {check['unseen_real']:.2f}; "
            f"generated pictures lie {check['nearest']:.2f} times as far from the training pictures as those do"
        )
    return text + "."


def make_time_machine_explorer() -> Panel:
    """Slide through the stored moments of two real trainings, one at a time or both together."""
    last = len(load_run("game_0").moments) - 1
    options = [*((f"{letter}: {name}", letter) for letter, name in zip("AB", GAMES, strict=True)), ("both", "AB")]
    controls = {
        "shown": widgets.Dropdown(options=options, value="B", description="training"),
        "index": widgets.IntSlider(last, 0, last, description="moment", readout=False),
    }
    return Panel(draw_games, controls)


def draw_games(shown: str, index: int) -> View:
    """Show one game ("A" or "B") or both ("AB") at a moment."""
    runs = {letter: load_run(f"game_{'AB'.index(letter)}") for letter in shown}
    names = dict(zip("AB", GAMES, strict=True))
    pieces, texts = [draw_class_names()], []
    for letter, run in runs.items():
        pieces.append(draw_text(f"{letter}: {names[letter]}, after {run.moments[index]:,} batches"))
        pieces.append(draw_grid(run.pixels[index, : 30 if len(runs) == 1 else 20], 10))
        texts.append(f"Training {letter}, {names[letter]}. {describe_step(run, index)}")
    run = runs[shown[0]]
    groups = choose_lines(run) if len(runs) == 1 else compare_lines(runs)
    pieces.append(draw_plots(groups, run.moments[index] / run.moments[-1]))
    return View(pile(pieces), " ".join([*texts, "Each column is one class."]), QUALITY)


def compare_lines(runs: dict[str, Run]) -> dict[str, dict[str, Tensor]]:
    """Sort the curves of several runs by what they measure."""
    names = {"score_real": "score of real", "score_generated": "score of generated", "diversity": "diversity"}
    return {name: {letter: run.curves[curve] for letter, run in runs.items()} for curve, name in names.items()}


def make_clinic_explorer() -> Panel:
    """Choose one of eight sick trainings, look at it moment by moment, and make a diagnosis."""
    last = len(load_run("A").moments) - 1
    controls = {
        "case": widgets.Dropdown(options=list(CASES), description="run"),
        "index": widgets.IntSlider(last, 0, last, description="moment", readout=False),
        "diagnosis": widgets.Dropdown(options=[OPEN, *sorted(SIGNS)], description="your diagnosis"),
        "mended": widgets.Checkbox(False, description="show the mended run"),
    }
    return Panel(draw_case, controls)


def draw_case(case: str, index: int, diagnosis: str, mended: bool) -> View:
    run = load_fixed(case) if mended else load_run(case)
    verdict, colour = judge_case(case, diagnosis)
    name = f"Run {case}{', mended' if mended else ''}"
    pieces = [
        draw_text(f"{name}: drawn from 16 fixed latents after {run.moments[index]:,} steps"),
        draw_grid(run.pixels[index], 8),
        draw_text("Real pictures, as the discriminator gets them"),
        draw_grid(run.real[:8], 8),
        draw_plots(choose_lines(run), run.moments[index] / run.moments[-1]),
        draw_text(f"Diagnosis: {diagnosis}{MARKS[colour]}", colour),
    ]
    return View(pile(pieces), f"{name}. {describe_step(run, index)} {verdict}", QUALITY)


def judge_case(case: str, diagnosis: str) -> tuple[str, str]:
    """Return the answer to a diagnosis, and its colour."""
    if diagnosis == OPEN:
        return "What is wrong with it? Choose a diagnosis.", GREY
    if diagnosis == CASES[case]:
        fault = FAULTS[diagnosis]
        return f"✓ Right: {diagnosis}. {fault.cause} {fault.symptom} Remedy: {fault.fix}", GREEN
    return f"✗ Not quite. {find_contradiction(load_run(case), diagnosis)}", RED
