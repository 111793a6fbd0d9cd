"""Two families of blocks side by side, what they draw, and what a learning rate does to an activation."""

import math

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.blocks import ACTIVATIONS, BLOCKS
from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.trials import (
    DRAWN,
    RATES,
    SCHEDULES,
    SEEDS,
    Log,
    find_shown,
    load_logs,
    name_grid,
)
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLUE, ORANGE, PALETTE, load_font, make_axes
from cnngen_course.figures.charts import GREY, PALE, Line, draw_chart
from cnngen_course.images import make_grid, to_pil

TITLES = {  # of blocks
    "vgg": "VGG",
    "residual": "ResNet",
    "bottleneck": "ResNet with bottleneck",
    "inception": "Inception",
    "dense": "DenseNet",
    "separable": "separable (MobileNet)",
}
ACTIVATION_TITLES = {name: name for name in ACTIVATIONS} | {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "gelu": "GELU",
    "silu": "SiLU",
}
OPTIONS = [(title, block) for block, title in TITLES.items()]
CURVES = ((BLUE, 0), (ORANGE, 9))  # colour, and the length of a dash (0: drawn through)


def make_architecture_explorer() -> Panel:
    """Two families of blocks with as many weights: their accuracy over steps, or over seconds."""
    controls = {
        "first": widgets.Dropdown(options=OPTIONS, value="vgg", description="first block"),
        "second": widgets.Dropdown(options=OPTIONS, value="inception", description="second block"),
        "axis": widgets.Dropdown(options=["seconds of one thread", "training steps"], description="over"),
    }
    return Panel(draw_architectures, controls)


def draw_architectures(first: str, second: str, axis: str) -> View:
    over_seconds = axis.startswith("seconds")
    lines, sentences = [], []
    for block, (colour, dash) in zip((first, second), CURVES, strict=True):
        for seed in SEEDS:
            log = load_logs("blocks")[f"{block}, seed {seed}"]
            x = (log.seconds if over_seconds else log.steps).tolist()
            title = TITLES[block] if seed == 0 else ""
            lines.append(Line(x, (100 * log.scores).tolist(), colour, 3 if seed == 0 else 1, dash, title))
        sentences.append(describe_architecture(block))
    every = load_logs("blocks").values()
    end = max((log.seconds if over_seconds else log.steps)[-1].item() for log in every)
    lowest = 5 * math.floor(min(100 * log.scores.min().item() for log in every) / 5)
    ticks = range(lowest, 95, 5)
    picture = draw_chart(lines, axis, "% named rightly (2 seeds)", (0, end), (lowest, 94), ticks)
    shown = f"Accuracy over {axis}."
    return View(picture, " ".join([shown, *sentences, compare_at_equal_time(first, second)]))


def describe_architecture(block: str) -> str:
    logs = [load_logs("blocks")[f"{block}, seed {seed}"] for seed in SEEDS]
    scores = " and ".join(f"{log.scores[-1]:.1%}" for log in logs)
    return (
        f"{TITLES[block]}: {logs[0].weights:,} weights, {logs[0].multiply_adds / 1e6:.1f} million multiply-adds a "
        f"picture, {1000 * find_price(block):.0f} ms a step; {scores} after {logs[0].steps[-1]} steps."
    )


def find_price(block: str) -> float:
    """Return the seconds of one step in the race, those of the quicker seed."""
    return min(load_logs("blocks")[f"{block}, seed {seed}"].step_seconds for seed in SEEDS)


def find_equal_time() -> float:
    """Return the seconds after which the quickest network of the race had taken all of its steps."""
    return min(log.seconds[-1].item() for log in load_logs("blocks").values())


def compare_at_equal_time(first: str, second: str) -> str:
    seconds = find_equal_time()
    means = [sum(find_scores_at(block, seconds)) / len(SEEDS) for block in (first, second)]
    shares = " against ".join(f"{mean:.1%}" for mean in means)
    return f"After the same {seconds:.1f} s: {shares} (means of {len(SEEDS)} seeds)."


def find_scores_at(block: str, seconds: float) -> list[float]:
    """Return the accuracy of each seed after so many seconds."""
    return [load_logs("blocks")[f"{block}, seed {seed}"].find_score(seconds) for seed in SEEDS]


