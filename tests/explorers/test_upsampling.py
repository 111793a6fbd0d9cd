"""The arithmetic behind the explorers of the lesson on upsampling."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnngen_course.datasets import make_shapes
from cnngen_course.explorers.upsampling import (
    METHODS,
    WEIGHTS,
    compute_lattice,
    compute_map,
    compute_overlaps,
    compute_untrained,
    compute_upsampled,
    compute_weight,
    draw_upsampling,
    spread_names,
)
from cnngen_course.metrics import compute_checkerboard
from cnngen_course.models.autoencoder import Autoencoder
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


def test_checkerboard_is_the_energy_at_its_frequencies() -> None:
    """A pattern of period 2 lies at the frequencies 0 and 1/2: the discrete Fourier transform agrees (Parseval)."""
    image = torch.rand(1, 1, 8, 12, dtype=torch.double)
    spectrum = torch.fft.fft2(image[0, 0]).abs() / (8 * 12)
    energy = spectrum[0, 6] ** 2 + spectrum[4, 0] ** 2 + spectrum[4, 6] ** 2
    assert compute_checkerboard(image, 2).item() == pytest.approx(energy.sqrt().item())


def test_checkerboard_of_known_patterns() -> None:
    ramp = torch.linspace(0, 1, 9).repeat_interleave(3).expand(1, 1, 27, 27)
    board = (torch.arange(10)[:, None] + torch.arange(10)) % 2 * 2.0 - 1
    assert compute_checkerboard(ramp, 3).item() == pytest.approx(0, abs=1e-6)
    assert compute_checkerboard(torch.stack([board, 3 * board])[:, None], 2).tolist() == pytest.approx([1, 3])
    assert compute_checkerboard(board[None, None], 1).item() == 0


def test_the_words_tell_good_from_bad() -> None:
    bad = draw_upsampling(None, "ankle boot", "transposed", "equal", 3, 2).text
    good = draw_upsampling(None, "ankle boot", "transposed", "equal", 4, 2).text
    assert "1 or 2 or 4 products, not equally many" in bad and "checkerboard that one sees" in bad
    assert "4 products, equally many" in good and "no visible checkerboard" in good


def test_the_lattice_runs_from_the_top_left() -> None:
    places = compute_lattice(2, 3)
    assert places[0].tolist() == pytest.approx([-2 / 3, 0.5])
    assert places[-1].tolist() == pytest.approx([2 / 3, -0.5])


def test_the_map_draws_what_the_decoder_draws() -> None:
    data = make_shapes(60)
    torch.manual_seed(0)
    model = Autoencoder(width=4, latent_size=2).eval()
    picture_map = compute_map(model, data)
    with torch.inference_mode():
        torch.testing.assert_close(picture_map.draw(picture_map.places), model(data.images), atol=1e-4, rtol=0)
    assert (picture_map.places.abs() <= 1).double().mean() > 0.9
    distances, nearest = picture_map.find_nearest(picture_map.places[7], 3)
    assert nearest[0] == 7 and distances[0] == 0 and (distances.diff() >= 0).all()


def test_names_do_not_overlap() -> None:
    places = spread_names(torch.zeros(5, 2))
    assert places[:, 1].sort().values.diff().min() >= 0.109
    apart = torch.tensor([[-0.5, 0.5], [0.5, 0.5]])
    assert torch.equal(spread_names(apart), apart)
