"""Networks that look at something noisy and say which way it should move to become a picture.

They are told how far on it is (its time: 0 is noise, 1 a picture) and what it shall be (its class, or none). The last
place of the class table stands for "no class"; ``labels=None`` means it for all.
"""

import math

import torch
from torch import Tensor, nn

from cnngen_course.models.unet import GROUP_SIZE, Rise


class TimeFeatures(nn.Module):
    """Times (N,) in [0, 1] -> (N, size): cosines and sines from slow to fast, so that small differences show.

    The frequencies grow by equal factors from half a turn to ``turns`` turns over the whole way.
    """

    frequencies: Tensor

    def __init__(self, size: int = 32, turns: float = 16.0) -> None:
        super().__init__()
        frequencies = torch.logspace(math.log10(0.5), math.log10(turns), size // 2)
        self.register_buffer("frequencies", 2 * math.pi * frequencies, persistent=False)

    def forward(self, times: Tensor) -> Tensor:
        angles = times[:, None].float() * self.frequencies  # (N, size / 2)
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Setting(nn.Module):
    """Time and class as one vector, which tells every block of a denoiser where it stands: (N, size)."""

    def __init__(self, class_count: int, size: int) -> None:
        super().__init__()
        self.class_count = class_count
        self.time = nn.Sequential(TimeFeatures(), nn.Linear(32, size), nn.SiLU(), nn.Linear(size, size))
        self.table = nn.Embedding(class_count + 1, size)  # the last one: no class

    def forward(self, times: Tensor, labels: Tensor | None) -> Tensor:
        """Times (N,) in [0, 1], and labels (N,) or None for no class."""
        if labels is None:
            labels = torch.full_like(times, self.class_count, dtype=torch.long)
        if labels.shape != times.shape:
            raise ValueError(f"each time needs one label, got {tuple(times.shape)} and {tuple(labels.shape)}")
        return nn.functional.silu(self.time(times) + self.table(labels))


class DenoiserBlock(nn.Module):
    """Adds a correction to its input: group normalisation, scale and shift by time and class, SiLU, convolution."""

    def __init__(self, in_channels: int, out_channels: int, setting_size: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(max(1, in_channels // GROUP_SIZE), in_channels, affine=False)
        self.modulate = nn.Linear(setting_size, 2 * in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)
        nn.init.zeros_(self.modulate.weight)  # all times and classes begin alike: scale 1, shift 0
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, setting: Tensor) -> Tensor:
        scale, shift = self.modulate(setting)[:, :, None, None].chunk(2, dim=1)  # (N, in_channels, 1, 1) each
        corrected = self.conv(nn.functional.silu(self.norm(x) * (1 + scale) + shift))
        return self.shortcut(x) + corrected  # (N, out_channels, H, W)


class Denoiser(nn.Module):
    """A small U-Net: noisy pictures (N, channels, H, W), times and classes -> velocities of the same shape.

    It works at half the size (behind ``PixelUnshuffle``) and at a quarter; one short cut hands fine detail across.
    Sides are multiples of 4; the shapes below are those of pictures of 28 pixels.

    Args:
        width: channels at 14x14; twice as many at 7x7.
        depth: blocks in the middle, at 7x7.
        class_count: classes to choose from; a label of ``class_count`` stands for none.
        channels: of the pictures.
    """

    def __init__(self, width: int = 64, depth: int = 3, class_count: int = 10, channels: int = 1) -> None:
        super().__init__()
        self.class_count = class_count
        size = 2 * width
        self.setting = Setting(class_count, size)
        self.enter = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, width, 3, padding=1))
        self.look = nn.ModuleList(DenoiserBlock(width, width, size) for _ in range(2))
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.middle = nn.ModuleList(DenoiserBlock(2 * width, 2 * width, size) for _ in range(depth))
        self.up = Rise(2 * width, width)
        self.draw = nn.ModuleList([DenoiserBlock(2 * width, width, size), DenoiserBlock(width, width, size)])
        self.leave = nn.Sequential(
            nn.GroupNorm(max(1, width // GROUP_SIZE), width),
            nn.SiLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )
        nn.init.zeros_(next(self.leave[2].parameters()))  # it begins by saying "stay": no velocity

    def forward(self, images: Tensor, times: Tensor, labels: Tensor | None = None) -> Tensor:
        """``times`` is (N,) in [0, 1]; ``labels`` (N,), or None for no class."""
        setting = self.setting(times, labels)
        # Channels last: convolutions of few channels are faster so.
        x = self.enter(images.contiguous(memory_format=torch.channels_last))  # (N, width, 14, 14)
        for block in self.look:
            x = block(x, setting)
        fine, x = x, self.down(x)  # (N, 2·width, 7, 7)
        for block in self.middle:
            x = block(x, setting)
        x = torch.cat([self.up(x), fine], dim=1)  # (N, 2·width, 14, 14)
        for block in self.draw:
            x = block(x, setting)
        return self.leave(x)  # (N, channels, 28, 28)


class PointDenoiser(nn.Module):
    """Points in the plane (N, 2), times (N,) and classes -> velocities (N, 2): the same task where all can be seen."""

    def __init__(self, width: int = 64, class_count: int = 0) -> None:
        super().__init__()
        self.class_count = class_count
        self.setting = Setting(class_count, width)
        self.enter = nn.Linear(2, width)
        self.layers = nn.Sequential(
            nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2)
        )

    def forward(self, points: Tensor, times: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(self.enter(points) + self.setting(times, labels))
