"""A gated PixelCNN (van den Oord et al., 2016): the probability of every pixel given the pixels before it.

The order of the pixels: 2x2 blocks in reading order, and inside a block its four pixels in reading order. The
blocks let the expensive layers work on a grid of half the height and width, as elsewhere in the course; the
likelihood stays exact, because a product of conditional probabilities is exact in any order.
"""

import math
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaskedConv2d(nn.Conv2d):
    """A convolution some of whose weights are held at zero: ``mask`` (broadcast to the weights) is 1 where it looks."""

    mask: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, mask: Tensor, padding: int = 0) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class GatedLayer(nn.Module):
    """One look at the blocks above and one at the blocks to the left, each through a gate.

    Two stacks instead of one masked convolution, because a stack of masked convolutions has a blind spot to the
    upper right. ``reach`` is how many blocks a layer sees beyond its own, in each allowed direction.
    """

    def __init__(self, width: int, class_count: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.above = nn.Conv2d(width, 2 * width, (reach, 2 * reach + 1))
        self.left = nn.Conv2d(width, 2 * width, (1, reach + 1))
        self.above_to_left = nn.Conv2d(2 * width, 2 * width, 1)
        self.mix_above = nn.Conv2d(width, width, 1)
        self.mix_left = nn.Conv2d(width, width, 1)
        self.label = nn.Embedding(class_count, 4 * width)

    def condition(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the class adds to the gates of either stack, each (N, 2·width, 1, 1)."""
        above, left = self.label(labels)[:, :, None, None].chunk(2, dim=1)
        return above, left

    def look_above(self, seen: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """(N, width, rows + reach - 1, columns + 2·reach) -> gates (N, 2·width, rows, columns) and output."""
        gates = self.above(seen) + condition
        here = seen[:, :, self.reach - 1 :, self.reach : -self.reach]
        return gates, here + self.mix_above(pass_gate(gates))

    def look_left(self, seen: Tensor, above: Tensor, condition: Tensor) -> Tensor:
        """(N, width, rows, columns + reach) and the gates from above -> (N, width, rows, columns)."""
        gates = self.left(seen) + self.above_to_left(above) + condition
        return seen[:, :, :, self.reach :] + self.mix_left(pass_gate(gates))


def pass_gate(gates: Tensor) -> Tensor:
    """tanh(a) · sigmoid(b): a value, and how much of it may pass; halves the channels."""
    value, gate = gates.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)


class PixelCNN(nn.Module):
    """Probabilities of ``level_count`` grey levels for each pixel of a ``size`` x ``size`` picture of a known class."""

    def __init__(
        self,
        level_count: int = 16,
        class_count: int = 10,
        width: int = 48,
        depth: int = 8,
        reach: int = 2,
        head_width: int = 64,
        size: int = 28,
    ) -> None:
        super().__init__()
        self.level_count, self.class_count, self.size = level_count, class_count, size
        block = 4 * level_count
        self.embed_above, self.embed_left = nn.Conv2d(block, width, 1), nn.Conv2d(block, width, 1)
        # Clothes are centred, so where a block lies says much about it.
        self.place = nn.Parameter(torch.zeros(1, width, size // 2, size // 2))
        layers = nn.ModuleList(GatedLayer(width, class_count, reach) for _ in range(depth))
        self.layers = cast(Sequence[GatedLayer], layers)  # which a ModuleList can't say
        self.context = nn.Conv2d(width, 4 * head_width, 1)
        self.inside = MaskedConv2d(block, 4 * head_width, 1, make_block_mask(level_count, head_width))
        self.answer = nn.Conv2d(4 * head_width, block, 1, groups=4)

    def forward(self, levels: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N, level_count, H, W): those of a pixel depend only on the pixels before it, and the class.

        ``levels`` is (N, 1, H, W) int64 in 0 ... level_count - 1.
        """
        return self.predict(F.one_hot(levels[:, 0], self.level_count).movedim(3, 1).float(), labels)

    def predict(self, one_hot: Tensor, labels: Tensor) -> Tensor:
        """``forward`` on levels already spread out, (N, level_count, H, W): gradients can be asked of these."""
        blocks = F.pixel_unshuffle(one_hot, 2)  # (N, 4·level_count, H/2, W/2)
        above = self.embed_above(F.pad(blocks, (0, 0, 1, -1))) + self.place  # row i now tells of row i - 1
        left = self.embed_left(F.pad(blocks, (1, -1, 0, 0))) + self.place  # column j now tells of column j - 1
        for layer in self.layers:
            to_above, to_left = layer.condition(labels)
            reach = layer.reach
            gates, above = layer.look_above(F.pad(above, (reach, reach, reach - 1, 0)), to_above)
            left = layer.look_left(F.pad(left, (reach, 0, 0, 0)), gates, to_left)
        return self.answer_blocks(left, blocks)

    def start_memory(self, labels: Tensor) -> "Memory":
        """Return an empty memory for drawing ``len(labels)`` pictures block by block."""
        return Memory(self, labels)

    def answer_blocks(self, context: Tensor, blocks: Tensor) -> Tensor:
        """Return logits (N, level_count, 2·rows, 2·columns); inside a block, each pixel sees those before it."""
        hidden = torch.relu(self.context(context) + self.inside(blocks))
        logits = self.answer(hidden).unflatten(1, (4, self.level_count))  # (N, 4, level_count, rows, columns)
        return F.pixel_shuffle(logits.transpose(1, 2).flatten(1, 2), 2)


def make_block_mask(level_count: int, head_width: int) -> Tensor:
    """Let the hidden values of pixel k of a block see the pixels before it: (4·head_width, 4·level_count, 1, 1)."""
    seer = torch.arange(4).repeat_interleave(head_width)
    seen = torch.arange(4).repeat(level_count)  # the order of pixel_unshuffle: level first, pixel second
    return (seen[None, :] < seer[:, None]).float()[:, :, None, None]


class Memory:
    """What the layers have seen of pictures that are being drawn, so that each new block costs one look a layer.

    ``blocks`` is always the (N, 4·level_count, rows, columns) one-hot levels drawn so far. Gives the same numbers
    as ``PixelCNN.predict``, a block at a time.
    """

    def __init__(self, model: PixelCNN, labels: Tensor) -> None:
        self.model = model
        self.conditions = [layer.condition(labels) for layer in model.layers]
        cells, width = model.size // 2, model.place.shape[1]
        reach = model.layers[0].reach
        new = model.place.new_zeros
        # The borders of zeros are those that F.pad adds in predict().
        self.above = [new(len(labels), width, cells + reach - 1, cells + 2 * reach) for _ in model.layers]
        self.left = [new(len(labels), width, 1, cells + reach) for _ in model.layers]
        self.gates: list[Tensor] = []

    def enter_row(self, row: int, blocks: Tensor) -> None:
        """Let the upper stack see the finished row before ``row``."""
        model, self.gates = self.model, []
        before = blocks[:, :, row - 1 : row] if row else torch.zeros_like(blocks[:, :, :1])
        above = model.embed_above(before) + model.place[:, :, row : row + 1]
        for layer, memory, (condition, _) in zip(model.layers, self.above, self.conditions, strict=True):
            memory[:, :, row + layer.reach - 1, layer.reach : -layer.reach] = above[:, :, 0]
            gates, above = layer.look_above(memory[:, :, row : row + layer.reach], condition)
            self.gates.append(gates)

    def enter_column(self, row: int, column: int, blocks: Tensor) -> Tensor:
        """Let the left stack see the finished block before (row, column); return the context (N, width, 1, 1)."""
        model, here = self.model, slice(column, column + 1)
        before = blocks[:, :, row : row + 1, column - 1 : column] if column else torch.zeros_like(blocks[:, :, :1, :1])
        left = model.embed_left(before) + model.place[:, :, row : row + 1, here]
        layers = zip(model.layers, self.left, self.gates, self.conditions, strict=True)
        for layer, memory, gates, (_, condition) in layers:
            memory[:, :, 0, column + layer.reach] = left[:, :, 0, 0]
            left = layer.look_left(memory[..., column : column + layer.reach + 1], gates[..., here], condition)
        return left


def compute_order(size: int) -> Tensor:
    """Return row and column of each pixel in the order in which the course's PixelCNN draws, (size², 2)."""
    block, place = torch.arange(size**2) // 4, torch.arange(size**2) % 4
    across = size // 2
    return torch.stack([2 * (block // across) + place // 2, 2 * (block % across) + place % 2], dim=1)


def compute_earlier(order: Tensor, place: tuple[int, int]) -> Tensor:
    """Return which pixels come before ``place`` in an order (size², 2): bool (size, size)."""
    size = math.isqrt(len(order))
    numbers = torch.empty(size, size, dtype=torch.long)
    numbers[order[:, 0], order[:, 1]] = torch.arange(size**2)
    return numbers < numbers[place]


def compute_seen(function: Callable[[Tensor], Tensor], images: Tensor, place: tuple[int, int]) -> Tensor:
    """Return on which pixels the answer at one place depends, by gradient: bool (H, W).

    Args:
        function: (N, C, H, W) -> (N, any, H, W).
        images: what to try it on (N, C, H, W); random ones, since at zero a gradient can vanish by chance.
        place: row and column of the answer.
    """
    images = images.clone().requires_grad_()
    answer = function(images)[:, :, place[0], place[1]].square().sum()
    (gradient,) = torch.autograd.grad(answer, images)
    return gradient.abs().sum(dim=(0, 1)) > 0
