"""Learning from labels: pictures with what a decoder is told of them, and whether it obeys."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.datasets import ImageSet
from cnngen_course.figures import BLUE, draw_image, make_axes
from cnngen_course.models.vae import compute_details


def plot_pairs(data: ImageSet, indices: Sequence[int]) -> Figure:
    """Plot pictures with what a decoder will be told of them: class, size and brightness."""
    figure, axes = make_axes(1, len(indices), 1.25, 1.9)
    for place, index in zip(axes[0], indices, strict=True):
        size, brightness = compute_details(data.images[index : index + 1])[0].tolist()
        name = data.class_names[data.labels[index]]
        draw_image(place, data.images[index], f"{name}\nsize {size:.2f}\nbright {brightness:.2f}")
    return figure


def plot_obedience(asked: Tensor, measured: Tensor, names: Sequence[str]) -> Figure:
    """Plot what was asked for against what was drawn, one scatter a detail; both tensors are (N, details)."""
    figure, axes = make_axes(1, len(names), 2.8, 2.6)
    for place, name, x, y in zip(axes[0], names, asked.T, measured.T, strict=True):
        place.plot([0, 1], [0, 1], "--", color="grey", linewidth=1)
        place.scatter(x, y, 5, BLUE, alpha=0.4, linewidths=0)
        correlation = torch.corrcoef(torch.stack([x, y]))[0, 1]
        place.set(xlabel=f"{name} asked for", ylabel="measured", title=f"correlation {correlation:.2f}")
    return figure
