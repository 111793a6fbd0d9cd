"""The hero picture of the lesson on optimisation: ten clothes at three moments of a training, and real ones."""

import torch
from PIL import Image

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.trials import DRAWN, find_shown, load_logs
from cnngen_course.images import make_grid, to_pil

BLOCK, MOMENTS = "residual", (0, 1, 4)


def make() -> Image.Image:
    """Return four rows of ten pictures: early, later, last, and as they are (900 × 358)."""
    log = load_logs("drawing")[BLOCK]
    rows = [log.pixels[moment] for moment in MOMENTS] + [load_fashion_mnist("test").select(find_shown()).pixels]
    return to_pil(make_grid(torch.cat(rows), DRAWN, background=0), zoom=3)
