"""Damage where the strokes are, and repairs that leave the known pixels alone."""

import pytest
import torch

from cnngen_course.explorers import inpainting
from cnngen_course.masks import sample_masks


@pytest.mark.parametrize("way", inpainting.WAYS)
def test_known_pixels_come_back_bit_for_bit(way: str) -> None:
    images, known = inpainting.load_picture("hedgehog"), sample_masks("free_form", 1, inpainting.SIZE)
    repaired = inpainting.repair(way, images, known)
    assert torch.equal(repaired[known.expand_as(images)], images[known.expand_as(images)])
    assert repaired.shape == images.shape and repaired.abs().max() <= 1.01


def test_strokes_damage_and_damage_of_a_kind_is_added_to_them() -> None:
    drawn = inpainting.compute_known(inpainting.FIRST_STROKES, 96)
    assert 0.02 < 1 - drawn.float().mean().item() < 0.3
    images = inpainting.load_picture("hedgehog")
    texts = [inpainting.draw_repairs(images, kind, 1, inpainting.FIRST_STROKES).text for kind in ("", "scratches")]
    shares = [float(text.split("%")[0]) for text in texts]
    assert shares[0] == pytest.approx(100 * (1 - drawn.float().mean().item()), abs=0.06) and shares[1] > shares[0]


def test_nothing_damaged_and_nothing_left_are_said() -> None:
    images = inpainting.load_picture("Berlin")
    assert "Nothing is damaged" in inpainting.draw_repairs(images, "", 1, ()).text
    blot = {"colour": "#000000", "width": 1.0, "points": ((0.0, 0.5), (1.0, 0.5))}
    assert "No pixel is left" in inpainting.draw_repairs(images, "", 1, (blot,)).text
