"""The parts that networks of this course are built from; all take and give (N, C, H, W).

Each of the families that shaped the field is here at the size of a lesson: VGG (Simonyan and Zisserman, 2014),
Inception (Szegedy et al., 2014), ResNet with its plain and its bottleneck block (He et al., 2015), DenseNet (Huang et
al., 2016), and the separable convolutions of MobileNet (Howard et al., 2017).

Every block takes ``activation=``, a name in ``ACTIVATIONS``, and ``normalise=False`` for a network without batch
normalisation.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": partial(nn.ReLU, inplace=True),
    "leaky_relu": partial(nn.LeakyReLU, 0.1, inplace=True),
    "gelu": nn.GELU,
    "silu": partial(nn.SiLU, inplace=True),
}


def make_activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}: use {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


class ConvNormAct(nn.Sequential):
    """Convolution, batch normalisation, activation. With stride 1 the picture keeps its size.

    Args:
        groups: into which the channels are parted; as many as channels make it depthwise.
        activation: a name in ``ACTIVATIONS``.
        normalise: without it, the convolution has a bias instead.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        groups: int = 1,
        activation: str = "relu",
        normalise: bool = True,
    ) -> None:
        padding = (kernel_size - 1) // 2
        super().__init__(
            # No bias before a normalisation, which would subtract it again.
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=not normalise),
            nn.BatchNorm2d(out_channels) if normalise else nn.Identity(),
            make_activation(activation),
        )


class VGGBlock(nn.Sequential):
    """Two 3x3 convolutions one after the other: the sight of one 5x5 with fewer weights."""

    def __init__(self, in_channels: int, out_channels: int, **style: Any) -> None:
        super().__init__(
            ConvNormAct(in_channels, out_channels, **style), ConvNormAct(out_channels, out_channels, **style)
        )


class SeparableBlock(nn.Sequential):
    """Twice: a 3x3 convolution of each channel by itself, then a 1x1 convolution that mixes the channels."""

    def __init__(self, in_channels: int, out_channels: int, **style: Any) -> None:
        super().__init__(
            ConvNormAct(in_channels, in_channels, groups=in_channels, **style),
            ConvNormAct(in_channels, out_channels, 1, **style),
            ConvNormAct(out_channels, out_channels, groups=out_channels, **style),
            ConvNormAct(out_channels, out_channels, 1, **style),
        )


class Residual(nn.Module):
    """Adds the correction that ``layers`` compute to its input, then activates the sum."""

    def __init__(self, in_channels: int, out_channels: int, *layers: nn.Module, activation: str = "relu") -> None:
        super().__init__()
        self.correction = nn.Sequential(*layers)
        # The block begins as its shortcut (Goyal et al., 2017): the last layer that has weights gives zero.
        nn.init.zeros_(next(weight for layer in reversed(layers) for weight in layer.parameters()))
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.activate = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.shortcut(x) + self.correction(x))


class ResidualBlock(Residual):
    """Adds a correction of two 3x3 convolutions to its input, so that a deep stack starts out as the identity."""

    def __init__(self, in_channels: int, out_channels: int, activation: str = "relu", normalise: bool = True) -> None:
        super().__init__(
            in_channels,
            out_channels,
            ConvNormAct(in_channels, out_channels, activation=activation, normalise=normalise),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels) if normalise else nn.Identity(),
            activation=activation,
        )


class BottleneckBlock(Residual):
    """A residual block that works in a quarter of the channels: 1x1 to get there, 3x3, 1x1 to come back."""

    def __init__(self, in_channels: int, out_channels: int, activation: str = "relu", normalise: bool = True) -> None:
        reduced = max(4, out_channels // 4)
        super().__init__(
            in_channels,
            out_channels,
            ConvNormAct(in_channels, reduced, 1, activation=activation, normalise=normalise),
            ConvNormAct(reduced, reduced, activation=activation, normalise=normalise),
            nn.Conv2d(reduced, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels) if normalise else nn.Identity(),
            activation=activation,
        )


class InceptionBlock(nn.Module):
    """Looks at 1x1, 3x3 and 5x5 neighbourhoods at once, each behind a cheap 1x1 bottleneck."""

    def __init__(self, in_channels: int, out_channels: int, **style: Any) -> None:
        super().__init__()
        quarter = out_channels // 4
        reduced = max(4, in_channels // 4)
        self.branches = nn.ModuleList(
            [
                ConvNormAct(in_channels, quarter, 1, **style),
                self._look(in_channels, reduced, quarter, 3, **style),
                self._look(in_channels, reduced, quarter, 5, **style),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvNormAct(in_channels, out_channels - 3 * quarter, 1, **style)),
            ]
        )

    @staticmethod
    def _look(in_channels: int, reduced: int, out_channels: int, kernel_size: int, **style: Any) -> nn.Sequential:
        narrow = ConvNormAct(in_channels, reduced, 1, **style)
        return nn.Sequential(narrow, ConvNormAct(reduced, out_channels, kernel_size, **style))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class DenseBlock(nn.Module):
    """Every layer sees the outputs of all layers before it; a 1x1 convolution gathers them at the end."""

    def __init__(self, in_channels: int, out_channels: int, layers: int = 3, **style: Any) -> None:
        super().__init__()
        growth = max(4, out_channels // 4)
        self.layers = nn.ModuleList(ConvNormAct(in_channels + i * growth, growth, **style) for i in range(layers))
        self.gather = ConvNormAct(in_channels + layers * growth, out_channels, 1, **style)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)  # (N, in_channels + growth, then + growth, ..., H, W)
        return self.gather(x)


class Downsample(ConvNormAct):
    """Halves height and width with a strided convolution."""

    def __init__(self, in_channels: int, out_channels: int, **style: Any) -> None:
        super().__init__(in_channels, out_channels, stride=2, **style)


class Upsample(nn.Sequential):
    """Doubles height and width: ``kind`` is "nearest", "bilinear", "transposed" or "shuffle"."""

    def __init__(self, in_channels: int, out_channels: int, kind: str = "shuffle") -> None:
        if kind == "transposed":
            # Kernel 4 is a multiple of stride 2, so that every output pixel gets equally many stamps.
            layers: list[nn.Module] = [nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False)]
        elif kind == "shuffle":
            layers = [nn.Conv2d(in_channels, 4 * out_channels, 3, padding=1, bias=False), nn.PixelShuffle(2)]
        elif kind in ("nearest", "bilinear"):
            layers = [nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False)]
        else:
            raise ValueError(f"unknown kind of upsampling {kind!r}: use nearest, bilinear, transposed or shuffle")
        super().__init__(*layers, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


BLOCKS: dict[str, Callable[..., nn.Module]] = {
    "vgg": VGGBlock,
    "residual": ResidualBlock,
    "bottleneck": BottleneckBlock,
    "inception": InceptionBlock,
    "dense": DenseBlock,
    "separable": SeparableBlock,
}


def make_block(name: str, in_channels: int, out_channels: int, **style: Any) -> nn.Module:
    """Return a block by its name in ``BLOCKS``."""
    if name not in BLOCKS:
        raise ValueError(f"unknown block {name!r}: use {', '.join(BLOCKS)}")
    return BLOCKS[name](in_channels, out_channels, **style)


def count_weights(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def count_multiply_adds(model: nn.Module, *inputs: Tensor) -> int:
    """Return the multiplications, each with its addition, of one forward pass; convolutions and linear layers count."""
    from torch.utils.flop_counter import FlopCounterMode  # here, not above: hardly anybody counts

    was_training = model.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(*inputs)
    model.train(was_training)
    return counter.get_total_flops() // 2