def make_drawing_explorer() -> Panel:
    """The same clothes redrawn by decoders of two kinds of block, at any moment of their training."""
    moments = len(load_logs("drawing")["vgg"].steps)
    controls = {
        "first": widgets.Dropdown(options=OPTIONS, value="residual", description="first block"),
        "second": widgets.Dropdown(options=OPTIONS, value="dense", description="second block"),
        "moment": widgets.IntSlider(moments, 1, moments, description="moment"),
    }
    return Panel(draw_drawings, controls)


def draw_drawings(first: str, second: str, moment: int) -> View:
    logs = [load_logs("drawing")[block] for block in (first, second)]
    rows = {"as it is": load_fashion_mnist("test").select(find_shown()).pixels}
    sentences = []
    for index, (block, log) in enumerate(zip((first, second), logs, strict=True)):
        score, steps = log.scores[moment - 1], log.steps[moment - 1]
        rows[f"{index + 1}. {TITLES[block].split(' (')[0]}"] = log.pixels[moment - 1]
        sentences.append(
            f"{TITLES[block]}: {score:.1f} dB after {steps} steps, {log.seconds[moment - 1]:.0f} s of one thread, "
            f"with {log.weights:,} weights that draw."
        )
    return View(draw_rows(rows), " ".join(sentences), quality=85)


def draw_rows(rows: dict[str, Tensor]) -> Image.Image:
    """Draw named rows of pixels (DRAWN, 1, 28, 28), each under its name."""
    tiles = [to_pil(make_grid(pixels, columns=DRAWN), zoom=2) for pixels in rows.values()]
    picture = Image.new("RGB", (tiles[0].width, (tiles[0].height + 22) * len(tiles)), "white")
    draw = ImageDraw.Draw(picture)
    for index, (name, tile) in enumerate(zip(rows, tiles, strict=True)):
        top = index * (tile.height + 22)
        draw.text((2, top + 3), name, "black", load_font(13))
        picture.paste(tile, (0, top + 22))
    return picture


def make_rate_explorer() -> Panel:
    """One activation and one learning rate, with batch normalisation or without: the loss, and the verdict."""
    controls = {
        "activation": widgets.Dropdown(
            options=[(title, name) for name, title in ACTIVATION_TITLES.items()], value="relu", description="activation"
        ),
        "lr": widgets.SelectionSlider(
            options=[(f"{rate:g}", rate) for rate in RATES], value=1e-3, description="learning rate"
        ),
        "normalise": widgets.Checkbox(True, description="batch normalisation"),
    }
    return Panel(draw_rates, controls)


def draw_rates(activation: str, lr: float, normalise: bool) -> View:
    logs = {rate: load_logs("rates")[name_grid(activation, rate, normalise)] for rate in RATES}
    lines = [Line(log.ends.tolist(), log.losses.tolist(), PALE) for rate, log in logs.items() if rate != lr]
    chosen = logs[lr]
    end = max(log.ends[-1].item() for log in logs.values())
    lines[:0] = [Line((0, end), (math.log(10),) * 2, GREY, 1, 6, "a blind guess")]
    lines.append(Line(chosen.ends.tolist(), chosen.losses.tolist(), BLUE, 3, 0, f"learning rate {lr:g}"))
    picture = draw_chart(
        lines, "training steps", "loss", (0, end), (0.4, 100), (0.5, 1, 2.3, 5, 10, 100), log_y=True, legend_above=True
    )
    best = max(RATES, key=lambda rate: logs[rate].scores[-1])
    text = (
        f"Activation {ACTIVATION_TITLES[activation]} at learning rate {lr:g}, "
        f"{'with' if normalise else 'without'} batch normalisation: {describe_end(chosen)} "
        f"The best of the {len(RATES)} rates here is {best:g}, with {logs[best].scores[-1]:.0%}."
    )
    return View(picture, text)


def describe_end(log: Log) -> str:
    end = log.losses[-1].item()
    if not math.isfinite(end):
        return f"diverged, the loss was no number any more at step {int(log.ends[-1])}."
    words = {"diverged": "diverged,", "stuck": "stuck at a blind guess,", "learns": "it learns,"}[log.verdict]
    lagging = " (normalisation tests with running means, which can't follow such jumps)"
    blind = log.verdict == "learns" and log.scores[-1] < 0.2
    return (
        f"{words} the loss ends at {end:.3g} and {log.scores[-1]:.0%} of the test pictures are named rightly"
        f"{lagging if blind else ''}."
    )


