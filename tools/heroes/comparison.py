"""The hero picture of the lesson on comparing: real clothes, and below them the same classes by four models."""

import torch
from PIL import Image, ImageDraw

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.comparison import CONTESTANTS, load_outcome
from cnngen_course.figures import load_font
from cnngen_course.images import make_grid, to_pil

LABELS = (9, 7, 5, 8, 3, 1, 0, 9, 7, 5, 8, 3, 6)  # classes, a column each
MARGIN = 104


def make() -> Image.Image:
    """Return five rows of thirteen pictures with their titles (about 860 × 300)."""
    test = load_fashion_mnist("test")
    rows = {"real": torch.stack([test.pixels[test.labels == label][3 + i] for i, label in enumerate(LABELS)])}
    for name, contestant in CONTESTANTS.items():
        pixels = load_outcome(name, 0).pixels
        rows[contestant.title] = torch.stack([pixels[label::10][i % 10] for i, label in enumerate(LABELS)])
    grid = to_pil(make_grid(torch.cat(list(rows.values())), len(LABELS), background=255), zoom=2)
    picture = Image.new("RGB", (grid.width + MARGIN, grid.height), "white")
    picture.paste(grid, (MARGIN, 0))
    for row, title in enumerate(rows):
        ImageDraw.Draw(picture).text((6, 60 * row + 22), title, "black", load_font(16))
    return picture
