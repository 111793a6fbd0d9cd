"""The hero picture of the lesson on quality: five round walks through the shipped generator's latent space."""

import torch
from PIL import Image

from cnngen_course.explorers.quality import draw_walk
from cnngen_course.images import make_grid, to_pil, to_pixels

WALKS = ((3, 1), (6, 4), (8, 5), (7, 2), (9, 3))  # class and seed
COLUMNS, TRUNCATION = 15, 1.5


def make() -> Image.Image:
    """Return five rows of fifteen pictures, dress, shirt, bag, sneaker and ankle boot (900 × 300)."""
    places = torch.arange(COLUMNS) / COLUMNS
    images = [draw_walk(label, label, 0.0, TRUNCATION, seed, places)[0] for label, seed in WALKS]
    return to_pil(make_grid(to_pixels(torch.cat(images)), COLUMNS, background=0), zoom=2)
