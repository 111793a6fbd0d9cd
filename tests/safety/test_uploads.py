"""Every hostile file gets the answer that the table promises, quickly and in little memory."""

import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from cnngen_course.images import PictureError, crop_square, open_picture
from cnngen_course.safety.uploads import SPECIMENS, judge_file, make_bomb, make_picture, make_turned

BAD = [name for name, specimen in SPECIMENS.items() if specimen.answer]


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_file_gets_the_answer_of_the_table(name: str) -> None:
    specimen = SPECIMENS[name]
    picture, sentence = judge_file(specimen.make())
    assert (picture is None) == bool(specimen.answer)
    assert specimen.answer in sentence and len(sentence) < 200
    if picture:
        assert picture.mode == "RGB" and picture.size == (90, 60)
        assert crop_square(picture, 32).size == (32, 32)


def test_the_table_holds_what_a_studio_will_meet() -> None:
    assert len(BAD) >= 6 and len(SPECIMENS) - len(BAD) >= 4
    answers = {SPECIMENS[name].answer for name in BAD}
    assert len(answers) >= 4, "not one answer for everything"


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_costs_little(name: str) -> None:
    content = SPECIMENS[name].make()
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(PictureError):
        open_picture(content)
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 5 and peak < 5_000_000, (seconds, peak)


def test_a_bomb_is_small_and_claims_much() -> None:
    assert len(make_bomb()) < 1_000
    width, height = (int.from_bytes(make_bomb()[at : at + 4], "big") for at in (16, 20))
    assert width * height == 900_000_000


def test_the_turned_picture_comes_upright() -> None:
    picture = open_picture(make_turned())
    difference = np.abs(np.asarray(picture).astype(int) - np.asarray(make_picture()))
    assert np.median(difference) < 10 and picture.size == make_picture().size


def test_one_pixel_and_a_thin_line_become_squares() -> None:
    for size in ((1, 1), (4_000, 1), (1, 4_000)):
        assert crop_square(Image.new("RGB", size), 64).size == (64, 64)
