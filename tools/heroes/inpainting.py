"""The hero picture of the lesson on repairing: photographs whole, damaged, and repaired by the shipped network."""

import torch
from PIL import Image

from cnngen_course.explorers.inpainting import prepare, repair
from cnngen_course.galleries import load_photo
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.masks import sample_masks

PHOTOS = (
    "animal_hedgehog scene_coffee animal_perched-osprey fish_fish20 energy_windmill5 monument_operaHouse_s "
    "animal_horse scene_singaporean-cityscape fish_fish3"
).split()
KINDS = ("scratches", "text", "free_form")


def make() -> Image.Image:
    """Return three rows of nine photographs: as they were, damaged, repaired (900 × 300)."""
    images = torch.cat([prepare(to_pil(load_photo(name).pixels)) for name in PHOTOS])
    known = torch.cat([sample_masks(kind, 1, images.shape[3], seed) for seed, kind in enumerate(KINDS * 3, start=2)])
    rows = [images, torch.where(known, images, 1.0), repair("network", images, known)]
    return to_pil(make_grid(to_pixels(torch.cat(rows)), len(PHOTOS)), zoom=2).resize(
        (900, 300), Image.Resampling.LANCZOS
    )
