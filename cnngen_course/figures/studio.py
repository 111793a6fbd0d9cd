"""The studio: mean stars with their intervals, and how many times as fast a file is."""

from matplotlib.figure import Figure

from cnngen_course.figures import BLUE, GREEN, ORANGE, RED, make_axes
from cnngen_course.metrics import Estimate


def plot_means(means: dict[str, Estimate], truth: dict[str, float] | None = None) -> Figure:
    """Plot mean stars with their intervals, one line a name; ``truth`` adds a mark where it is known."""
    figure, axes = make_axes(1, 1, 7, 0.5 * len(means) + 1.1)
    place = axes[0, 0]
    for row, (name, mean) in enumerate(means.items()):
        place.plot([mean.low, mean.high], [row, row], color=BLUE, linewidth=5, alpha=0.5, solid_capstyle="butt")
        place.plot(mean.value, row, "o", color=BLUE, label="mean and 95% interval" if row == 0 else None)
        if truth:
            place.plot(truth[name], row, "|", color=RED, markersize=16, label="truth" if row == 0 else None)
    place.set_yticks(range(len(means)), [f"{name}, n = {mean.n}" for name, mean in means.items()])
    place.set(xlim=(1, 5), xlabel="stars", ylim=(len(means) - 0.5, -0.5))
    place.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def plot_ratios(ratios: dict[str, dict[int, float]]) -> Figure:
    """Plot how many times as fast the ONNX files are: a group of bars a network, one bar a number of pictures."""
    figure, axes = make_axes(1, 1, max(4.5, 1.3 * len(ratios)), 2.8)
    place = axes[0, 0]
    counts = list(next(iter(ratios.values())))
    width = 0.8 / len(counts)
    for index, (count, colour) in enumerate(zip(counts, (BLUE, ORANGE, GREEN), strict=False)):
        places = [row + (index - (len(counts) - 1) / 2) * width for row in range(len(ratios))]
        label = "one picture at a time" if count == 1 else f"{count} pictures at a time"
        bars = place.bar(places, [values[count] for values in ratios.values()], width, color=colour, label=label)
        place.bar_label(bars, fmt="%.1f", fontsize=8)
    place.axhline(1, color="grey", linestyle="--", linewidth=1)
    place.set_xticks(range(len(ratios)), [name.replace("_", "\n") for name in ratios])
    place.set(ylabel="times as fast as PyTorch")
    place.legend(frameon=False)
    return figure
