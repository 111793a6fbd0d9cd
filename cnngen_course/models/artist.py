"""One network that draws many things in many styles: what to draw and how to draw it are two separate choices."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnngen_course.models.gan import ClassTable

START = 4  # height and width that drawing begins with
GROUP_SIZE = 8


class SteeredNorm(nn.Module):
    """Group normalisation whose scale and shift are computed from a vector, which so steers every layer."""

    def __init__(self, channels: int, vector_size: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(max(1, channels // GROUP_SIZE), channels, affine=False)
        self.steer = nn.Linear(vector_size, 2 * channels)
        nn.init.zeros_(self.steer.weight)  # all begin alike: scale 1, shift 0
        nn.init.zeros_(self.steer.bias)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        scale, shift = self.steer(vector)[:, :, None, None].chunk(2, dim=1)  # (N, channels, 1, 1) each
        return self.norm(x) * (1 + scale) + shift


class SteeredBlock(nn.Module):
    """Corrects, doubles height and width by pixel shuffle, and corrects again."""

    def __init__(self, in_channels: int, out_channels: int, vector_size: int) -> None:
        super().__init__()
        self.before = nn.Conv2d(in_channels, in_channels, 3, padding=1, bias=False)
        self.before_norm = SteeredNorm(in_channels, vector_size)
        self.up = nn.Sequential(nn.Conv2d(in_channels, 4 * out_channels, 1, bias=False), nn.PixelShuffle(2))
        self.after_norm = SteeredNorm(out_channels, vector_size)
        self.after = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        x = x + F.silu(self.before_norm(self.before(x), vector))
        x = self.up(x)  # (N, out_channels, 2·H, 2·W)
        return x + self.after(F.silu(self.after_norm(x, vector)))


class Artist(nn.Module):
    """A thing and a style, each by number or as a mixture -> a picture (N, 3, H, W) in [-1, 1].

    Each thing and each style has a vector that is learned (Bojanowski et al., 2018, learn one a picture). While it
    is trained, a little noise moves both, so that places between them are drawn well, too.

    Args:
        thing_count, style_count: how many there are to choose from.
        thing_size, style_size: numbers in their vectors.
        widths: channels at 4x4, 8x8, ...; pictures are four times as high as the start is after the last.
        noise: standard deviation of what moves the vectors in training; theirs is about 1.
    """

    def __init__(
        self,
        thing_count: int,
        style_count: int,
        thing_size: int = 48,
        style_size: int = 16,
        widths: tuple[int, ...] = (96, 80, 64, 32),
        noise: float = 0.15,
    ) -> None:
        super().__init__()
        self.noise = noise
        self.things, self.styles = ClassTable(thing_count, thing_size), ClassTable(style_count, style_size)
        size = thing_size + style_size
        self.stem = nn.Sequential(nn.Linear(size, widths[0] * START**2), nn.Unflatten(1, (widths[0], START, START)))
        self.mix = nn.Sequential(nn.Linear(size, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU())
        self.blocks = nn.ModuleList(SteeredBlock(wide, narrow, 128) for wide, narrow in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], widths[-1], 3, padding=1, bias=False)
        self.last_norm = SteeredNorm(widths[-1], 128)
        self.draw = nn.Sequential(nn.Conv2d(widths[-1], 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, things: Tensor, styles: Tensor) -> Tensor:
        """``things`` and ``styles`` are (N,) int64, or shares of each, (N, thing_count) and (N, style_count)."""
        thing, style = self.things(things), self.styles(styles)
        thing = F.normalize(thing, dim=1) * thing.shape[1] ** 0.5  # on a sphere, mixtures too: all are as loud
        vector = torch.cat([thing, style], dim=1)  # (N, thing_size + style_size)
        if self.training:
            vector = vector + self.noise * torch.randn_like(vector)
        # Channels last: convolutions of few channels are faster so.
        x = self.stem(vector).contiguous(memory_format=torch.channels_last)  # (N, widths[0], 4, 4)
        vector = self.mix(vector)
        for block in self.blocks:
            x = block(x, vector)
        x = F.silu(self.last_norm(self.last(x), vector))  # (N, widths[-1], H/2, W/2)
        return torch.tanh(self.draw(x))
