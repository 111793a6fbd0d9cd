"""The hero picture of the lesson on safety: faces hidden, an attack beside its change, a photograph beside its mark."""

import torch
from PIL import Image
from torch import Tensor

from cnngen_course.explorers.safety import load_person
from cnngen_course.galleries import load_photo
from cnngen_course.images import crop_square, from_pil, to_images, to_pil, to_pixels
from cnngen_course.models.vgg import DEVIATION, MEAN
from cnngen_course.pretrained import load_mobilenet
from cnngen_course.safety.attacks import LEVEL, attack_stepwise, make_aim
from cnngen_course.safety.faces import detect_by_mtcnn, hide
from cnngen_course.safety.marks import BITS, write_mark

SIDE, GAP = 296, 6


def hide_band() -> Image.Image:
    pixels, true, _ = load_person("band")
    hidden = hide(pixels, torch.cat([true, detect_by_mtcnn(pixels).above(0.9).boxes]), "pixelate", 1.5)
    return crop_square(to_pil(hidden[:, :, 215:]), SIDE)


def fool() -> Image.Image:
    network = load_mobilenet()
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    dog = to_images(from_pil(crop_square(to_pil(load_photo("animal_dog").pixels), 224)))[None]
    teapot = torch.tensor([network.class_names.index("teapot")])
    aim = make_aim(lambda images: network.model(((images + 1) / 2 - mean) / deviation), teapot, targeted=True)
    fooled = attack_stepwise(aim, dog, 3 * LEVEL, steps=12)
    return join((fooled - dog) / (3 * LEVEL), fooled)


def mark() -> Image.Image:
    pixels = from_pil(crop_square(to_pil(load_photo("animal_perched-osprey").pixels), 224))
    message = torch.rand(BITS, generator=torch.Generator().manual_seed(1)) < 0.5
    change = write_mark(pixels, message, key=7).float() - pixels.float()
    return join(to_images(write_mark(pixels, message, key=7))[None], (change / 10).clamp(-1, 1)[None])


def join(left: Tensor, right: Tensor) -> Image.Image:
    """Return the left half of one picture beside the right half of another."""
    half = left.shape[3] // 2
    whole = torch.cat([left[..., :half], right[..., half:]], dim=3)
    return to_pil(to_pixels(whole)[0]).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def make() -> Image.Image:
    """Return the three pictures side by side (900 × 296)."""
    row = Image.new("RGB", (3 * SIDE + 2 * GAP, SIDE), "white")
    for place, picture in enumerate((hide_band(), fool(), mark())):
        row.paste(picture, (place * (SIDE + GAP), 0))
    return row
