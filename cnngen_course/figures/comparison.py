"""Comparing ways to draw: a table as small panels, points and prices, each contestant in a colour of its own."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cnngen_course.experiments.comparison import CONTESTANTS, EVERYONE
from cnngen_course.figures import BLUE, GREEN, ORANGE, PINK, SKY, make_axes

REAL = "real"
COLOURS = {REAL: "#555555"} | dict(zip(EVERYONE, (ORANGE, SKY, GREEN, BLUE, PINK), strict=True))
MARKS = dict(zip(EVERYONE, "os^Dv", strict=True))
TICKS = dict(zip(EVERYONE, ("pixel", "VAE", "P.CNN", "GAN", "flow"), strict=True))


def plot_table(
    table: dict[str, dict[str, Sequence[float]]],
    best: dict[str, float],
    contestants: Sequence[str] = tuple(CONTESTANTS),
) -> Figure:
    """Plot one small panel a measure: every contestant's value of each seed as a mark, what is best as a dashed line.

    Args:
        table: measure -> contestant -> one value a seed.
        best: measure -> the value of real pictures, or of perfection.
        contestants: who is shown, from left to right.
    """
    figure, axes = make_axes(-(-len(table) // 4), 4, 2.35, 2.1)
    for place in axes.flat[len(table) :]:
        place.set_visible(False)
    for place, (measure, rows) in zip(axes.flat, table.items(), strict=False):
        place.axhline(best[measure], linestyle="--", color="grey", linewidth=1)
        for column, name in enumerate(contestants):
            values = rows.get(name, [])
            place.plot([column] * len(values), values, MARKS[name], color=COLOURS[name], markersize=5, alpha=0.8)
            if not values:
                size = 10 if len(contestants) < 5 else 7
                place.text(
                    column, 0.5, "none", ha="center", transform=place.get_xaxis_transform(), color="grey", fontsize=size
                )
        place.set_title(measure, fontsize=9)
        place.set_xticks(range(len(contestants)), [TICKS[name] for name in contestants], fontsize=8)
        place.set_xlim(-0.5, len(contestants) - 0.5)
        place.tick_params(axis="y", labelsize=8)
    return figure


def plot_points(points: dict[str, tuple[Sequence[float], Sequence[float]]], x_label: str, y_label: str) -> Figure:
    """Plot one mark a training, a colour and shape a model; ``points`` is title -> (x values, y values)."""
    figure, axes = make_axes(1, 1, 4.4, 3.2)
    for name, (title, (x, y)) in zip(EVERYONE, points.items(), strict=False):
        axes[0, 0].plot(x, y, MARKS[name], color=COLOURS[name], markersize=8, alpha=0.8, label=title)
    axes[0, 0].set(xlabel=x_label, ylabel=y_label, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes[0, 0].legend(frameon=False)
    return figure


def plot_prices(seconds: dict[str, float]) -> Figure:
    """Plot the time of sixteen pictures as bars on a logarithmic scale, in milliseconds."""
    figure, axes = make_axes(1, 1, 4.4, 2.0)
    bars = axes[0, 0].barh(
        list(seconds), [1000 * value for value in seconds.values()], color=list(COLOURS.values())[1 : 1 + len(seconds)]
    )
    axes[0, 0].bar_label(bars, fmt="%.0f ms", padding=3)
    axes[0, 0].set(xscale="log", xlabel="milliseconds for 16 pictures")
    axes[0, 0].invert_yaxis()
    axes[0, 0].margins(x=0.25)
    return figure
