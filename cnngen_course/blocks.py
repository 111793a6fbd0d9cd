"""The parts that networks of this course are built from; all take and give (N, C, H, W).

Each of the four families that shaped the field is here at the size of a lesson: VGG (Simonyan and
Zisserman, 2014), Inception (Szegedy et al., 2014), ResNet (He et al., 2015), DenseNet (Huang et al., 2016).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class ConvNormAct(nn.Sequential):
    """Convolution, batch normalisation, ReLU. With stride 1 the picture keeps its size."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> None:
        padding = (kernel_size - 1) // 2
        super().__init__(
            # No bias: the normalisation that follows would subtract it again.
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class VGGBlock(nn.Sequential):
    """Two 3x3 convolutions one after the other: the sight of one 5x5 with fewer weights."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(ConvNormAct(in_channels, out_channels), ConvNormAct(out_channels, out_channels))


class ResidualBlock(nn.Module):
    """Adds a correction to its input, so that a deep stack starts out as the identity."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.correction = nn.Sequential(
            ConvNormAct(in_channels, out_channels),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        nn.init.zeros_(self.correction[-1].weight)  # the block begins as its shortcut (Goyal et al., 2017)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.correction(x))


class InceptionBlock(nn.Module):
    """Looks at 1x1, 3x3 and 5x5 neighbourhoods at once, each behind a cheap 1x1 bottleneck."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        quarter = out_channels // 4
        reduced = max(4, in_channels // 4)
        self.branches = nn.ModuleList(
            [
                ConvNormAct(in_channels, quarter, 1),
                nn.Sequential(ConvNormAct(in_channels, reduced, 1), ConvNormAct(reduced, quarter, 3)),
                nn.Sequential(ConvNormAct(in_channels, reduced, 1), ConvNormAct(reduced, quarter, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvNormAct(in_channels, out_channels - 3 * quarter, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class DenseBlock(nn.Module):
    """Every layer sees the outputs of all layers before it; a 1x1 convolution gathers them at the end."""

    def __init__(self, in_channels: int, out_channels: int, layers: int = 3) -> None:
        super().__init__()
        growth = max(4, out_channels // 4)
        self.layers = nn.ModuleList(ConvNormAct(in_channels + i * growth, growth) for i in range(layers))
        self.gather = ConvNormAct(in_channels + layers * growth, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)  # (N, in_channels + growth, then + growth, ..., H, W)
        return self.gather(x)


class Downsample(ConvNormAct):
    """Halves height and width with a strided convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, stride=2)


class Upsample(nn.Sequential):
    """Doubles height and width: ``kind`` is "nearest", "bilinear", "transposed" or "shuffle"."""

    def __init__(self, in_channels: int, out_channels: int, kind: str = "shuffle") -> None:
        if kind == "transposed":
            # Kernel 4 is a multiple of stride 2, so that every output pixel gets equally many stamps.
            layers = [nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False)]
        elif kind == "shuffle":
            layers = [nn.Conv2d(in_channels, 4 * out_channels, 3, padding=1, bias=False), nn.PixelShuffle(2)]
        elif kind in ("nearest", "bilinear"):
            layers = [nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False)]
        else:
            raise ValueError(f"unknown kind of upsampling {kind!r}: use nearest, bilinear, transposed or shuffle")
        super().__init__(*layers, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


BLOCKS: dict[str, Callable[[int, int], nn.Module]] = {
    "vgg": VGGBlock,
    "residual": ResidualBlock,
    "inception": InceptionBlock,
    "dense": DenseBlock,
}
