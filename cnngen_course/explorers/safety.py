"""How strong must an attack be, and what does a face detector miss, also on a picture of one's own."""

from functools import cache, lru_cache

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import ImageSet, load_fashion_mnist
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import BLUE, RED, load_font, put_side_by_side
from cnngen_course.galleries import load_face_boxes, load_people
from cnngen_course.images import from_pil, to_pil, to_pixels
from cnngen_course.pretrained import load_judge
from cnngen_course.safety.attacks import LEVEL, Aim, add_noise, attack_once, attack_stepwise, make_aim
from cnngen_course.safety.faces import (
    WAYS,
    Count,
    count_misses,
    detect_by_cascade,
    detect_by_mtcnn,
    enlarge,
    hide_all,
    resize,
)

SHOWN, ZOOM = 40, 6
ANY = "anything else"
LONG_SIDE = 640
PEOPLE = ("astronaut", "admiral", "band", "opera", "orchestra")  # in the order of load_people
DETECTORS = ("MTCNN", "cascade")
DOUBTS = {"possible": (0.5, 1), "likely": (0.9, 2), "nearly sure": (0.97, 4)}  # of MTCNN, of the cascade


def attack_noise(aim: Aim, images: Tensor, epsilon: float) -> Tensor:
    return add_noise(images, epsilon, torch.Generator().manual_seed(0))


def attack_often(aim: Aim, images: Tensor, epsilon: float) -> Tensor:
    return attack_stepwise(aim, images, epsilon, steps=10)


ATTACKS = {"noise": attack_noise, "one step (FGSM)": attack_once, "ten steps (PGD)": attack_often}


@cache
def load_pictures() -> ImageSet:
    """Return pictures of the test set that the judge names rightly."""
    few = load_fashion_mnist("test").select(slice(2 * SHOWN))
    with torch.no_grad():
        right = load_judge()(few.images).argmax(dim=1) == few.labels
    return few.select(right.nonzero()[:SHOWN, 0])


def make_attack_explorer() -> Panel:
    """Choose a picture, an attack, its strength and what shall be read; see the judge's probabilities."""
    pictures = load_pictures()
    controls = {
        "index": widgets.IntSlider(0, 0, len(pictures) - 1, description="picture"),
        "way": widgets.Dropdown(options=list(ATTACKS), value="ten steps (PGD)", description="attack"),
        "levels": widgets.IntSlider(8, 0, 24, description="grey levels"),
        "target": widgets.Dropdown(options=[ANY, *pictures.class_names], description="shall be read as"),
    }
    return Panel(draw_attack, controls)


def draw_attack(index: int, way: str, levels: int, target: str) -> View:
    chosen, names = load_pictures().select(slice(index, index + 1)), load_pictures().class_names
    wanted = chosen.labels if target == ANY else torch.tensor([names.index(target)])
    aim = make_aim(load_judge(), wanted, targeted=target != ANY)
    changed = ATTACKS[way](aim, chosen.images, levels * LEVEL) if levels else chosen.images
    with torch.no_grad():
        before, after = load_judge()(torch.cat([chosen.images, changed])).softmax(dim=1)
    change = (changed - chosen.images) / max(levels, 1) / LEVEL  # in shares of what was allowed
    tiles = [to_pil(to_pixels(images)[0], ZOOM) for images in (chosen.images, change * 0.9, changed)]
    tiles += [draw_bars(before, after, names, tiles[0].height)]
    titles = ["picture", "change, magnified", "attacked", "judge: before (blue), after (red)"]
    true, now = int(chosen.labels), int(after.argmax())
    words = (
        f"Labelled {names[true]}, attacked by {way} with up to {levels} of 255 grey levels a pixel"
        f"{'' if target == ANY else f', to be read as {target}'}. The judge says {names[now]} with {after[now]:.0%}; "
        f"before, it said {names[true]} with {before[true]:.0%}, now {after[true]:.0%}."
    )
    return View(put_side_by_side(tiles, titles), words, quality=75)


