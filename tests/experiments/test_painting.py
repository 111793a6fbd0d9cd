"""Odd sizes are brought into a form that the network can paint."""

import pytest
import torch
from PIL import Image

from cnngen_course.experiments.painting import LONGEST, prepare, to_batch
from cnngen_course.models.stylist import Stylist
from cnngen_course.pretrained import load_pretrained


@pytest.fixture(scope="module")
def model() -> Stylist:
    return load_pretrained("stylist", Stylist)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (900, 30), (2000, 1500), (37, 41)])
def test_odd_sizes_are_brought_into_form(size: tuple[int, int], model: Stylist) -> None:
    picture = prepare(Image.new("RGB", size, "teal"))
    assert max(picture.size) <= LONGEST * min(picture.size) and min(picture.size) <= 384
    images = to_batch(picture, 96)
    assert min(images.shape[2:]) == 96
    with torch.inference_mode():
        assert model(images, torch.zeros(1, dtype=torch.int64)).shape == images.shape
