"""Optimisation: the names of blocks in a figure, races, grids of learning rates, schedules and speeds."""

import torch
from matplotlib.figure import Figure

from cnngen_course.blocks import ACTIVATIONS, BLOCKS
from cnngen_course.experiments.trials import RATES, SCHEDULES, SEEDS, compute_grid, find_scores_at, load_logs, name_grid
from cnngen_course.figures import BLUE, ORANGE, PALETTE, make_axes

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
