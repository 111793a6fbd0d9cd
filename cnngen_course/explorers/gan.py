"""A distribution that moves, a time machine for trainings, and a clinic of trainings that fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor, nn

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.clinic import CASES, FAULTS, GAMES, SIGNS, Run, find_contradiction, load_fixed, load_run
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLACK, BLUE, GREEN, RED, load_font, make_axes
from cnngen_course.figures.charts import draw_path
from cnngen_course.images import make_grid, to_pil

WIDTH = 714  # screen pixels of the explorers' pictures
PLOT_HEIGHT = 154
QUALITY = 75  # of the stored JPEG: sharp pixels everywhere would make a notebook large
GAP = 5
REACH = 3.2  # half the side of the plane that is shown
CENTRES = 2 * torch.stack([(torch.arange(8) * torch.pi / 4).cos(), (torch.arange(8) * torch.pi / 4).sin()], dim=1)
NEAR = 0.3  # three standard deviations of a cluster
OPEN = "not yet made"
GREY = "#555555"
MARKS = {GREEN: "  ✓", RED: "  ✗", GREY: ""}


def sample_ring(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw points (count, 2) from eight small clusters on a circle of radius 2, standard deviation 0.1 each."""
    chosen = torch.randint(len(CENTRES), (count,), generator=generator)
    return CENTRES[chosen] + 0.1 * torch.randn(count, 2, generator=generator)


def compute_coverage(points: Tensor) -> tuple[float, int]:
    """Return the share of points (N, 2) that lie near a cluster, and how many clusters hold at least 2% of them."""
    distances, nearest = torch.cdist(points, CENTRES).min(dim=1)
    counts = nearest[distances < NEAR].bincount(minlength=len(CENTRES))
    return counts.sum().item() / len(points), int((counts >= 0.02 * len(points)).sum())


@dataclass(frozen=True)
class Moment:
    """Where the generated points (N, 2) lie after some steps, and what the discriminator says all over the plane."""

    step: int
    points: Tensor
    scores: Tensor  # (40, 40) in [0, 1], top row first


@torch.no_grad()
def compute_moment(step: int, generator: nn.Module, discriminator: nn.Module, latents: Tensor) -> Moment:
    """Look at both networks: the points of fixed latents, the probability of "real" on a lattice."""
    line = torch.linspace(-REACH, REACH, 40)
    y, x = torch.meshgrid(line.flip(0), line, indexing="ij")
    scores = discriminator(torch.stack([x.flatten(), y.flatten()], dim=1)).sigmoid()
    return Moment(step, generator(latents), scores.view(40, 40))


def plot_moments(moments: Sequence[Moment], real: Tensor) -> Figure:
    """Plot points, real and generated, over the discriminator's map (light: "real"), for several moments in a row."""
    figure, axes = make_axes(1, len(moments), 2.3, 2.6)
    for place, moment in zip(axes[0], moments, strict=True):
        extent = (-REACH, REACH, -REACH, REACH)
        place.imshow(moment.scores, cmap="gray", vmin=-0.8, vmax=0.9, extent=extent, interpolation="bilinear")
        place.scatter(*real.T, 7, BLUE, "o", linewidths=0)
        place.scatter(*moment.points.T, 12, RED, "x", linewidths=0.7)
        place.set(title=f"step {moment.step:,}", xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    names = ("real", "generated")
    figure.legend(axes[0, 0].collections[:2], names, loc="outside lower center", ncols=2, frameon=False)
    return figure


def plot_run(run: Run, title: str = "") -> Figure:
    """Plot the curves of a run: losses, scores, diversity, gradient."""
    figure, axes = make_axes(1, 4, 2.5, 2.3)
    for place, (name, lines) in zip(axes[0], choose_lines(run).items(), strict=False):
        for (label, values), dash in zip(lines.items(), ("-", "--"), strict=False):
            place.plot(range(1, len(values) + 1), values, dash, label=label)
        place.set(title=name, xlabel="step", yscale="log" if name == "gradient" else "linear")
        if name in ("scores", "diversity"):
            place.set_ylim(find_range(name, lines))
        if len(lines) > 1:
            place.legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    return figure


def choose_lines(run: Run) -> dict[str, dict[str, Tensor]]:
    """Sort the curves of a run by the plot that they belong into."""
    curves = run.curves
    lines = {
        "losses": {"discriminator": curves["discriminator_loss"], "generator": curves["generator_loss"]},
        "scores": {"real": curves["score_real"], "generated": curves["score_generated"]},
        "diversity": {"": curves["diversity"]},
    }
    if "gradient" in curves:
        lines["gradient"] = {"": curves["gradient"].clamp(min=1e-6)}  # a logarithm needs more than zero
    return lines


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


def find_range(name: str, lines: dict[str, Tensor]) -> tuple[float, float]:
    """Return the lowest and highest value to draw: scores and diversity always on one scale, the others cut at 5."""
    if name.startswith("score"):
        return 0.0, 1.0
    if name == "diversity":
        return 0.0, 1.5
    values = torch.cat(list(lines.values()))
    low, high = values.min().item(), values.max().item()
    if name == "losses":
        low, high = max(low, -2.0), min(high, 5.0)
    return low, max(high, low + 0.1)


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
