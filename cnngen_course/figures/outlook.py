"""The outlook: clouds of points, the ways between them, and what guidance gives and takes."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.figures import BLUE, ORANGE, make_axes
from cnngen_course.metrics import Estimate


def plot_clouds(clouds: dict[str, Tensor], colours: Sequence[str] | None = None, size: float = 2.0) -> Figure:
    """Plot clouds of points (N, 2) side by side, each under its title, at one scale."""
    figure, axes = make_axes(1, len(clouds), size, size)
    for index, (place, (title, points)) in enumerate(zip(axes[0], clouds.items(), strict=True)):
        place.scatter(points[:, 0], points[:, 1], 3, colours[index] if colours else BLUE, alpha=0.5, linewidths=0)
        place.set_title(title, fontsize=9)
        frame(place)
    return figure


def plot_ways(ways: dict[str, Tensor], size: float = 3.2) -> Figure:
    """Plot the ways of points, each (moments, N, 2), as lines from an open mark to a filled one."""
    figure, axes = make_axes(1, len(ways), size, size)
    for place, (title, way) in zip(axes[0], ways.items(), strict=True):
        place.plot(way[..., 0], way[..., 1], color="grey", linewidth=0.7, alpha=0.7)
        place.plot(way[0, :, 0], way[0, :, 1], "o", color="white", markeredgecolor=ORANGE, markersize=4, label="noise")
        place.plot(way[-1, :, 0], way[-1, :, 1], "o", color=BLUE, markersize=4, label="end")
        place.set_title(title, fontsize=10)
        frame(place)
    axes[0, 0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def frame(place: Any, reach: float = 2.6) -> None:
    """Give axes of points the same square window, without numbers."""
    place.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")


def plot_tradeoff(strengths: Sequence[float], consistency: Sequence[Estimate], diversity: Sequence[float]) -> Figure:
    """Plot against the strength of guidance the share named as asked, with its interval, and the diversity."""
    figure, axes = make_axes(1, 1, 4.6, 2.8)
    place = axes[0, 0]
    values = torch.tensor([[share.low, share.value, share.high] for share in consistency])  # (strengths, 3)
    reach = torch.stack([values[:, 1] - values[:, 0], values[:, 2] - values[:, 1]])
    place.errorbar(strengths, values[:, 1], reach, fmt="o-", color=BLUE, capsize=3, label="named as asked for")
    place.plot(strengths, diversity, "s--", color=ORANGE, label="diversity (real: 1)")
    place.axhline(1, color="grey", linewidth=1, linestyle=":")
    place.set(xlabel="guidance", ylabel="share", ylim=(0, max(1.15, 1.05 * max(diversity))))
    place.legend(frameon=False, loc="lower right")
    return figure
