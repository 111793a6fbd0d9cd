"""The hero picture of the last lesson: five pieces of clothing on their way out of the noise."""

import torch
from PIL import Image

from cnngen_course.experiments.journeys import compute_journey
from cnngen_course.images import make_grid, to_pil, to_pixels

WISHES = ((9, 4), (8, 6), (7, 5), (4, 3), (1, 8))  # class and seed, a row each
STEPS, MOMENTS = 40, (0, 6, 9, 12, 14, 16, 18, 20, 22, 24, 27, 30, 33, 36, 40)


def make() -> Image.Image:
    """Return five rows of fifteen moments, from noise at the left to a picture at the right (about 900 × 300)."""
    rows = [compute_journey(label, STEPS, 2.0, seed)[0][list(MOMENTS)] for label, seed in WISHES]
    return to_pil(make_grid(to_pixels(torch.cat(rows)), len(MOMENTS), background=0), zoom=2)
