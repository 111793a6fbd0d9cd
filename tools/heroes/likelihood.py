"""The hero picture of the lesson on likelihood: three pictures, each in eight stages of being drawn."""

import torch
from PIL import Image

from cnngen_course.explorers.likelihood import load_model, paint_partial
from cnngen_course.images import from_pil, make_grid, to_pil
from cnngen_course.objectives.likelihood import sample_levels

CHOSEN = (169, 308, 390)  # a boot, a bag and a striped T-shirt among the draws below
STAGES = (150, 240, 330, 420, 510, 600, 690, 784)  # pixels drawn


def make() -> Image.Image:
    """Return three rows of eight pictures, 112 × 112 pixels each, what is not yet drawn in a light tint (910 × 340)."""
    labels = torch.arange(10).repeat(40)
    drawn = sample_levels(load_model(), labels, generator=torch.Generator().manual_seed(0))[list(CHOSEN), 0]
    stages = [[from_pil(picture) for picture in paint_partial(drawn, stage)] for stage in STAGES]
    rows = [picture for row in zip(*stages, strict=True) for picture in row]
    large = torch.stack(rows).repeat_interleave(4, 2).repeat_interleave(4, 3)
    return to_pil(make_grid(large, columns=len(STAGES)))
