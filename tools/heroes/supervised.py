"""The hero picture of the lesson on learning from labels: five wishes, and a dozen answers to each."""

import torch
from PIL import Image, ImageDraw

from cnngen_course.datasets import mix_classes
from cnngen_course.explorers.supervised import load_vae
from cnngen_course.figures import load_font
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.objectives.variational import sample_images

WISHES = (  # words, first class, second class, share of the second, size, brightness
    ("dress, small, bright", 3, 3, 0.0, 0.36, 0.75),
    ("half shirt, half dress", 6, 3, 0.5, 0.5, 0.6),
    ("shirt, large", 6, 6, 0.0, 0.66, 0.55),
    ("bag, large, bright", 8, 8, 0.0, 0.66, 0.72),
    ("ankle boot, dark", 9, 9, 0.0, 0.44, 0.45),
)
COLUMNS, CELL, LEFT = 12, 60, 178


def make() -> Image.Image:
    """Return five rows of words and pictures (898 × 298)."""
    picture = Image.new("RGB", (LEFT + COLUMNS * CELL, len(WISHES) * CELL - 2), "white")
    draw, chance = ImageDraw.Draw(picture), torch.Generator().manual_seed(4)
    for row, (words, first, second, share, size, brightness) in enumerate(WISHES):
        noise = 0.8 * torch.randn(COLUMNS, load_vae().latent_size, generator=chance)  # a little nearer to the middle
        details = torch.tensor([[size, brightness]]).expand(COLUMNS, 2)
        images = sample_images(load_vae(), mix_classes(first, second, share, COLUMNS), details, noise)
        picture.paste(to_pil(make_grid(to_pixels(images), COLUMNS), zoom=2), (LEFT, row * CELL))
        draw.text((LEFT - 14, row * CELL + CELL // 2), words, "black", load_font(14), anchor="rm")
    return picture