def plot_race(seconds: float) -> Figure:
    """Plot the accuracy of every block after the same steps and after the same seconds, a mark a seed."""
    figure, axes = make_axes(1, 1, 5.6, 3.0)
    place = axes[0, 0]
    for row, block in enumerate(BLOCKS):
        logs = [load_logs("blocks")[f"{block}, seed {seed}"] for seed in SEEDS]
        equal_steps = [100 * log.scores[-1].item() for log in logs]
        equal_time = [100 * score for score in find_scores_at(block, seconds)]
        first = row == 0
        place.plot(equal_steps, [row - 0.12] * len(logs), "o", color=BLUE, label="after equal steps" if first else None)
        place.plot(equal_time, [row + 0.12] * len(logs), "s", color=ORANGE, label="after equal time" if first else None)
    place.set_yticks(range(len(BLOCKS)), [TITLES[block].split(" (")[0] for block in BLOCKS])
    place.invert_yaxis()
    place.set(xlabel="% of test pictures named rightly")
    place.grid(axis="x", color="#E8E8E8")
    place.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def compute_grid(normalise: bool) -> Tensor:
    """Return the accuracy in % of every activation (rows) at every rate (columns) in the stored series."""
    logs = load_logs("rates")
    return torch.tensor(
        [[100 * logs[name_grid(name, rate, normalise)].scores[-1].item() for rate in RATES] for name in ACTIVATIONS]
    )


def plot_grid() -> Figure:
    """Plot the accuracies of ``compute_grid`` with and without normalisation; runs that diverged bear a cross."""
    figure, axes = make_axes(1, 2, 3.7, 3.0)
    for place, normalise in zip(axes[0], (True, False), strict=True):
        values = compute_grid(normalise)
        place.imshow(values.numpy(), cmap="Blues", vmin=0, vmax=90, aspect="auto")
        for row, name in enumerate(ACTIVATIONS):
            for column, rate in enumerate(RATES):
                value = values[row, column].item()
                log = load_logs("rates")[name_grid(name, rate, normalise)]
                mark = f"{value:.0f}" + ("×" if log.verdict == "diverged" else "")
                colour = "white" if value > 50 else "black"
                place.text(column, row, mark, ha="center", va="center", color=colour, fontsize=8)
        place.set_xticks(range(len(RATES)), [f"{rate:g}" for rate in RATES], fontsize=8)
        place.set_yticks(range(len(ACTIVATIONS)), list(ACTIVATION_TITLES.values()), fontsize=9)
        place.set(title=f"{'with' if normalise else 'without'} batch normalisation", xlabel="learning rate")
    return figure


def plot_schedules() -> Figure:
    """Plot the factor of the learning rate over the training, a small panel a schedule."""
    figure, axes = make_axes(2, 3, 2.0, 1.25)
    shares = torch.linspace(0, 0.999, 200).tolist()
    for place, (name, factor) in zip(axes.flat, SCHEDULES.items(), strict=True):
        place.plot(shares, [factor(share) for share in shares], color=BLUE)
        place.set_title(name, fontsize=9)
        place.set(ylim=(-0.05, 1.1), xticks=(), yticks=(0, 1))
    return figure


def plot_ratios(ratios: dict[str, float]) -> Figure:
    """Plot how many times faster each way is than the way that it is compared with; 1 is no difference."""
    figure, axes = make_axes(1, 1, 5.4, 0.36 * len(ratios) + 0.7)
    place = axes[0, 0]
    colours = [BLUE if ratio >= 1 else PALETTE[3] for ratio in ratios.values()]
    bars = place.barh(list(ratios), list(ratios.values()), color=colours)
    place.bar_label(bars, [f"{ratio:.2f} ×" for ratio in ratios.values()], padding=3)
    place.axvline(1, color="grey", linestyle="--", linewidth=1)
    place.set(xlim=(0, 1.18 * max(ratios.values())), xlabel="times as fast (right of the line: faster)")
    place.invert_yaxis()
    return figure
