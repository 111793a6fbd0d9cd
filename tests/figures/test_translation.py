"""Windows are drawn on the picture."""

import torch

from cnngen_course.figures.translation import plot_window


def test_windows_are_drawn_on_the_picture() -> None:
    figure = plot_window(torch.ones(3, 64, 64), {"a": (0, 0, 20), "b": (24, 24, 40)})
    pixels = figure.axes[0].images[0].get_array()
    assert pixels.shape == (384, 384, 3) and len({tuple(pixel) for pixel in pixels.reshape(-1, 3)}) >= 3
