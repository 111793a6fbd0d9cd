"""The classical fills keep what is known, and each does what its idea says."""

import pytest
import torch

from cnngen_course.masks import sample_masks
from cnngen_course.restoration import FILLS, fill_laplace, fill_mean, fill_pyramid


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_stay_bit_for_bit_and_damage_is_not_looked_at(name: str, channels: int) -> None:
    torch.manual_seed(0)
    images, known = torch.rand(3, channels, 32, 32) * 2 - 1, sample_masks("free_form", 3, 32)
    filled = FILLS[name](images, known)
    assert torch.equal(filled[known.expand_as(images)], images[known.expand_as(images)])
    ruined = torch.where(known, images, torch.nan)
    torch.testing.assert_close(FILLS[name](ruined, known), filled, rtol=0, atol=0)
    assert filled.abs().max() <= 1.01


@pytest.mark.parametrize("name", FILLS)
def test_a_flat_picture_is_repaired_without_a_trace(name: str) -> None:
    images, known = torch.full((1, 3, 32, 32), 0.2), sample_masks("box", 1, 32)
    assert (FILLS[name](images, known) - 0.2).abs().max() < 0.02  # OpenCV works in 256 grey levels


def test_laplace_continues_a_slope_and_the_mean_does_not() -> None:
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32).contiguous()
    known = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    known[..., 12:20, 12:20] = False
    assert (fill_laplace(ramp, known) - ramp).abs().max() < 0.02
    assert (fill_mean(ramp, known) - ramp).abs().max() > 0.2


@pytest.mark.parametrize("shape", [(16, 16), (17, 30), (1, 5)])
def test_the_pyramid_fills_any_size_and_no_value_leaves_the_known_range(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    images, known = torch.rand(2, 3, *shape), torch.rand(2, 1, *shape) < 0.3
    known[..., 0, 0] = True
    filled = fill_pyramid(images, known)
    for picture, whole, mask in zip(images, filled, known, strict=True):
        seen = picture[:, mask[0]]
        assert (whole.amin((1, 2)) >= seen.amin(1) - 1e-5).all() and (whole.amax((1, 2)) <= seen.amax(1) + 1e-5).all()


def test_the_pyramid_is_nearer_to_the_soap_film_than_the_mean() -> None:
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32).contiguous()
    known = sample_masks("centre", 1, 32)
    errors = [(fill(ramp, known) - ramp).abs().max().item() for fill in (fill_pyramid, fill_mean)]
    assert errors[0] < 0.6 * errors[1]
