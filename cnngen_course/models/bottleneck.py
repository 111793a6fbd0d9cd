"""A translator without short cuts: a picture becomes a code of a few numbers, and is drawn anew from these alone."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.models.unet import Rise, TwoWay, UNetLayer

START = 4  # height and width that drawing begins with


class PlainLayer(UNetLayer):
    """A layer of a U-Net for pictures in which no pixel is missing."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, "plain", stride)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # all is known
        return super().forward(x, x.new_ones(1, 1, 1, 1))[0]


class BottleneckTranslator(nn.Module):
    """Pictures (N, channels, 64, 64) -> pictures of the same shape in [-1, 1], all of it through a code.

    Args:
        code_size: numbers in the code.
        down: channels at a half, a quarter, an eighth and a sixteenth of the size, on the way to the code.
        up: channels at a sixteenth, an eighth, a quarter and a half of the size, on the way to the picture.
        noise: standard deviation of what moves the code in training. So codes that lie close together must mean the
            same picture, and the last digits of a number are no place to hide anything in.
        redraws: how often, outside of training, the drawing is drawn again. A network that leaves alone what it can
            draw, and knows little else, comes closer to what it can draw each time (compare Shocher et al., 2023).
    """

    def __init__(
        self,
        channels: int = 3,
        code_size: int = 48,
        down: Sequence[int] = (16, 32, 64, 96),
        up: Sequence[int] = (96, 96, 64, 32),
        noise: float = 0.1,
        redraws: int = 3,
    ) -> None:
        super().__init__()
        self.noise, self.redraws = noise, redraws
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), PlainLayer(4 * channels, down[0])]
        for wide, deep in pairwise(down):
            layers += [PlainLayer(wide, deep, stride=2), PlainLayer(deep, deep)]
        self.look = nn.Sequential(*layers, nn.Flatten(), nn.Linear(down[-1] * START**2, code_size), nn.Tanh())
        layers = [nn.Linear(code_size, up[0] * START**2), nn.Unflatten(1, (up[0], START, START))]
        layers += [Rise(up[0], up[1]), PlainLayer(up[1], up[1])]
        for deep, wide in pairwise(up[1:]):
            layers += [Rise(deep, wide), PlainLayer(wide, wide), PlainLayer(wide, wide)]
        layers += [nn.Conv2d(up[-1], 4 * channels, 3, padding=1), nn.PixelShuffle(2), nn.Tanh()]
        self.paint = nn.Sequential(*layers)

    def encode(self, images: Tensor) -> Tensor:
        """Return the codes (N, code_size): numbers in -1..1, in training with a little noise."""
        codes = self.look(images.contiguous(memory_format=torch.channels_last)).float()
        return codes + self.noise * torch.randn_like(codes) if self.training else codes

    def decode(self, codes: Tensor) -> Tensor:
        """Return the pictures (N, channels, 64, 64) that codes (N, code_size) stand for."""
        return self.paint(codes)

    def forward(self, images: Tensor, redraws: int | None = None) -> Tensor:
        """``redraws`` is to be used instead of the network's own."""
        own = 0 if self.training else self.redraws
        for _ in range(1 + (own if redraws is None else redraws)):
            images = self.decode(self.encode(images))
        return images


class BottleneckTwoWay(TwoWay):
    """Both translators draw from codes; the arguments are those of ``BottleneckTranslator``."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.there = BottleneckTranslator(**arguments)
        self.back = BottleneckTranslator(**arguments)


class CodeDiscriminator(nn.Sequential):
    """Judges codes (N, code_size), not pictures: one logit each, high for the code of a picture of the right kind."""

    def __init__(self, code_size: int = 48, width: int = 192) -> None:
        layers = nn.Linear(code_size, width), nn.Linear(width, width), nn.Linear(width, 1)
        super().__init__(layers[0], nn.LeakyReLU(0.2), layers[1], nn.LeakyReLU(0.2), layers[2])

    def forward(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """No condition comes along with a code; the other discriminators are called with one."""
        return super().forward(codes)[:, 0]
