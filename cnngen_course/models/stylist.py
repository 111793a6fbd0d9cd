"""A network that repaints a picture in one pass, in a style of its list or in a mixture of them."""

import torch
from torch import Tensor, nn

from cnngen_course.models.gan import ClassTable, ConditionalNorm


class ConditionalInstanceNorm(ConditionalNorm):
    """Brings each channel of each picture to mean 0 and deviation 1, then scales and shifts it by style.

    These two numbers a channel are all in which styles differ (Dumoulin et al., 2017).
    """

    def __init__(self, channels: int, style_count: int) -> None:
        super().__init__(nn.InstanceNorm2d(channels), channels, style_count)


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
        self.up = StyledConv(2 * width, 4 * width, style_count)  # 4·width channels become width at twice the size
        self.shuffle = nn.PixelShuffle(2)
        self.draw = nn.Conv2d(width, 12, 3, padding=1, padding_mode="reflect")
        with torch.no_grad():  # small, and alike for the four pixels of a square: training starts without a pattern
            self.draw.weight.copy_(0.2 * self.draw.weight[:3].repeat_interleave(4, dim=0))
        self.kept = ClassTable(style_count, 3)  # 1 is added: what each style keeps of the picture
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
        x = self.shuffle(self.up(x, styles)) + entered  # (N, width, H/2, W/2)
        drawn = self.shuffle(self.draw(x))  # (N, 3, H, W)
        kept = 1 + self.kept(styles)[:, :, None, None]
        return torch.tanh(drawn + kept * torch.atanh(0.98 * filled))[..., :height, :width]
