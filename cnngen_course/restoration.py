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


def fill_pyramid(images: Tensor, known: Tensor) -> Tensor:
    """Fill from coarse to fine: what is missing at one size comes from the half as large picture (push and pull).

    A few steps at any size, all pictures at once.
    """
    shares, sums = [known.to(images.dtype)], [torch.where(known, images, 0)]
    while max(shares[-1].shape[2:]) > 1:  # pull: means of the known pixels, at half the size again and again
        margins = (0, shares[-1].shape[3] % 2, 0, shares[-1].shape[2] % 2)
        share, total = (nn.functional.avg_pool2d(nn.functional.pad(x[-1], margins), 2) for x in (shares, sums))
        total = total / share.clamp(min=1e-6)
        share = (share > 0).to(share)
        shares, sums = [*shares, share], [*sums, total * share]
    filled = sums[-1]
    for share, total in zip(reversed(shares[:-1]), reversed(sums[:-1]), strict=True):  # push: fill what is missing
        rough = nn.functional.interpolate(filled, total.shape[2:], mode="bilinear", align_corners=False)
        filled = torch.where(share > 0, total, rough)
    return filled


def fill_laplace(images: Tensor, known: Tensor, sweeps: int = 60) -> Tensor:
    """Fill with a soap film: every missing pixel is the mean of its four neighbours (Laplace's equation).

    Begins with the pyramid, which has the large shapes right, so that few sweeps over the picture do.
    """
    filled = fill_pyramid(images, known)
    for _ in range(sweeps):
        wide = nn.functional.pad(filled, (1, 1, 1, 1), mode="replicate")
        around = (wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]) / 4
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
    "pyramid": fill_pyramid,
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
