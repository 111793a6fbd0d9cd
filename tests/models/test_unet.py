"""The U-Net keeps the size, its convolutions treat missing pixels as they say, and known pixels come back untouched."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnngen_course.models.unet import (
    CONVOLUTIONS,
    GatedConv,
    Inpainter,
    PartialConv,
    PatchDiscriminator,
    PlainConv,
    UNet,
    UNetTwoWay,
)

every_kind = pytest.mark.parametrize("kind", CONVOLUTIONS)


@every_kind
@settings(max_examples=8, deadline=None)
@given(height=st.integers(8, 40), width=st.integers(8, 40))
def test_any_size_comes_back(kind: str, height: int, width: int) -> None:
    images = torch.rand(2, 3, height, width)
    drawn = UNet(3, 1, (8, 8, 16), kind)(images)
    assert drawn.shape == (2, 1, height, width) and drawn.abs().max() <= 1


def test_without_skips_detail_has_no_short_cut() -> None:
    """With skips, a changed pixel changes its own neighbourhood most; without, it must pass the narrow middle."""
    torch.manual_seed(0)
    with_skips, without = UNet(1, 1, (8, 16)), UNet(1, 1, (8, 16), skips=False)
    assert sum(p.numel() for p in without.parameters()) < sum(p.numel() for p in with_skips.parameters())
    with pytest.raises(ValueError, match="plain, partial, gated"):
        UNet(1, 1, kind="fancy")


def test_a_partial_convolution_over_known_pixels_is_a_plain_one() -> None:
    torch.manual_seed(0)
    partial, plain = PartialConv(2, 4, 3, bias=False), PlainConv(2, 4, 3, bias=False)
    plain.load_state_dict(partial.state_dict())
    x, known = torch.randn(1, 2, 9, 9), torch.ones(1, 1, 9, 9)
    answer, seen = partial(x, known)
    torch.testing.assert_close(answer, plain(x, known)[0])
    assert seen.min() == 1


def test_a_partial_convolution_makes_up_for_missing_pixels() -> None:
    """On a flat picture the answer stays the same however many pixels are missing, and the hole shrinks by one ring."""
    partial = PartialConv(1, 1, 3, bias=False)
    torch.nn.init.constant_(partial.weight, 1 / 9)
    known = torch.ones(1, 1, 11, 11)
    known[..., 3:8, 3:8] = 0
    answer, seen = partial(torch.full((1, 1, 11, 11), 5.0), known)
    assert seen.shape == answer.shape == (1, 1, 9, 9)
    assert (seen == 0).sum() == 9 and (seen[..., 3:6, 3:6] == 0).all()
    torch.testing.assert_close(answer[seen > 0], torch.full((72,), 5.0))
    assert (answer[seen == 0] == 0).all()


def test_a_closed_gate_lets_nothing_through() -> None:
    gated = GatedConv(1, 2, 3, 1, 1)
    gated.conv.bias.data[2:] = -100
    gated.conv.weight.data[2:] = 0
    answer, _ = gated(torch.randn(1, 1, 6, 6), torch.ones(1, 1, 6, 6))
    assert answer.abs().max() < 1e-6


@every_kind
def test_known_pixels_come_back_bit_for_bit_and_damage_is_never_looked_at(kind: str) -> None:
    torch.manual_seed(0)
    model = Inpainter(3, (8, 16), kind).eval()
    images, known = torch.rand(2, 3, 30, 28) * 2 - 1, torch.rand(2, 1, 30, 28) > 0.3
    restored = model(images, known)
    assert torch.equal(restored[known.expand_as(images)], images[known.expand_as(images)])
    ruined = torch.where(known, images, torch.nan)
    torch.testing.assert_close(model(ruined, known), restored, rtol=0, atol=0)


def test_patches_see_a_window_and_no_more() -> None:
    """A change in one corner reaches the logits near it only."""
    judge = PatchDiscriminator(3, depth=2)
    images = torch.rand(1, 3, 64, 64)
    changed = images.clone()
    changed[..., :4, :4] += 1
    difference = (judge(images) - judge(changed)).abs()
    assert difference.shape == (1, 8, 8)
    assert difference[0, 0, 0] > 0 and difference[0, 4:, 4:].max() == 0


def test_a_condition_is_seen() -> None:
    judge = PatchDiscriminator(3, 1)
    images, one, other = torch.rand(2, 3, 32, 32), torch.zeros(2, 1, 32, 32), torch.ones(2, 1, 32, 32)
    assert not torch.allclose(judge(images, one), judge(images, other))


def test_both_ways_are_separate_networks() -> None:
    model = UNetTwoWay(3, (8, 16))
    images = torch.rand(1, 3, 32, 32)
    assert model(images).shape == images.shape
    assert not torch.allclose(model.there(images), model.back(images))
