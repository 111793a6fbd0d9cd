"""Random changes of whole batches, so that a network sees each picture otherwise every time."""

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

Augmentation = Callable[[Tensor], Tensor]


def chain(*steps: Augmentation) -> Augmentation:
    """Return one augmentation that does the given ones in order."""
    return lambda images: reduce(lambda changed, step: step(changed), steps, images)


def random_flip(images: Tensor) -> Tensor:
    """Mirror each picture left to right with probability one half."""
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


class RandomShift:
    """Move each picture by up to ``reach`` pixels in both directions; the border repeats what enters."""

    def __init__(self, reach: int) -> None:
        self.reach = reach

    def __call__(self, images: Tensor) -> Tensor:
        rows = self._shift(len(images), images.shape[2])  # (N, H)
        columns = self._shift(len(images), images.shape[3])  # (N, W)
        count = torch.arange(len(images))[:, None, None]
        return images[count, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()

    def _shift(self, count: int, size: int) -> Tensor:
        steps = torch.randint(-self.reach, self.reach + 1, (count, 1))
        return (torch.arange(size) + steps).clamp(0, size - 1)


class RandomErase:
    """Cover a square of ``size`` pixels of each picture with black (cutout, DeVries and Taylor, 2017)."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, images: Tensor) -> Tensor:
        rows = self._span(len(images), images.shape[2])[:, :, None]
        columns = self._span(len(images), images.shape[3])[:, None, :]
        covered = (rows & columns).to(images.device)  # (N, H, W)
        return images.masked_fill(covered[:, None], -1.0)

    def _span(self, count: int, size: int) -> Tensor:
        start = torch.randint(0, size, (count, 1)) - self.size // 2
        places = torch.arange(size)
        return (places >= start) & (places < start + self.size)  # (N, size)


class ColourJitter:
    """Change brightness, saturation and contrast of each colour picture by its own amount (Zhao et al., 2020).

    Args:
        brightness: up to half of it is added or taken away.
        saturation, contrast: what differs from the pixel's grey and from the picture's mean is scaled by 1 plus or
            minus up to half of it.
    """

    def __init__(self, brightness: float = 0.6, saturation: float = 1.0, contrast: float = 0.6) -> None:
        self.brightness, self.saturation, self.contrast = brightness, saturation, contrast

    def __call__(self, images: Tensor) -> Tensor:
        images = images + self._sample(images, self.brightness)
        grey = images.mean(dim=1, keepdim=True)
        images = grey + (images - grey) * (1 + self._sample(images, self.saturation))
        middle = images.mean(dim=(1, 2, 3), keepdim=True)
        return middle + (images - middle) * (1 + self._sample(images, self.contrast))

    def _sample(self, images: Tensor, reach: float) -> Tensor:
        return reach * (torch.rand(len(images), 1, 1, 1).to(images) - 0.5)


class RandomRotate:
    """Turn each picture about its centre by its own angle of up to ``degrees``; the border repeats what enters."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __call__(self, images: Tensor) -> Tensor:
        angles = torch.deg2rad(self.degrees * (2 * torch.rand(len(images)) - 1)).to(images)
        cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
        ratio = images.shape[2] / images.shape[3]  # the grid below measures each side as 2, whatever its pixels
        rows = torch.stack([cos, -sin * ratio, zero], dim=1), torch.stack([sin / ratio, cos, zero], dim=1)
        places = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
        return F.grid_sample(images, places, padding_mode="border", align_corners=False)
