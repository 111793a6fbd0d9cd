"""What the layers of a convolutional network compute, in plain tensor code.

Slow and readable on purpose: each function does the same as its twin in ``torch.nn.functional`` (a test
compares them), and a lesson can open it. Networks use PyTorch's own layers.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

CLASSIC_KERNELS: dict[str, tuple[tuple[float, ...], ...]] = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "box blur": ((1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9)),
    "Gaussian blur": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "Sobel, upright edges": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel, level edges": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "emboss": ((-2, -1, 0), (-1, 0, 1), (0, 1, 2)),
    "Laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
}


def compute_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return the height (or width) that a convolution or pooling gives for an input of ``size`` pixels.

    Raises:
        ValueError: a setting makes no sense, or the window is larger than the padded picture.
    """
    if min(kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("kernel_size, stride and dilation start at 1, padding at 0")
    span = dilation * (kernel_size - 1) + 1
    if size + 2 * padding < span:
        raise ValueError(f"a window of {span} pixels does not fit into {size} + 2·{padding} pixels")
    return (size + 2 * padding - span) // stride + 1


def compute_transposed_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> int:
    """Return the height (or width) that a transposed convolution gives for an input of ``size`` pixels."""
    return (size - 1) * stride - 2 * padding + kernel_size + output_padding


def compute_receptive_field(layers: Sequence[tuple[int, ...]]) -> int:
    """Return how many input pixels (along one side) one output of a stack sees, from its first to its last.

    Args:
        layers: ``(kernel_size, stride)`` or ``(kernel_size, stride, dilation)`` of each convolution or pooling,
            first layer first.
    """
    field, step = 1, 1
    for kernel_size, stride, *dilation in layers:
        field += math.prod(dilation) * (kernel_size - 1) * step
        step *= stride  # how many input pixels lie between two neighbouring outputs
    return field


def cut_windows(images: Tensor, kernel_size: int, stride: int = 1, dilation: int = 1) -> Tensor:
    """Return every window of the pictures: (N, C, H, W) -> (N, C, H_out, W_out, kernel_size, kernel_size)."""
    span = dilation * (kernel_size - 1) + 1
    windows = images.unfold(2, span, stride).unfold(3, span, stride)
    return windows[..., ::dilation, ::dilation]


def pad(images: Tensor, padding: int, value: float = 0.0) -> Tensor:
    """Return the pictures with ``padding`` pixels of ``value`` on each side."""
    count, channels, height, width = images.shape
    padded = images.new_full((count, channels, height + 2 * padding, width + 2 * padding), value)
    padded[:, :, padding : padding + height, padding : padding + width] = images
    return padded


def convolve(
    images: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Slide each kernel over the pictures and take the sum of products at every place.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, K, K).
        bias: (C_out,), added to every place of its channel.

    Returns:
        (N, C_out, H_out, W_out), the same as ``torch.nn.functional.conv2d``.
    """
    windows = cut_windows(pad(images, padding), weight.shape[-1], stride, dilation)
    response = torch.einsum("nchwij,ocij->nohw", windows, weight)
    return response if bias is None else response + bias[:, None, None]


def pool(images: Tensor, kernel_size: int, stride: int | None = None, kind: str = "max") -> Tensor:
    """Summarise each window of the pictures by its maximum or its average (``kind`` is "max" or "average").

    (N, C, H, W) -> (N, C, H_out, W_out), the same as ``torch.nn.functional.max_pool2d`` or ``avg_pool2d``.
    Without ``stride`` the windows lie side by side.
    """
    if kind not in ("max", "average"):
        raise ValueError(f'kind is "max" or "average", got {kind!r}')
    windows = cut_windows(images, kernel_size, stride or kernel_size)
    return windows.amax(dim=(-2, -1)) if kind == "max" else windows.mean(dim=(-2, -1))


def convolve_transposed(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
) -> Tensor:
    """Let every input pixel stamp its kernel onto a larger picture; overlapping stamps add up.

    Args:
        images: (N, C_in, H, W).
        weight: (C_in, C_out, K, K), in PyTorch's order for transposed convolutions.
        padding: how many pixels are cut off each side of the stamped picture.
        output_padding: how many empty rows and columns are added below and to the right; less than ``stride``.

    Returns:
        (N, C_out, H_out, W_out), the same as ``torch.nn.functional.conv_transpose2d``.
    """
    count, _, height, width = images.shape
    kernel_size = weight.shape[-1]
    stamps = torch.einsum("nchw,coij->nohwij", images, weight)
    shape = [compute_transposed_size(size, kernel_size, stride, 0, output_padding) for size in (height, width)]
    canvas = images.new_zeros(count, weight.shape[1], *shape)
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            canvas[:, :, top : top + kernel_size, left : left + kernel_size] += stamps[:, :, row, column]
    canvas = canvas[:, :, padding : shape[0] - padding, padding : shape[1] - padding]
    return canvas if bias is None else canvas + bias[:, None, None]


def count_overlaps(size: int, kernel_size: int, stride: int) -> Tensor:
    """Return how many stamps of a transposed convolution cover each output pixel (H_out, W_out).

    An uneven count is what draws checkerboards (Odena, Dumoulin and Olah, 2016, "Deconvolution and
    checkerboard artifacts").
    """
    one = torch.ones(1, 1, size, size)
    return convolve_transposed(one, torch.ones(1, 1, kernel_size, kernel_size), stride=stride)[0, 0]


def resize_nearest(images: Tensor, factor: int) -> Tensor:
    """Repeat every pixel ``factor`` times in both directions."""
    return images.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)


def resize_bilinear(images: Tensor, height: int, width: int) -> Tensor:
    """Resize by linear interpolation between pixel centres, as ``interpolate(mode="bilinear")`` does.

    Pixels are squares with a centre in the middle (``align_corners=False``). Without a filter before it,
    shrinking by more than two this way skips pixels and aliases.
    """
    top, bottom, down = _neighbours(images.shape[2], height)
    left, right, across = _neighbours(images.shape[3], width)
    rows = torch.lerp(images[:, :, top], images[:, :, bottom], down[:, None].to(images))
    return torch.lerp(rows[..., left], rows[..., right], across.to(images))


def _neighbours(size: int, wanted: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for each wanted place, the two input places beside it and how far it lies towards the second."""
    centres = (torch.arange(wanted) + 0.5) * size / wanted - 0.5
    centres = centres.clamp(0, size - 1)
    first = centres.floor().long()
    return first, (first + 1).clamp(max=size - 1), centres - first


def shuffle_pixels(images: Tensor, factor: int) -> Tensor:
    """Turn groups of ``factor²`` channels into ``factor`` × ``factor`` blocks of pixels (Shi et al., 2016).

    (N, C·factor², H, W) -> (N, C, H·factor, W·factor), the same as ``torch.nn.functional.pixel_shuffle``.
    """
    count, channels, height, width = images.shape
    blocks = images.view(count, channels // factor**2, factor, factor, height, width)
    return blocks.permute(0, 1, 4, 2, 5, 3).reshape(count, -1, height * factor, width * factor)


def make_kernel(name: str) -> Tensor:
    """Return one of the ``CLASSIC_KERNELS`` as a tensor (3, 3)."""
    return torch.tensor(CLASSIC_KERNELS[name], dtype=torch.float32)


def compute_gaussian_kernel(sigma: float) -> Tensor:
    """Return a normalised Gaussian blur kernel (K, K), wide enough for three standard deviations."""
    reach = max(1, math.ceil(3 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    return torch.outer(line, line) / line.sum() ** 2
