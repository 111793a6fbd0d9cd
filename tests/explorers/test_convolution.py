"""The kernel editor's numbers: the value it takes apart is the one PyTorch computes, wherever one points."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from cnngen_course import operations
from cnngen_course.explorers import convolution as explorer
from cnngen_course.galleries import load_grey_square, load_photo
from cnngen_course.images import to_pil

IMAGES = torch.rand(1, 1, explorer.SIZE, explorer.SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    row=st.integers(0, explorer.SIZE - 1),
    column=st.integers(0, explorer.SIZE - 1),
    stride=st.integers(1, 4),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 4),
    pooling=st.sampled_from(["max", "average", None]),
)
def test_the_sum_spelled_out_is_the_answer_of_torch(
    row: int, column: int, stride: int, padding: int, dilation: int, pooling: str | None
) -> None:
    kernel = torch.arange(9.0).view(3, 3) - 3
    trace = explorer.compute_trace(IMAGES, kernel, row, column, stride, padding, dilation, pooling)
    wanted = F.conv2d(IMAGES, kernel[None, None], None, stride, padding, dilation)
    if pooling:
        wanted = {"max": F.max_pool2d, "average": F.avg_pool2d}[pooling](wanted, 2)
    torch.testing.assert_close(trace.response, wanted[0, 0], rtol=1e-4, atol=1e-4)
    answer = trace.response[trace.place]
    if pooling == "average":
        torch.testing.assert_close(answer, trace.pooled.mean(), rtol=1e-4, atol=1e-4)
        answer = trace.pooled[0]
    torch.testing.assert_close(trace.products.sum(), answer, rtol=1e-4, atol=1e-4)
    top, left = trace.corner
    span = 2 * dilation + 1
    torch.testing.assert_close(trace.window, trace.padded[top : top + span : dilation, left : left + span : dilation])


@pytest.mark.parametrize("pooling", [None, "max"])
def test_only_the_seen_square_matters(pooling: str | None) -> None:
    kernel = operations.make_kernel("box blur")
    images = IMAGES.clone().requires_grad_()
    trace = explorer.compute_trace(images, kernel, 50, 20, stride=2, dilation=2, pooling=pooling or "average")
    trace.response[trace.place].backward()
    top, left, length = trace.seen
    outside = images.grad[0, 0].clone()
    outside[top : top + length, left : left + length] = 0
    assert images.grad.any() and not outside.any()


def test_pointing_at_a_pixel_centres_the_window_on_it() -> None:
    trace = explorer.compute_trace(IMAGES, operations.make_kernel("identity"), 30, 70, padding=1)
    assert trace.place == (30, 70)
    assert trace.products.sum() == IMAGES[0, 0, 30, 70]


def test_a_map_is_shown_with_nought_as_mid_grey_and_within_range() -> None:
    shown, scale = explorer.compute_shown(torch.tensor([[0.0, 5.0], [-5.0, 2.5]]))
    assert scale == pytest.approx(5)
    assert shown.flatten().tolist() == [128, 255, 0, 191]
    _, unchanged = explorer.compute_shown(torch.tensor([[0.0, 0.5]]))
    assert unchanged == 1


def test_numbers_are_written_short() -> None:
    assert [explorer.write_number(value) for value in (2.0, -0.35, 0.0, -0.001, 0.1)] == [
        "+2",
        "−0.35",
        "0",
        "0",
        "+0.10",
    ]


def test_a_photograph_and_ones_own_picture_are_prepared_alike() -> None:
    own = explorer.prepare(to_pil(load_photo("scene_coffee").pixels))
    assert own.shape == IMAGES.shape and torch.equal(own, load_grey_square("scene_coffee", explorer.SIZE))


def test_a_preset_sets_the_nine_weights_and_draws_them() -> None:
    panel = explorer.make_kernel_explorer()
    before = panel.picture.value
    panel.controls["preset"].value = "Laplacian"
    assert [panel.controls[name].value for name in explorer.PLACES] == [0, 1, 0, 1, -4, 1, 0, 1, 0]
    assert panel.controls["preset"].value == "Laplacian"
    assert panel.picture.value != before
    assert "add up to 0" in panel.describe()


def test_a_changed_weight_makes_the_kernel_ones_own() -> None:
    panel = explorer.make_kernel_explorer()
    panel.controls["e"].value = 3
    assert panel.controls["preset"].value == explorer.OWN_KERNEL
    assert "multiplied by +3" in panel.describe()
    panel.controls["preset"].value = "box blur"
    assert panel.controls["e"].value == pytest.approx(1 / 9, abs=1e-4)
    assert "keeps its brightness" in panel.describe()
