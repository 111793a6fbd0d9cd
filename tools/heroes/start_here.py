"""Two walks of the shipped generator: from a sneaker to an ankle boot, and from a bag to a dress."""

import torch
from PIL import Image

from cnngen_course.explorers.start_here import compute_walk
from cnngen_course.images import make_grid, to_pil, to_pixels

SNEAKER, BOOT, BAG, DRESS = 7, 9, 8, 3


def make() -> Image.Image:
    walks = [compute_walk(SNEAKER, BOOT, 0.6, 1), compute_walk(BAG, DRESS, 0.6, 4)]
    return to_pil(make_grid(to_pixels(torch.cat(walks)), columns=9, gap=4, background=0), zoom=3)
