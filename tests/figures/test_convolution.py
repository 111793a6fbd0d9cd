"""A patch is drawn with its own numbers."""

import pytest
import torch

from cnngen_course.figures.convolution import CELL_HEIGHT, plot_patch
from cnngen_course.images import to_pixels


def test_a_patch_is_drawn_beside_its_picture() -> None:
    images = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    picture = plot_patch(images, top=10, left=20, size=4, zoom=2)
    side = 4 * CELL_HEIGHT
    assert picture.size == (2 * 96 + 60 + side, max(2 * 96, side))
    assert picture.getpixel((1, 1)) == (int(to_pixels(images)[0, 0, 0, 0]),) * 3
    first = picture.getpixel((2 * 96 + 60 + 3, 3))
    assert first[0] == pytest.approx(int(to_pixels(images)[0, 0, 10, 20]), abs=1)
