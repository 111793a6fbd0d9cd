"""Data: clouds of points, and the directions along which they spread."""

from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.figures import BLUE, RED, make_axes


def plot_clouds(clouds: dict[str, Tensor], axis_names: tuple[str, str], directions: Tensor | None = None) -> Figure:
    """Plot clouds of points side by side, all to the same scale.

    Args:
        clouds: by title, (N, 2) each.
        directions: (2, 2), arrows in columns that are drawn into the first cloud from its mean.
    """
    figure, axes = make_axes(1, len(clouds), 2.6, 2.6)
    reach = max(points.abs().max().item() for points in clouds.values()) * 1.1
    for place, (title, points) in zip(axes[0], clouds.items(), strict=True):
        place.plot(*points.T.numpy(), ".", color=BLUE, markersize=2, alpha=0.6)
        place.set(title=title, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        place.set(xlabel=axis_names[0], ylabel=axis_names[1])
    if directions is not None:
        first = next(iter(clouds.values())).mean(dim=0)
        for number, arrow in enumerate(directions.T, start=1):
            axes[0, 0].annotate(
                f"{number}",
                xy=first.tolist(),
                xytext=(first + arrow).tolist(),
                arrowprops={"arrowstyle": "<-", "color": RED, "linewidth": 2.5},
                color=RED,
                fontsize=14,
                fontweight="bold",
                ha="center",
            )
    return figure