def draw_bars(before: Tensor, after: Tensor, names: tuple[str, ...], height: int) -> Image.Image:
    """Return two bars a class, how probable it is before and after."""
    picture = Image.new("RGB", (290, height), "white")
    draw, line = ImageDraw.Draw(picture), height / len(names)
    for row, name in enumerate(names):
        top = row * line
        draw.text((0, top + 1), name, "black", load_font(12))
        for place, (share, colour) in enumerate(((before[row], BLUE), (after[row], RED))):
            left, upper = 96, top + 2 + place * (line / 2 - 1)
            draw.rectangle((left, upper, left + 1 + 185 * share.item(), upper + line / 2 - 3), fill=colour)
    return picture


@cache
def load_person(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return a picture of people, the boxes of its faces, and those of masked ones."""
    index = PEOPLE.index(name)
    return load_people()[index].pixels, *load_face_boxes()[index]


search = lru_cache(maxsize=8)(detect_by_mtcnn)  # once a picture, not once a moved control


@lru_cache(maxsize=32)
def detect(pixels: Tensor, detector: str, doubt: str) -> Tensor:
    """Return the boxes (F, 4) that a detector finds at a level of ``DOUBTS``."""
    least, agreeing = DOUBTS[doubt]
    if detector == "MTCNN":
        return search(pixels).above(least).boxes
    return detect_by_cascade(pixels, agreeing).boxes


def prepare(picture: Image.Image) -> Tensor:
    """Return a picture of one's own as pixels (3, H, W) with a long side of LONG_SIDE."""
    return resize(from_pil(picture.convert("RGB")), LONG_SIDE)


def make_face_explorer() -> Panel:
    """Hide the faces in a picture of people, or in one of your own, and see what the detector missed."""
    controls = {
        "photo": widgets.Dropdown(options=list(PEOPLE), value="band", description="photograph"),
        "upload": PictureUpload(prepare, "or your own", ended_by=("photo",)),
        "detector": widgets.Dropdown(options=list(DETECTORS), description="detector"),
        "doubt": widgets.Dropdown(options=list(DOUBTS), value="likely", description="a face if"),
        "way": widgets.Dropdown(options=list(WAYS), value="pixelate", description="hide by"),
        "strength": widgets.FloatSlider(1.0, min=1.0, max=4.0, step=0.25, description="strength"),
    }

    def draw(photo: str, upload: Tensor | None, detector: str, doubt: str, way: str, strength: float) -> View:
        pixels, faces, masks = load_person(photo) if upload is None else (upload, None, None)
        return draw_hidden(pixels, faces, masks, detector, doubt, way, strength)

    return Panel(draw, controls)


def draw_hidden(
    pixels: Tensor, faces: Tensor | None, masks: Tensor | None, detector: str, doubt: str, way: str, strength: float
) -> View:
    """Hide what was found; where the true faces are known, cover those that were missed, so that none is shown."""
    found = detect(pixels, detector, doubt)
    hidden, left = hide_all(pixels, found, faces, way, strength)
    picture = to_pil(hidden)
    frame(picture, enlarge(found, *pixels.shape[1:]), BLUE)
    places = f"{len(found)} {'place' if len(found) == 1 else 'places'} (blue)"
    hiding = f"{detector} found {places}, hidden by {way}, strength {strength:.2f}"
    if faces is None:
        words = f"{hiding}. What was missed only your eye can tell: look. Nothing of your picture leaves this computer."
    else:
        frame(picture, left, RED)
        count = count_misses(found, faces, masks)
        words = f"{hiding}. {describe_count(count)}"
    return View(picture, words, quality=72)


def describe_count(count: Count) -> str:
    missed = f"missed {count.missed} (grey, red frame)" if count.missed else "missed none"
    return f"Of {count.faces} true faces it {missed}; {count.false_alarms} of the places hold no face."


def frame(picture: Image.Image, boxes: Tensor, colour: str) -> None:
    """Draw the outline of each box onto the picture."""
    draw = ImageDraw.Draw(picture)
    for box in boxes.tolist():
        if box[2] > box[0] and box[3] > box[1]:
            draw.rectangle(box, outline=colour, width=2)
