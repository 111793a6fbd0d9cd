"""Filling holes without learning: the classical ways that a network has to beat.

All take images (N, C, H, W) in [-1, 1] and known (N, 1, H, W) bool and give the whole pictures back; known pixels stay
bit for bit.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

RADIUS = 3


def fill_mean(images: Tensor, known: Tensor) -> Tensor:
    """Fill with the mean of the picture's known pixels."""
    share = known.to(images.dtype)
    mean = (torch.where(known, images, 0)).sum((2, 3), keepdim=True) / share.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(known, images, mean)


def fill_laplace(images: Tensor, known: Tensor, sweeps: int = 200) -> Tensor:
    """Fill with a soap film: every missing pixel is the mean of its four neighbours (Laplace's equation)."""
    kernel = images.new_tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]]).div(4).expand(images.shape[1], 1, 3, 3)
    filled = fill_mean(images, known)
    for _ in range(sweeps):
        around = nn.functional.conv2d(
            nn.functional.pad(filled, (1, 1, 1, 1), mode="replicate"), kernel, groups=len(kernel)
        )
        filled = torch.where(known, images, around)
    return filled


def fill_telea(images: Tensor, known: Tensor) -> Tensor:
    """Fill from the edge inwards, each pixel from the known ones near it (Telea, 2004), by OpenCV."""
    return _fill_by_opencv(images, known, "INPAINT_TELEA")


def fill_navier_stokes(images: Tensor, known: Tensor) -> Tensor:
    """Continue lines of equal brightness into the hole as a fluid flows (Bertalmio et al., 2001), by OpenCV."""
    return _fill_by_opencv(images, known, "INPAINT_NS")


FILLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": fill_mean,
    "Laplace": fill_laplace,
    "Telea": fill_telea,
    "Navier-Stokes": fill_navier_stokes,
}


def _fill_by_opencv(images: Tensor, known: Tensor, method: str) -> Tensor:
    import cv2  # here, not above: half a second to import

    filled = images.clone()
    for index, (image, mask) in enumerate(zip(images, known, strict=True)):
        clean = torch.where(mask, image, 0)
        pixels = ((clean + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()  # (H, W, C)
        answer = cv2.inpaint(
            np.ascontiguousarray(pixels), (~mask[0]).to(torch.uint8).numpy(), RADIUS, getattr(cv2, method)
        )
        drawn = torch.from_numpy(answer.reshape(pixels.shape)).permute(2, 0, 1).to(image.dtype) / 127.5 - 1
        filled[index] = torch.where(mask, image, drawn)
    return filled
