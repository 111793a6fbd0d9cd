"""Damage to repair: which pixels of a picture are still known.

A mask is (1, H, W) bool, True where the pixel is known; several are (N, 1, H, W).
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Draw = Callable[[ImageDraw.ImageDraw, int, np.random.Generator], None]


def draw_centre(canvas: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    """A square hole of half the side, in the middle."""
    canvas.rectangle((size // 4, size // 4, size // 4 + size // 2 - 1, size // 4 + size // 2 - 1), fill=1)


def draw_box(canvas: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    """A rectangle somewhere, each side between a quarter and a half of the picture's."""
    width, height = random.integers(size // 4, size // 2 + 1, 2)
    left, top = random.integers(0, size - width + 1), random.integers(0, size - height + 1)
    canvas.rectangle((left, top, left + width - 1, top + height - 1), fill=1)


def draw_scratches(canvas: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    """Four to eight thin bent lines from border to border."""
    for _ in range(random.integers(4, 9)):
        start, end = random.uniform(0, size, 2)
        bends = np.linspace(start, end, 5) + random.normal(0, size / 30, 5)
        line = list(zip(bends.tolist(), np.linspace(0, size, 5).tolist(), strict=True))
        if random.random() < 0.5:
            line = [(y, x) for x, y in line]  # from side to side
        canvas.line(line, fill=1, width=max(1, size // 48))


def draw_text(canvas: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    """Lines of letters across the picture, like a caption burnt in."""
    height = max(7, size // 6)
    font = ImageFont.load_default(height)
    for top in range(int(random.integers(0, height)), size, 2 * height):
        letters = "".join(chr(code) for code in random.integers(ord("A"), ord("Z") + 1, 12))
        canvas.text((-int(random.integers(0, height)), top), letters, fill=1, font=font)


def draw_free_form(canvas: ImageDraw.ImageDraw, size: int, random: np.random.Generator) -> None:
    """Two to four strokes of a thick brush that wander over the picture (after Yu et al., 2019)."""
    for _ in range(random.integers(2, 5)):
        brush = int(random.integers(max(2, size // 12), max(3, size // 7) + 1))
        x, y = random.uniform(0, size, 2)
        angle = random.uniform(0, 2 * np.pi)
        for _ in range(random.integers(3, 8)):
            angle += random.normal(0, 0.8)
            step = random.uniform(size / 10, size / 4)
            target = x + step * np.cos(angle), y + step * np.sin(angle)
            canvas.line((x, y, *target), fill=1, width=brush)
            x, y = target
            canvas.ellipse((x - brush / 2, y - brush / 2, x + brush / 2, y + brush / 2), fill=1)


KINDS: dict[str, Draw] = {
    "centre": draw_centre,
    "box": draw_box,
    "scratches": draw_scratches,
    "text": draw_text,
    "free_form": draw_free_form,
}


def sample_masks(kind: str, count: int, size: int, seed: int = 0) -> Tensor:
    """Draw ``count`` masks (count, 1, size, size) bool, True where a pixel is known; the same seed, the same masks.

    ``kind`` is a name in ``KINDS``, or "mixed" for all but the first in turn.

    Raises:
        ValueError: an unknown kind, or a picture smaller than 16 pixels.
    """
    if kind not in KINDS and kind != "mixed":
        raise ValueError(f"unknown kind of damage {kind!r}: use {', '.join(KINDS)} or mixed")
    if size < 16:
        raise ValueError(f"damage is drawn on pictures of 16 pixels or more, got {size}")
    random = np.random.default_rng(seed)
    names = [name for name in KINDS if name != "centre"] if kind == "mixed" else [kind]
    return torch.stack([_draw(KINDS[names[index % len(names)]], size, random) for index in range(count)])


def _draw(draw: Draw, size: int, random: np.random.Generator) -> Tensor:
    picture = Image.new("L", (size, size))
    draw(ImageDraw.Draw(picture), size, random)
    return torch.from_numpy(np.array(picture) == 0)[None]


def compute_depth(known: Tensor) -> Tensor:
    """Return how many steps the deepest missing pixel is away from a known one, diagonal steps allowed: (N,).

    ``known`` is (N, 1, H, W) bool; a picture without damage has depth 0, one without a known pixel the longer side.
    """
    depth = torch.zeros(len(known), dtype=torch.int64)
    reached = known
    for _ in range(max(known.shape[2:])):
        missing = ~reached.flatten(1).all(dim=1)
        if not missing.any():
            break
        depth += missing
        reached = torch.nn.functional.max_pool2d(reached.float(), 3, stride=1, padding=1) > 0
    return depth
