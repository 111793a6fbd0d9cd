"""The hero picture of the lesson on style: photographs, and below each the same one in a style of the network."""

import torch
from PIL import Image, ImageOps

from cnngen_course.explorers.style import paint
from cnngen_course.galleries import load_photo
from cnngen_course.images import from_pil, make_grid, to_images, to_pil, to_pixels
from cnngen_course.models.stylist import compute_shares

PICTURES = {
    "monument_berlinCathedral": "comic",
    "animal_horse": "café terrace",
    "scene_coffee": "sunlit road",
    "monument_operaHouse_s": "woodblock",
    "energy_windmill": "starry night",
    "monument_parthenon_s": "blueprint",
}
SIZE = 240


def make() -> Image.Image:
    """Return two rows of six squares (900 × 300)."""
    squares = [ImageOps.fit(to_pil(load_photo(name).pixels), (SIZE, SIZE)) for name in PICTURES]
    images = to_images(torch.stack([from_pil(square) for square in squares]))
    painted = paint(images, torch.cat([compute_shares(style, style, 0.0, 1.0) for style in PICTURES.values()]))
    grid = make_grid(to_pixels(torch.cat([images, painted])), len(PICTURES))
    return to_pil(grid).resize((900, 300), Image.Resampling.LANCZOS)
