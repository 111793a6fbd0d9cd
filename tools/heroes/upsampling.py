"""The hero picture of the lesson on upsampling: a walk over all places of a map, drawn from two numbers each."""

from PIL import Image

from cnngen_course.experiments.atlas import compute_atlas, load_map
from cnngen_course.images import to_pil


def make() -> Image.Image:
    """Return 320 pictures of 28 × 28 pixels in ten rows (896 × 280)."""
    return to_pil(compute_atlas(load_map(), rows=10, columns=32))
