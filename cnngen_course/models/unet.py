"""A U-Net: a picture in, a picture of the same size out, for repairing, colouring and translating.

The way down gathers what the picture shows, the way up draws it, and short cuts hand fine detail across so that it
need not go through the narrow middle (Ronneberger et al., 2015). All of it works at half the size of the picture or
less, behind ``PixelUnshuffle``. Its convolutions come in three kinds that differ in how they treat missing pixels.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from cnngen_course.restoration import fill_laplace

GROUP_SIZE = 8


class PlainConv(nn.Conv2d):
    """The convolution as it is: a missing pixel counts as the 0 that stands in its place."""

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # told more
        return super().forward(x), known[..., :: self.stride[0], :: self.stride[1]]


class PartialConv(nn.Conv2d):
    """Looks at known places only, and makes up for those that are missing in its window (Liu et al., 2018).

    A place whose window holds a known one is known from then on, so that the hole shrinks from layer to layer.
    """

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # told more
        """``x`` is (N, in_channels, H, W), ``known`` (N, 1, H, W) of 0 and 1; both come back at the output's size."""
        window = known.new_ones(1, 1, *self.kernel_size)
        seen = nn.functional.conv2d(known, window, stride=self.stride, padding=self.padding)  # known places a window
        x = super().forward(x * known.to(x.dtype)) * (window.numel() / seen.clamp(min=1)).to(x.dtype)
        return x, (seen > 0).to(known.dtype)


