"""A mark is read with its key and no other, in parts and after a JPEG; a label is read where there is one."""

import io

import pytest
import torch
from PIL import Image

from cnngen_course.exercises.safety import solve_threshold
from cnngen_course.galleries import load_photo
from cnngen_course.images import PictureError, from_pil, to_pil
from cnngen_course.safety import marks
from cnngen_course.safety.faces import resize

MESSAGE = torch.rand(marks.BITS, generator=torch.Generator().manual_seed(1)) < 0.5


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    return load_photo("monument_berlinCathedral").pixels


@pytest.fixture(scope="module")
def marked(photo) -> torch.Tensor:
    return marks.write_mark(photo, MESSAGE, key=7)


def test_it_is_faint_and_read_back(photo, marked) -> None:
    assert (marked.float() - photo.float()).square().mean().sqrt() < 1.1 * marks.STRENGTH
    reading = marks.read_mark(marked, 7)
    assert reading.is_marked() and torch.equal(reading.message, MESSAGE)


def test_no_key_no_mark(photo, marked) -> None:
    assert not marks.read_mark(photo, 7).is_marked()
    assert not marks.read_mark(marked, 8).is_marked()


def test_a_part_at_any_place_is_enough(marked) -> None:
    part = marks.read_mark(marked[:, 21:230, 13:300], 7)
    assert part.is_marked() and (part.message == MESSAGE).float().mean() > 0.9


def test_it_survives_a_jpeg_and_half_the_size(marked) -> None:
    buffer = io.BytesIO()
    to_pil(marked).save(buffer, "JPEG", quality=50)
    assert marks.read_mark(from_pil(Image.open(buffer)), 7).is_marked()
    half = marks.read_mark(resize(marked, max(marked.shape[1:]) // 2), 7, (1.0, 2.0))
    assert half.scale == 2 and half.is_marked(looks=2 * marks.LOOKS)


def test_grey_and_flat_pictures_are_no_trouble() -> None:
    flat = torch.full((1, 100, 90), 128, dtype=torch.uint8)
    assert not marks.read_mark(flat, 7).is_marked()
    assert marks.read_mark(marks.write_mark(flat, MESSAGE, 7), 7).is_marked()


def test_a_message_has_its_length() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        marks.write_mark(torch.zeros(3, 64, 64, dtype=torch.uint8), MESSAGE[:8], 7)


def test_the_threshold_is_that_of_the_exercise() -> None:
    assert marks.compute_threshold(1e-3, 4096) == solve_threshold(1e-3, 4096)


def test_patterns_repeat_and_are_drawn_by_the_key() -> None:
    patterns = marks.make_patterns(3)
    assert patterns.shape == (1 + marks.BITS, marks.TILE, marks.TILE)
    torch.testing.assert_close(patterns.square().mean(dim=(1, 2)), torch.ones(1 + marks.BITS))
    assert not torch.equal(patterns, marks.make_patterns(4))


def test_a_label_is_read_back_and_only_from_a_png() -> None:
    picture, facts = Image.new("RGB", (20, 20), "red"), {"Source": "a network", "Model": "générateur"}
    assert marks.read_label(marks.write_label(picture, facts)) == facts
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    assert marks.read_label(buffer.getvalue()) == {}
    with pytest.raises(PictureError, match="not a picture"):
        marks.read_label(b"hello")
