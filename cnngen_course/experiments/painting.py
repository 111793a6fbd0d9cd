"""What is painted, and how: photographs that the stylist never saw, brought into form, and styles as VGG sees them."""

from functools import cache

from PIL import Image, ImageOps
from torch import Tensor

from cnngen_course.galleries import STYLES, load_photo
from cnngen_course.images import from_pil, to_images, to_pil
from cnngen_course.models.vgg import VGGFeatures
from cnngen_course.objectives.style import Style
from cnngen_course.pretrained import load_vgg

PHOTOS = {  # of the test set: the network never saw them
    "Berlin": "monument_berlinCathedral",
    "horses": "animal_horse",
    "coffee": "scene_coffee",
    "windmill": "energy_windmill",
    "hedgehog": "animal_hedgehog",
    "Chambord": "monument_chateaudeChambord",
}
QUALITIES = {"draft": (96, 10), "good": (160, 30), "better": (256, 60), "best": (384, 100)}  # short side, steps
LONGEST = 2  # times the short side; longer pictures lose their ends


@cache
def load_eyes() -> VGGFeatures:
    return load_vgg()


@cache
def load_style(name: str) -> Style:
    return Style(load_eyes(), STYLES[name]())


@cache
def load_picture(name: str) -> Image.Image:
    return prepare(to_pil(load_photo(PHOTOS[name]).pixels))


def prepare(picture: Image.Image) -> Image.Image:
    """Return the picture no larger than the best quality needs; of a very long one, the middle."""
    short = min(picture.size)
    width, height = (min(side, LONGEST * short) for side in picture.size)
    picture = ImageOps.fit(picture, (width, height))
    return scale(picture, min(short, QUALITIES["best"][0]))


def scale(picture: Image.Image, short: int) -> Image.Image:
    """Return the picture with its short side brought to ``short`` pixels."""
    factor = short / min(picture.size)
    width, height = (max(short, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def to_batch(picture: Image.Image, short: int) -> Tensor:
    """Return the picture with its short side brought to ``short`` pixels, (1, 3, H, W) in [-1, 1]."""
    return to_images(from_pil(scale(picture, short)))[None]
