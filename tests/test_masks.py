"""Masks repeat with their seed, leave something to know, and damage what their kind promises."""

import pytest
import torch

from cnngen_course.exercises.inpainting import solve_depth
from cnngen_course.masks import KINDS, compute_depth, sample_masks


@pytest.mark.parametrize("kind", [*KINDS, "mixed"])
@pytest.mark.parametrize("size", [28, 64, 100])
def test_masks_leave_some_and_take_some(kind: str, size: int) -> None:
    masks = sample_masks(kind, 40, size, seed=1)
    assert masks.shape == (40, 1, size, size) and masks.dtype == torch.bool
    missing = (~masks).float().mean(dim=(1, 2, 3))
    assert (missing > 0.005).all() and (missing < 0.75).all()
    assert torch.equal(masks, sample_masks(kind, 40, size, seed=1))
    if kind != "centre":
        assert not torch.equal(masks, sample_masks(kind, 40, size, seed=2))


def test_the_centre_hole_is_a_quarter_of_the_picture() -> None:
    mask = sample_masks("centre", 1, 28)[0, 0]
    assert (~mask).sum() == 14 * 14 and not mask[7:21, 7:21].any()


def test_scratches_are_thin_and_cross_the_picture() -> None:
    masks = sample_masks("scratches", 20, 64)
    assert (~masks).float().mean() < 0.2
    crossing = (~masks).any(dim=3).all(dim=2) | (~masks).any(dim=2).all(dim=2)  # every row, or every column, is hit
    assert crossing.float().mean() > 0.9


def test_mixed_takes_all_kinds_but_the_centre_in_turn() -> None:
    assert torch.equal(sample_masks("mixed", 1, 64)[0], sample_masks("box", 1, 64)[0])


def test_unknown_kinds_and_tiny_pictures_are_named() -> None:
    with pytest.raises(ValueError, match="scratches"):
        sample_masks("coffee", 1, 28)
    with pytest.raises(ValueError, match="16 pixels"):
        sample_masks("box", 1, 8)


def test_the_depth_is_that_of_the_exercise() -> None:
    known = sample_masks("mixed", 12, 40, seed=2)
    assert compute_depth(known).tolist() == [solve_depth(mask[None]) for mask in known]


def test_no_damage_has_no_depth_and_no_known_pixel_no_end() -> None:
    known = torch.ones(2, 1, 6, 9, dtype=torch.bool)
    known[1] = False
    assert compute_depth(known).tolist() == [0, 9]
