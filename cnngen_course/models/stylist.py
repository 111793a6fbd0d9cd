"""A network that repaints a picture in one pass, in a style of its list or in a mixture of them."""

import torch
from torch import Tensor, nn

from cnngen_course.galleries import STYLES
from cnngen_course.models.gan import ClassTable, ConditionalNorm


class StyleTable(ClassTable):
    """A table whose numbers count tenfold.

    Adam moves every weight at the same pace; a row that only one picture in eight asks for must get far in few steps.
    """

    def forward(self, labels: Tensor) -> Tensor:
        return 10 * super().forward(labels)


class ConditionalInstanceNorm(ConditionalNorm):
    """Brings each channel of each picture to mean 0 and deviation 1, then scales and shifts it by style.

    These two numbers a channel are all in which styles differ (Dumoulin et al., 2017).
    """

    def __init__(self, channels: int, style_count: int) -> None:
        super().__init__(nn.InstanceNorm2d(channels), channels, style_count)
        self.table = StyleTable(style_count, 2 * channels)
        nn.init.normal_(self.table.weight, std=0.01)


class StyledConv(nn.Module):
    """Convolution, conditional instance normalisation, and a ReLU where wanted; the border is mirrored."""

    def __init__(
        self, in_channels: int, out_channels: int, style_count: int, stride: int = 1, active: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, 1, padding_mode="reflect", bias=False)
        self.norm = ConditionalInstanceNorm(out_channels, style_count)
        self.active = active

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        x = self.norm(self.conv(x), styles)
        return torch.relu(x) if self.active else x


class StyledResidualBlock(nn.Module):
    """Adds a correction of two convolutions, so that what is in the picture gets through."""

    def __init__(self, channels: int, style_count: int) -> None:
        super().__init__()
        self.first = StyledConv(channels, channels, style_count)
        self.second = StyledConv(channels, channels, style_count, active=False)

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        return x + self.second(self.first(x, styles), styles)


def double(x: Tensor) -> Tensor:
    """Return twice the height and width, each value four times; what follows cannot draw a chequered pattern."""
    return nn.functional.interpolate(x, scale_factor=2.0)


class Stylist(nn.Module):
    """Pictures and styles -> the same pictures, repainted (after Johnson et al., 2016).

    Style 0 is "as it is": it is trained to give the picture back, so that a mixture of it and another style is a
    weaker dose of that style. What the network draws is added to the picture itself, of which each style keeps its
    own share of red, green and blue: at first all of it, so that training starts from the picture and not from noise.

    Args:
        style_count: styles to choose from, "as it is" included.
        width: channels at half the size of the picture; twice as many at a quarter, where most of the work is done.
        depth: residual blocks.
    """

    def __init__(self, style_count: int, width: int = 32, depth: int = 5) -> None:
        super().__init__()
        self.style_count = style_count
        self.unshuffle = nn.PixelUnshuffle(2)
        self.enter = StyledConv(12, width, style_count)
        self.down = StyledConv(width, 2 * width, style_count, stride=2)
        self.blocks = nn.ModuleList(StyledResidualBlock(2 * width, style_count) for _ in range(depth))
        self.up = StyledConv(2 * width, width, style_count)
        self.finish = StyledConv(width, width // 2, style_count)
        self.draw = nn.Conv2d(width // 2, 3, 3, padding=1, padding_mode="reflect")
        nn.init.normal_(self.draw.weight, std=0.02)  # small: training starts from the picture
        self.kept = StyleTable(style_count, 3)  # 1 is added: what each style keeps of the picture
        nn.init.zeros_(self.kept.weight)

    def forward(self, images: Tensor, styles: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1], styles (N,) or shares of them (N, style_count) -> (N, 3, H, W) in [-1, 1].

        Sides that 4 does not divide are filled up by their mirror image, and cut off again.
        """
        height, width = images.shape[2:]
        filled = nn.functional.pad(images, (0, -width % 4, 0, -height % 4), mode="reflect")
        entered = self.enter(self.unshuffle(filled), styles)  # (N, width, H/2, W/2)
        x = self.down(entered, styles)  # (N, 2·width, H/4, W/4)
        for block in self.blocks:
            x = block(x, styles)
        x = self.up(double(x), styles) + entered  # (N, width, H/2, W/2)
        drawn = self.draw(self.finish(double(x), styles))  # (N, 3, H, W)
        kept = 1 + self.kept(styles)[:, :, None, None]
        return torch.tanh(drawn + kept * torch.atanh(0.98 * filled))[..., :height, :width]


def compute_shares(style: str, second: str, mix: float, strength: float) -> Tensor:
    """Return how much of each style of the network to take, "as it is" first: (1, styles), together 1."""
    shares = torch.zeros(1, len(STYLES) + 1)
    shares[0, 0] = 1 - strength
    for name, share in ((style, 1 - mix), (second, mix)):
        shares[0, 1 + list(STYLES).index(name)] += strength * share
    return shares
