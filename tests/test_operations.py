"""Every operation in plain tensor code does the same as PyTorch's own, and sizes are as promised."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from cnngen_course import operations

QUICK = settings(max_examples=30, deadline=None, derandomize=True)


def make_images(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@QUICK
@given(
    size=st.integers(1, 40),
    kernel_size=st.integers(1, 7),
    stride=st.integers(1, 4),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
)
def test_output_size_is_what_conv2d_gives(
    size: int, kernel_size: int, stride: int, padding: int, dilation: int
) -> None:
    assume(size + 2 * padding >= dilation * (kernel_size - 1) + 1)
    kernel = torch.ones(1, 1, kernel_size, kernel_size)
    response = F.conv2d(torch.ones(1, 1, size, size), kernel, None, stride, padding, dilation)
    assert operations.compute_output_size(size, kernel_size, stride, padding, dilation) == response.shape[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 5), "does not fit"),
        ((4, 3, 1, 0, 2), "does not fit"),
        ((4, 0), "start at 1"),
        ((4, 3, 0), "start at 1"),
        ((4, 3, 1, -1), "padding at 0"),
        ((4, 3, 1, 0, 0), "start at 1"),
    ],
)
def test_impossible_sizes_are_refused(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        operations.compute_output_size(*arguments)


@QUICK
@given(
    size=st.integers(1, 12),
    kernel_size=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    output_padding=st.integers(0, 2),
)
def test_transposed_size_and_values(
    size: int, kernel_size: int, stride: int, padding: int, output_padding: int
) -> None:
    assume(output_padding < stride)
    wanted = operations.compute_transposed_size(size, kernel_size, stride, padding, output_padding)
    assume(wanted >= 1)
    images, weight, bias = make_images(2, 3, size, size), make_images(3, 2, kernel_size, kernel_size), make_images(2)
    ours = operations.convolve_transposed(images, weight, bias, stride, padding, output_padding)
    theirs = F.conv_transpose2d(images, weight, bias, stride, padding, output_padding)
    assert ours.shape[-2:] == (wanted, wanted)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@QUICK
@given(
    height=st.integers(9, 16),
    width=st.integers(9, 16),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    biased=st.booleans(),
)
def test_convolve_is_conv2d(
    height: int, width: int, kernel_size: int, stride: int, padding: int, dilation: int, biased: bool
) -> None:
    images, weight = make_images(2, 3, height, width), make_images(4, 3, kernel_size, kernel_size, seed=1)
    bias = make_images(4, seed=2) if biased else None
    ours = operations.convolve(images, weight, bias, stride, padding, dilation)
    torch.testing.assert_close(ours, F.conv2d(images, weight, bias, stride, padding, dilation), rtol=1e-4, atol=1e-4)


def test_convolution_and_its_transpose_are_one_matrix() -> None:
    """<convolve(x), y> = <x, transpose(y)>: the transposed convolution undoes the shape, not the values."""
    x, y, weight = make_images(1, 2, 9, 9), make_images(1, 3, 4, 4, seed=1), make_images(3, 2, 3, 3, seed=2)
    forward = (operations.convolve(x, weight, stride=2) * y).sum()
    backward = (x * operations.convolve_transposed(y, weight, stride=2)).sum()
    torch.testing.assert_close(forward, backward, rtol=1e-4, atol=1e-4)


@QUICK
@given(height=st.integers(5, 12), width=st.integers(5, 12), kernel_size=st.integers(1, 5), stride=st.integers(1, 5))
def test_pool_is_torch_pooling(height: int, width: int, kernel_size: int, stride: int) -> None:
    images = make_images(2, 3, height, width)
    for kind, theirs in {"max": F.max_pool2d, "average": F.avg_pool2d}.items():
        torch.testing.assert_close(
            operations.pool(images, kernel_size, stride, kind), theirs(images, kernel_size, stride)
        )
        torch.testing.assert_close(operations.pool(images, kernel_size, kind=kind), theirs(images, kernel_size))


def test_pool_knows_two_kinds() -> None:
    with pytest.raises(ValueError, match='"max" or "average"'):
        operations.pool(torch.zeros(1, 1, 4, 4), 2, kind="median")


def test_pad_and_cut_windows() -> None:
    images = make_images(2, 3, 6, 7)
    torch.testing.assert_close(operations.pad(images, 2, value=0.5), F.pad(images, (2, 2, 2, 2), value=0.5))
    windows = operations.cut_windows(images, 3)
    assert windows.shape == (2, 3, 4, 5, 3, 3)
    columns = F.unfold(images, 3).view(2, 3, 3, 3, 4, 5).permute(0, 1, 4, 5, 2, 3)
    torch.testing.assert_close(windows, columns)
    spread = operations.cut_windows(images, 3, dilation=2)
    assert spread.shape == (2, 3, 2, 3, 3, 3)
    torch.testing.assert_close(spread[0, 0, 1, 2], images[0, 0, 1::2, 2::2][:3, :3])


@QUICK
@given(
    layers=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2)), min_size=1, max_size=4),
)
def test_receptive_field_is_where_the_gradient_is(layers: list[tuple[int, int, int]]) -> None:
    field = operations.compute_receptive_field(layers)
    images = torch.zeros(1, 1, field, field, requires_grad=True)  # just large enough for one output
    stack = nn.Sequential(*[nn.Conv2d(1, 1, size, stride, dilation=dilation) for size, stride, dilation in layers])
    for layer in stack:
        nn.init.ones_(layer.weight)  # nothing can cancel
    response = stack(images)
    assert response.shape[-2:] == (1, 1)
    response.sum().backward()
    seen = images.grad[0, 0] != 0
    assert seen[0].any() and seen[-1].any() and seen[:, 0].any() and seen[:, -1].any()


def test_receptive_field_by_hand() -> None:
    assert operations.compute_receptive_field([]) == 1
    assert operations.compute_receptive_field([(3, 1), (3, 1)]) == 5
    assert operations.compute_receptive_field([(3, 2), (3, 2)]) == 7
    assert operations.compute_receptive_field([(3, 1), (2, 2), (3, 1, 2)]) == 12


def test_overlaps_count_stamps() -> None:
    even = operations.count_overlaps(5, 4, 2)
    assert even.shape == (12, 12)
    assert (even[2:-2, 2:-2] == 4).all()
    uneven = operations.count_overlaps(5, 3, 2)[2:-2, 2:-2]
    assert set(uneven.flatten().tolist()) == {1.0, 2.0, 4.0}
    assert even.sum() == 25 * 16


@QUICK
@given(height=st.integers(1, 12), width=st.integers(1, 12), out_height=st.integers(1, 30), out_width=st.integers(1, 30))
def test_resize_bilinear_is_interpolate(height: int, width: int, out_height: int, out_width: int) -> None:
    images = make_images(2, 3, height, width)
    theirs = F.interpolate(images, size=(out_height, out_width), mode="bilinear", align_corners=False)
    torch.testing.assert_close(operations.resize_bilinear(images, out_height, out_width), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_resize_nearest_and_shuffle(factor: int) -> None:
    images = make_images(2, 2 * factor**2, 4, 5)
    torch.testing.assert_close(operations.resize_nearest(images, factor), F.interpolate(images, scale_factor=factor))
    torch.testing.assert_close(operations.shuffle_pixels(images, factor), F.pixel_shuffle(images, factor))


def test_gaussian_kernel_is_the_textbook_one() -> None:
    kernel = operations.compute_gaussian_kernel(1.5)
    reach = len(kernel) // 2
    assert len(kernel) == 2 * math.ceil(3 * 1.5) + 1
    assert kernel.sum().item() == pytest.approx(1)
    assert kernel[reach, reach + 3] / kernel[reach, reach] == pytest.approx(math.exp(-2))
    torch.testing.assert_close(kernel, kernel.T)
    spread = (torch.arange(-reach, reach + 1) ** 2 * kernel.sum(0)).sum()  # its variance, a little cut at three sigma
    assert spread.item() == pytest.approx(1.5**2, rel=0.05)


def test_classic_kernels_keep_their_promises() -> None:
    """Blur and sharpen keep a plain area as it is, edge finders answer nothing to it."""
    sums = {name: operations.make_kernel(name).sum().item() for name in operations.CLASSIC_KERNELS}
    for name in ("identity", "box blur", "Gaussian blur", "sharpen"):
        assert sums.pop(name) == pytest.approx(1)
    assert list(sums.values()) == [0, 0, 0, 0]
    upright = operations.make_kernel("Sobel, upright edges")
    torch.testing.assert_close(upright.T, operations.make_kernel("Sobel, level edges"))
    step = torch.tensor([-1.0, -1, 1, 1]).expand(1, 1, 4, 4)  # dark on the left, bright on the right
    assert (operations.convolve(step, upright[None, None]) == 8).all()
