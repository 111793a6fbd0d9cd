"""The hero picture of the lesson on scaling: fifteen faces in six designs, all drawn by one network."""

import torch
from PIL import Image

from cnngen_course.galleries import load_table
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.pretrained import load_pretrained
from cnngen_course.recipes.artist import draw

FACES = (
    "grinning face|smiling face with heart eyes|winking face with tongue|nerd face|partying face|angry face with horns|"
    "loudly crying face|face with medical mask|baby|woman curly hair|mage|tiger face|panda|unicorn|rabbit face"
).split("|")


def make() -> Image.Image:
    """Return six rows, a design each, of fifteen faces (900 × 360)."""
    table = load_table()
    faces = torch.tensor([table.face_names.index(name) for name in FACES])
    styles = torch.arange(len(table.style_names))
    drawn = draw(load_pretrained("artist"), faces.repeat(len(styles)), styles.repeat_interleave(len(faces)))
    grid = to_pil(make_grid(to_pixels(drawn), len(faces), gap=4))
    return grid.resize((900, 360), Image.Resampling.LANCZOS)
