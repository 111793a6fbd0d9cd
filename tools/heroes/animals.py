"""The hero picture of the lesson on animals: drawn heads that the network never saw, as cats, and back again."""

from PIL import Image
from torch import cat

from cnngen_course.explorers.animals import load_held_out, translate
from cnngen_course.images import make_grid, to_pil, to_pixels

HEADS = (0, 5, 6, 9, 11, 14, 17, 20, 23)


def make() -> Image.Image:
    """Return three rows of nine heads: people, the cats made of them, and what comes back (900 × 300)."""
    people = load_held_out("humans").images[list(HEADS)]
    rows = [people, *translate(people, "humans")]
    grid = to_pil(make_grid(to_pixels(cat(rows)), len(HEADS), gap=3), zoom=2)
    return grid.resize((900, 300), Image.Resampling.LANCZOS)
