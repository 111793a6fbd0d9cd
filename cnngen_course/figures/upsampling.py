"""Upsampling: how often a stamp covers each pixel, and where pictures lie on a map."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.experiments.atlas import PictureMap
from cnngen_course.figures import PALETTE, make_axes
from cnngen_course.operations import count_overlaps


def plot_overlaps(sizes: Sequence[tuple[int, int]]) -> Figure:
    """Plot how many stamps of a transposed convolution cover each pixel, for each (kernel size, stride)."""
    figure, axes = make_axes(1, len(sizes), 1.8, 2.0)
    for place, (kernel_size, stride) in zip(axes[0], sizes, strict=True):
        counts = count_overlaps(4, kernel_size, stride)
        place.imshow(counts, cmap="Blues", vmin=0, vmax=counts.max() + 1)
        for row, line in enumerate(counts.int().tolist()):
            for column, count in enumerate(line):
                colour = "white" if count > 0.6 * (counts.max() + 1) else "black"
                place.text(column, row, count, ha="center", va="center", fontsize=7, color=colour)
        place.set_title(f"kernel {kernel_size}, stride {stride}")
        place.set_axis_off()
    return figure


def plot_map(picture_map: PictureMap) -> Figure:
    """Plot where each picture lies, a sign and a colour for each class, and its name at the class's middle."""
    figure, axes = make_axes(1, 1, 5.2, 4.4)
    place = axes[0, 0]
    for label in range(len(picture_map.data.class_names)):
        points = picture_map.places[picture_map.data.labels == label][:120]  # enough to see the shape
        colour = PALETTE[label % len(PALETTE)]
        place.scatter(*points.T, 9, colour, "osv^DPX*dp"[label], alpha=0.6, linewidths=0)
    for label, (x, y) in enumerate(spread_names(compute_middles(picture_map)).tolist()):
        colour = PALETTE[label % len(PALETTE)]
        box = {"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.2", "alpha": 0.9}
        place.text(x, y, picture_map.data.class_names[label], ha="center", va="center", fontsize=9, bbox=box)
    place.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="first number, scaled", ylabel="second number, scaled")
    return figure


def compute_middles(picture_map: PictureMap) -> Tensor:
    """Return the median place of each class, (classes, 2)."""
    labels = picture_map.data.labels
    return torch.stack([picture_map.places[labels == label].median(dim=0).values for label in labels.unique()])


def spread_names(places: Tensor, width: float = 0.36, height: float = 0.11) -> Tensor:
    """Move places (N, 2) down, from the top one on, until no two names of this size overlap."""
    places = places.clamp(-0.85, 0.85)
    done: list[int] = []
    for index in places[:, 1].argsort(descending=True).tolist():
        for other in done:
            gap = (places[index] - places[other]).abs()
            if gap[0] < width and gap[1] < height:
                places[index, 1] = places[other, 1] - height
        done.append(index)
    return places
