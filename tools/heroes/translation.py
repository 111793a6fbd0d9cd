"""The hero picture of the lesson on translation: outlines, and what the shipped network makes of two sets of dabs."""

import torch
from PIL import Image

from cnngen_course.explorers.translation import load_network, load_start
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.objectives.translation import colour, dab_fairly

NAMES = "butterfly;macaw;avocado;octopus;rose;hut;party popper;motorbike helmet;windsurfing".split(";")
DABS = 12


def make() -> Image.Image:
    """Return three rows of nine held-out emoji: outlines, coloured as dabbed, coloured with exchanged dabs (900 × 300).

    In the third row red, green and blue of the dabs have changed places.
    """
    starts = [load_start(name) for name in NAMES]
    outlines, pictures = (torch.cat(parts) for parts in zip(*starts, strict=True))
    hints = dab_fairly(pictures, DABS)
    rows = [
        outlines.expand_as(pictures),
        colour(load_network(), outlines, hints),
        colour(load_network(), outlines, hints[:, [2, 0, 1, 3]]),
    ]
    return to_pil(make_grid(to_pixels(torch.cat(rows)), len(NAMES)), zoom=3).resize(
        (900, 300), Image.Resampling.LANCZOS
    )
