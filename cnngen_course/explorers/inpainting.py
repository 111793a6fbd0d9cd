"""Damage a photograph with your own hand and see three ways to repair it, each with its error."""

from functools import cache, lru_cache
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor

from cnngen_course.explorers.canvas import Canvas, draw_strokes
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.galleries import load_photo
from cnngen_course.images import crop_square, encode_jpeg, from_pil, to_images, to_pil, to_pixels
from cnngen_course.masks import compute_depth, sample_masks
from cnngen_course.metrics import compute_hole_psnr, compute_ssim
from cnngen_course.models.unet import Inpainter
from cnngen_course.pretrained import load_pretrained
from cnngen_course.restoration import FILLS

SIZE, ZOOM = 96, 2
PHOTOS = {  # of the test set: the network never saw them
    "hedgehog": "animal_hedgehog",
    "osprey": "animal_perched-osprey",
    "windmill": "energy_windmill5",
    "Berlin": "monument_berlinCathedral",
}
KINDS = {
    "drawn by you": "",
    "scratches": "scratches",
    "text": "text",
    "free-form": "free_form",
    "hole in the middle": "centre",
}
WAYS = ("Laplace", "Telea", "network")
PEN = {"tool": "brush", "colour": "#d55e00", "width": 0.09}
FIRST_STROKES = (PEN | {"points": ((0.2, 0.3), (0.5, 0.45), (0.8, 0.35))}, PEN | {"points": ((0.3, 0.75), (0.7, 0.7))})
TOOLS = [
    {"name": "thin brush", "kind": "line", "colour": "#d55e00", "width": 0.025},
    {"name": "brush", "kind": "line", "colour": "#d55e00", "width": 0.09},
    {"name": "blot", "kind": "dab", "colour": "#d55e00", "width": 0.25},
]


@cache
def load_network() -> Inpainter:
    return load_pretrained("photo_inpainter", Inpainter)


@cache
def load_picture(name: str) -> Tensor:
    """Return one of the explorer's photographs as a square (1, 3, SIZE, SIZE) in [-1, 1]."""
    return prepare(to_pil(load_photo(PHOTOS[name]).pixels))


def prepare(picture: Image.Image) -> Tensor:
    """Return the centre of a picture as a square (1, 3, SIZE, SIZE) in [-1, 1]."""
    return to_images(from_pil(crop_square(picture.convert("RGB"), SIZE)))[None]


@lru_cache(maxsize=4)  # once a picture, not once a stroke
def encode_background(images: Tensor) -> bytes:
    return encode_jpeg(to_pil(to_pixels(images)[0], 3))


def compute_known(strokes: tuple[dict[str, Any], ...], size: int) -> Tensor:
    """Return which pixels no stroke touches, (1, 1, size, size) bool."""
    return (draw_strokes(strokes, size)[1] == 0)[None]


@torch.inference_mode()
def repair(way: str, images: Tensor, known: Tensor) -> Tensor:
    """Repair pictures (N, 3, H, W) by the network or by one of the classical ``FILLS``."""
    return load_network()(images, known) if way == "network" else FILLS[way](images, known)


def make_inpainting_explorer() -> Panel:
    """Choose a photograph or bring one, damage it, and compare the repairs."""
    canvas = Canvas(value=FIRST_STROKES, tools=TOOLS, description="paint damage here", size=288)
    controls = {
        "photo": widgets.Dropdown(options=list(PHOTOS), description="photograph"),
        "upload": PictureUpload(prepare, "or your own", ended_by=("photo",)),
        "kind": widgets.Dropdown(options=list(KINDS), value="text", description="damage"),
        "seed": widgets.IntSlider(1, 1, 20, description="other places"),
        "strokes": canvas,
    }

    def draw(photo: str, upload: Tensor | None, kind: str, seed: int, strokes: tuple) -> View:
        images = load_picture(photo) if upload is None else upload
        canvas.background = encode_background(images)  # the browser hears of it only when it is another
        return draw_repairs(images, KINDS[kind], seed, strokes)

    return Panel(draw, controls)


def draw_repairs(images: Tensor, kind: str, seed: int, strokes: tuple[dict[str, Any], ...]) -> View:
    known = sample_masks(kind, 1, SIZE, seed) if kind else compute_known(strokes, SIZE)
    if kind and strokes:
        known = known & compute_known(strokes, SIZE)  # what is drawn by hand is damaged, too
    damaged = torch.where(known, images, 1.0)
    if known.all():
        tiles = [to_pil(to_pixels(images)[0], ZOOM)]
        return View(put_side_by_side(tiles, ["nothing is damaged"]), "Nothing is damaged yet: paint on the picture.")
    if not known.any():
        tiles = [to_pil(to_pixels(damaged)[0], ZOOM)]
        return View(
            put_side_by_side(tiles, ["nothing is left"]), "No pixel is left to repair from: take a stroke back."
        )
    repaired = {way: repair(way, images, known) for way in WAYS}
    errors = {way: compute_hole_psnr(filled, images, known) for way, filled in repaired.items()}
    titles = ["damaged", "as it was", *(f"{way}: {error:.1f} dB" for way, error in errors.items())]
    pictures = [damaged, images, *repaired.values()]
    tiles = [to_pil(to_pixels(picture)[0], ZOOM) for picture in pictures]
    rows = [put_side_by_side(tiles[:2], titles[:2]), put_side_by_side(tiles[2:], titles[2:])]
    return View(stack(rows), describe(known, errors, repaired, images), quality=80)


def stack(rows: list[Image.Image]) -> Image.Image:
    """Return the rows one below the other, on white."""
    whole = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return whole


def describe(known: Tensor, errors: dict[str, float], repaired: dict[str, Tensor], images: Tensor) -> str:
    best = max(errors, key=errors.__getitem__)
    share = 1 - known.float().mean().item()
    likeness = compute_ssim(repaired[best], images).item()
    return (
        f"{share:.1%} of the pixels are missing, the deepest {compute_depth(known).item()} pixels from a known one. "
        f"Nearest to the truth in the hole: {best} with {errors[best]:.1f} dB "
        f"({', '.join(f'{way} {error:.1f}' for way, error in errors.items() if way != best)}). "
        f"Structural similarity of the whole picture: {likeness:.3f}."
    )
