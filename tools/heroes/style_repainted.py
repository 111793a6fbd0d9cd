"""A stored picture of the lesson on style: a photograph repainted by optimisation, larger and longer than live."""

import torch
from PIL import Image

from cnngen_course.experiments.painting import load_eyes, load_picture, load_style, to_batch
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.objectives.style import repaint
from cnngen_course.runtime import pick_precision, seed_everything

STYLES = ("starry night", "café terrace", "comic")
SHORT, STEPS = 192, 120


def make() -> Image.Image:
    """Return a photograph and the same in three styles, in a row."""
    seed_everything(0)
    image = to_batch(load_picture("Berlin"), SHORT)
    pictures = [image]
    for name in STYLES:
        with torch.autocast("cpu", torch.bfloat16, enabled=pick_precision() == "bf16"):
            *_, last = repaint(load_eyes(), image, load_style(name), steps=STEPS, strength=20.0)
        pictures.append(last)
    return to_pil(make_grid(to_pixels(torch.cat(pictures)), len(pictures), gap=4))
