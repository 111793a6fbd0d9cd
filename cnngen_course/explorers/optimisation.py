"""Two families of blocks side by side, what they draw, and what a learning rate does to an activation."""

import math

import ipywidgets as widgets
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.trials import (
    DRAWN,
    RATES,
    SEEDS,
    Log,
    find_equal_time,
    find_scores_at,
    find_shown,
    load_logs,
    name_grid,
)
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLUE, ORANGE, load_font
from cnngen_course.figures.charts import GREY, PALE, Line, draw_chart
from cnngen_course.figures.optimisation import ACTIVATION_TITLES, TITLES
from cnngen_course.images import make_grid, to_pil

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


def compare_at_equal_time(first: str, second: str) -> str:
    seconds = find_equal_time()
    means = [sum(find_scores_at(block, seconds)) / len(SEEDS) for block in (first, second)]
    shares = " against ".join(f"{mean:.1%}" for mean in means)
    return f"After the same {seconds:.1f} s: {shares} (means of {len(SEEDS)} seeds)."


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