class GatedConv(nn.Module):
    """Learns for each place and channel how much to let through, conv(x) · σ(gate(x)) (Yu et al., 2019)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2 * out_channels, kernel_size, stride, padding, bias=bias)

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        features, gate = self.conv(x).chunk(2, dim=1)  # (N, out_channels, H, W) each
        return features * gate.sigmoid(), known[..., :: self.conv.stride[0], :: self.conv.stride[1]]


CONVOLUTIONS: dict[str, Callable[..., nn.Module]] = {"plain": PlainConv, "partial": PartialConv, "gated": GatedConv}


class UNetLayer(nn.Module):
    """3x3 convolution of one of the kinds, group normalisation, SiLU; adds to its input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kind: str, stride: int = 1) -> None:
        super().__init__()
        self.conv = CONVOLUTIONS[kind](in_channels, out_channels, 3, stride, 1, bias=False)
        # Not batch normalisation: batches are small, and every picture is damaged in another way.
        self.norm = nn.GroupNorm(max(1, out_channels // GROUP_SIZE), out_channels)
        self.residual = in_channels == out_channels and stride == 1

    def forward(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        answer, known = self.conv(x, known)
        answer = nn.functional.silu(self.norm(answer))
        return x + answer if self.residual else answer, known


class Rise(nn.Sequential):
    """Doubles height and width: each place becomes four by a 1x1 convolution and pixel shuffle."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.Conv2d(in_channels, 4 * out_channels, 1), nn.PixelShuffle(2))


class UNet(nn.Module):
    """Pictures (N, in_channels, H, W) -> pictures (N, out_channels, H, W) in [-1, 1], at any size of 8 or more.

    Args:
        widths: channels at a half, a quarter, an eighth, ... of the size; as many levels as numbers.
        kind: of convolution, a name in ``CONVOLUTIONS``.
        skips: whether the short cuts are there. Without them all must go through the narrow middle.

    Raises:
        ValueError: an unknown kind of convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        widths: tuple[int, ...] = (32, 64, 128),
        kind: str = "plain",
        skips: bool = True,
    ) -> None:
        super().__init__()
        if kind not in CONVOLUTIONS:
            raise ValueError(f"unknown kind of convolution {kind!r}: use {', '.join(CONVOLUTIONS)}")
        self.block = 2 ** len(widths)  # sides must be a multiple of it
        self.skips = skips
        steps = list(pairwise(widths))
        self.unshuffle = nn.PixelUnshuffle(2)
        self.enter = UNetLayer(4 * in_channels, widths[0], kind)
        self.look = nn.ModuleList(UNetLayer(width, width, kind) for width in widths)
        self.down = nn.ModuleList(UNetLayer(wide, deep, kind, stride=2) for wide, deep in steps)
        self.up = nn.ModuleList(Rise(deep, wide) for wide, deep in steps)
        self.merge = nn.ModuleList(UNetLayer(2 * wide if skips else wide, wide, kind) for wide, _ in steps)
        self.draw = nn.Sequential(nn.Conv2d(widths[0], 4 * out_channels, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, images: Tensor, known: Tensor | None = None) -> Tensor:
        """``known`` is (N, 1, H, W): 1 where a pixel can be relied on, 0 where not; only partial convolutions look."""
        height, width = images.shape[2:]
        if known is None:
            known = images.new_ones(len(images), 1, height, width)
        margins = (0, -width % self.block, 0, -height % self.block)
        images, known = (nn.functional.pad(x, margins, mode="replicate") for x in (images, known))
        # Channels last: convolutions of few channels are faster so.
        x = self.unshuffle(images).contiguous(memory_format=torch.channels_last)  # (N, 4·in_channels, H/2, W/2)
        x, known = self.enter(x, nn.functional.max_pool2d(known, 2))
        passed = []
        for level, look in enumerate(self.look):
            if level > 0:
                passed.append((x, known))
                x, known = self.down[level - 1](x, known)  # (N, widths[level], H / 2^(level + 1), ...)
            x, known = look(x, known)
        for rise, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            fine, fine_known = passed.pop()
            x = rise(x)
            known = torch.maximum(nn.functional.interpolate(known, scale_factor=2.0), fine_known)
            x, known = merge(torch.cat([x, fine], dim=1) if self.skips else x, known)
        return torch.tanh(self.draw(x))[..., :height, :width]


class Inpainter(nn.Module):
    """Damaged pictures -> whole ones; what is known is handed on bit for bit.

    Args:
        channels: 1 for grey pictures, 3 for colour.
        widths: see ``UNet``.
        kind: of convolution, a name in ``CONVOLUTIONS``.
        corrects: begin with the soap film of ``fill_laplace`` and draw what is missing from it, not the whole hole.
    """

    def __init__(
        self,
        channels: int = 1,
        widths: tuple[int, ...] = (32, 64, 128),
        kind: str = "gated",
        corrects: bool = False,
    ) -> None:
        super().__init__()
        self.corrects = corrects
        self.network = UNet(channels + 1, channels, tuple(widths), kind)

    def forward(self, images: Tensor, known: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] and known (N, 1, H, W) bool -> (N, C, H, W) in [-1, 1].

        Whatever stands in the damaged pixels is never looked at, not even NaN.
        """
        clean = fill_laplace(images, known) if self.corrects else torch.where(known, images, 0)
        seen = known.to(images.dtype)
        drawn = self.network(torch.cat([clean, seen], dim=1), seen).to(images.dtype)
        if self.corrects:
            drawn = (clean + drawn).clamp(-1, 1)
        return torch.where(known, images, drawn)


class TwoWay(nn.Module):
    """Two translators that learn together: ``there`` from the first kind of picture to the second, ``back`` again."""

    there: nn.Module
    back: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        return self.there(images)


class UNetTwoWay(TwoWay):
    """Both translators are U-Nets."""

    def __init__(self, channels: int = 3, widths: tuple[int, ...] = (32, 64, 64)) -> None:
        super().__init__()
        self.there = UNet(channels, channels, tuple(widths))
        self.back = UNet(channels, channels, tuple(widths))


class PatchDiscriminator(nn.Module):
    """Judges every patch of a picture by itself (Isola et al., 2017), and so asks for texture, not for composition.

    Args:
        in_channels: of the pictures.
        condition_channels: of the picture that comes along with each, e.g. its outline; 0 for none.
        width: channels at half the size; twice as many below.
        depth: how often the size is halved after that; the more, the larger the patches.
    """

    def __init__(self, in_channels: int = 3, condition_channels: int = 0, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        layers = [nn.PixelUnshuffle(2), nn.Conv2d(4 * (in_channels + condition_channels), width, 3, padding=1)]
        channels = width
        for _ in range(depth):
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(channels, 2 * width, 4, stride=2, padding=1)]
            channels = 2 * width
        layers += [nn.LeakyReLU(0.2), nn.Conv2d(channels, 2 * width, 3, padding=1)]
        layers += [nn.LeakyReLU(0.2), nn.Conv2d(2 * width, 1, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures and what comes along, (N, ..., H, W) -> logits (N, H / 2^(1 + depth), W / ...), high for "real"."""
        x = images if condition is None else torch.cat([images, condition], dim=1)
        return self.layers(x.contiguous(memory_format=torch.channels_last))[:, 0]
