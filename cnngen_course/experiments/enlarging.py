"""Four ways to enlarge a picture, and the checkerboard that each draws before any training."""

import torch
from PIL import Image
from torch import Tensor, nn

from cnngen_course.images import crop_square, from_pil
from cnngen_course.metrics import compute_checkerboard
from cnngen_course.operations import resize_bilinear, resize_nearest

METHODS = {
    "nearest, then convolution": "nearest",
    "bilinear, then convolution": "bilinear",
    "transposed convolution": "transposed",
    "convolution, then pixel shuffle": "shuffle",
}
WEIGHTS = {"all equal": "equal", "a tent (high in the middle)": "tent", "random (an untrained network)": "random"}
SIDE = 24  # pixels of the small picture
GREY = 0.5


def compute_weight(kind: str, method: str, kernel_size: int, stride: int, seed: int = 5) -> Tensor:
    """Return kernels (out, 1, K, K) of a kind, scaled so that on average the picture keeps its brightness."""
    kernels = stride**2 if method == "shuffle" else 1
    if kind == "random":
        weight = torch.rand(kernels, 1, kernel_size, kernel_size, generator=torch.Generator().manual_seed(seed))
    elif kind == "tent":
        line = 1 - (torch.arange(kernel_size) - (kernel_size - 1) / 2).abs() / (kernel_size / 2)
        weight = torch.outer(line, line).expand(kernels, 1, -1, -1)
    else:
        weight = torch.ones(kernels, 1, kernel_size, kernel_size)
    total = stride**2 if method in ("transposed", "shuffle") else 1
    return weight / weight.sum() * total


def compute_upsampled(images: Tensor, weight: Tensor, method: str, stride: int) -> Tensor:
    """Enlarge pictures (N, C, H, W) ``stride`` times by one of the four methods, each channel by itself.

    The border is repeated outwards first, so that what is seen is the method and not the border.
    """
    single = images.flatten(0, 1)[:, None]  # (N·C, 1, H, W)
    if method == "nearest":
        large = convolve_same(resize_nearest(single, stride), weight)
    elif method == "bilinear":
        large = convolve_same(resize_bilinear(single, *(stride * side for side in single.shape[2:])), weight)
    elif method == "shuffle":
        large = nn.functional.pixel_shuffle(convolve_same(single, weight), stride)
    else:
        large = stamp_same(single, weight, stride)
    return large.view(*images.shape[:2], *large.shape[2:])


def convolve_same(images: Tensor, weight: Tensor) -> Tensor:
    before, after = (weight.shape[-1] - 1) // 2, weight.shape[-1] // 2
    return nn.functional.conv2d(nn.functional.pad(images, (before, after) * 2, mode="replicate"), weight)


def stamp_same(images: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Transposed convolution, cut to ``stride`` times the size with each stamp centred on its pixel."""
    height, width = (stride * side for side in images.shape[2:])
    around = weight.shape[-1]
    large = nn.functional.conv_transpose2d(
        nn.functional.pad(images, (around,) * 4, mode="replicate"), weight, stride=stride
    )
    start = around * stride + (around - stride) // 2
    return large[:, :, start : start + height, start : start + width]


def compute_overlaps(method: str, kernel_size: int, stride: int, size: int = 8) -> Tensor:
    """Return how many products are added up in each output pixel (size, size), away from the border."""
    ones = torch.ones_like(compute_weight("equal", method, kernel_size, stride))
    return compute_upsampled(torch.ones(1, 1, size, size), ones, method, stride)[0, 0, :size, :size]


def compute_untrained(method: str, kernel_size: int, stride: int = 2, count: int = 100) -> float:
    """Return the checkerboard that networks with random weights draw on flat grey, in grey levels of 255.

    It is the mean over ``count`` networks. Before any training, this is what a generator begins with.
    """
    flat = torch.full((1, 1, 8, 8), GREY)
    weights = [compute_weight("random", method, kernel_size, stride, seed) for seed in range(count)]
    patterns = [compute_checkerboard(compute_upsampled(flat, weight, method, stride), stride) for weight in weights]
    return 255 * torch.cat(patterns).mean().item()


def shrink(picture: Image.Image) -> Tensor:
    return from_pil(crop_square(picture, SIDE))[None] / 255
