"""Inpainting: by how much a network beats the soap film, against the depth of the damage."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.figures import BLUE, ORANGE, make_axes

BORDER = 4  # decibels; dots beyond are drawn at the border


def plot_gain(depths: Tensor, gains: Tensor) -> Figure:
    """Plot by how many decibels the network beats the soap film, a dot a picture, against the depth of its damage."""
    figure, axes = make_axes(1, 1, 5.2, 3.0)
    place = axes[0, 0]
    place.axhline(0, color="grey", linewidth=1, linestyle="--")
    shift = torch.linspace(-0.3, 0.3, len(depths))  # dots of one depth side by side
    inside = gains.clamp(-BORDER, BORDER)
    place.scatter(depths + shift, inside, 7, BLUE, alpha=0.45, linewidths=0, label=f"a picture (±{BORDER}: or more)")
    steps = depths.unique()
    middles = torch.stack([gains[depths == step].median() for step in steps])
    place.plot(steps, middles, "o-", color=ORANGE, linewidth=2, markersize=5, label="median of a depth")
    place.set(xlabel="depth of the damage, pixels", ylabel="dB better than Laplace")
    place.legend(frameon=False)
    return figure
