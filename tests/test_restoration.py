"""The classical fills keep what is known, and each does what its idea says."""

import pytest
import torch

from cnngen_course.masks import sample_masks
from cnngen_course.restoration import FILLS, fill_laplace, fill_mean


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
