"""Quality: how each measure answers to each set of pictures, and numbers with their errors."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from cnngen_course.figures import BLUE, GREEN, ORANGE, SKY, make_axes


def plot_answers(table: dict[str, Sequence[float]], measures: dict[str, int], best: str) -> Figure:
    """Plot how each measure (column, with the decimals to show) answers to each set of pictures (row), in shades.

    The shade is the distance from the row named ``best``, as a share of the largest distance in its column: white is
    as good as that row, the darkest is the worst of the column.
    """
    values = torch.tensor(list(table.values()))  # (rows, measures)
    away = (values - torch.tensor(table[best])).abs()
    shades = away / away.max(dim=0).values.clamp(min=1e-9)
    figure, axes = make_axes(1, 1, 1.15 * len(measures) + 1, 0.42 * len(table) + 0.5)
    place = axes[0, 0]
    place.imshow(shades.numpy(), cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for row, numbers in enumerate(values.tolist()):
        for column, (number, decimals) in enumerate(zip(numbers, measures.values(), strict=True)):
            colour = "white" if shades[row, column] > 0.7 else "black"
            place.text(
                column, row, f"{round(number, decimals) + 0.0:.{decimals}f}", ha="center", va="center", color=colour
            )
    place.set_xticks(range(len(measures)), list(measures))
    place.set_yticks(range(len(table)), list(table))
    place.xaxis.tick_top()
    place.tick_params(length=0)
    place.spines[:].set_visible(False)
    return figure


def plot_with_errors(
    curves: dict[str, tuple[Sequence[float], Sequence[float], Sequence[float]]], x_label: str, y_labels: Sequence[str]
) -> Figure:
    """Plot named curves (x, y, error) side by side, each with its own axis and bars of ± one standard deviation."""
    figure, axes = make_axes(1, len(curves), 3.3, 2.7)
    styles = (BLUE, "o-"), (ORANGE, "s--"), (GREEN, "^-."), (SKY, "d:")
    for place, (name, (x, y, error)), y_label, (colour, style) in zip(
        axes[0], curves.items(), y_labels, styles, strict=False
    ):
        place.axhline(0, color="grey", linewidth=1)
        place.errorbar(x, y, error, fmt=style, color=colour, capsize=3, markersize=4)
        place.set(xscale="log", xlabel=x_label, ylabel=y_label, title=name)
    return figure
