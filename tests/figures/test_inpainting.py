"""The plot of gains holds every picture."""

import torch

from cnngen_course.figures.inpainting import plot_gain


def test_the_plot_of_gains_holds_every_picture() -> None:
    figure = plot_gain(torch.tensor([1, 1, 4]), torch.tensor([0.5, 1.5, -9.0]))
    dots, medians = figure.axes[0].collections[0], figure.axes[0].lines[1]
    assert dots.get_offsets()[:, 1].tolist() == [0.5, 1.5, -4.0]
    assert medians.get_xdata().tolist() == [1, 4] and medians.get_ydata().tolist() == [0.5, -9.0]
