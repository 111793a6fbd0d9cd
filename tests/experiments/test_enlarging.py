"""Four ways to enlarge: size, brightness, overlaps and checkerboards."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnngen_course.experiments.enlarging import (
    METHODS,
    WEIGHTS,
    compute_overlaps,
    compute_untrained,
    compute_upsampled,
    compute_weight,
)
from cnngen_course.operations import count_overlaps

every_method = pytest.mark.parametrize("method", METHODS.values())


@every_method
@given(kernel_size=st.integers(1, 7), stride=st.integers(1, 4), kind=st.sampled_from(list(WEIGHTS.values())))
@settings(max_examples=25, deadline=None)
def test_size_and_mean_brightness(method: str, kernel_size: int, stride: int, kind: str) -> None:
    weight = compute_weight(kind, method, kernel_size, stride)
    large = compute_upsampled(torch.full((1, 3, 6, 5), 0.5), weight, method, stride)
    assert large.shape == (1, 3, 6 * stride, 5 * stride)
    assert large.mean().item() == pytest.approx(0.5, abs=1e-4)


@every_method
def test_kernel_one_only_repeats(method: str) -> None:
    images = torch.rand(2, 3, 4, 5)
    large = compute_upsampled(images, compute_weight("equal", method, 1, 1), method, 1)
    torch.testing.assert_close(large, images)


def test_a_tent_of_twice_the_stride_is_bilinear() -> None:
    images = torch.rand(1, 3, 6, 6)
    large = compute_upsampled(images, compute_weight("tent", "transposed", 4, 2), "transposed", 2)
    wanted = nn.functional.interpolate(images, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(large, wanted)


@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 2), (3, 2), (4, 2), (5, 3), (2, 4), (7, 3)])
def test_overlaps_are_those_of_the_operation(kernel_size: int, stride: int) -> None:
    shown = compute_overlaps("transposed", kernel_size, stride)
    inside = count_overlaps(12, kernel_size, stride)[12:24, 12:24]
    assert shown.unique().tolist() == inside.unique().tolist()
    assert (shown.unique().numel() == 1) == (kernel_size % stride == 0)


def test_untrained_checkerboards() -> None:
    assert compute_untrained("nearest", 3, count=10) < 1e-3
    assert compute_untrained("bilinear", 5, count=10) < 1e-3
    assert compute_untrained("transposed", 3, count=10) > 2 * compute_untrained("transposed", 4, count=10)
    assert compute_untrained("shuffle", 3, count=10) > 5
