"""Four ways to enlarge a picture and their checkerboards; a map of pictures to walk over."""

from functools import cache
from typing import Any, cast

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.atlas import compute_atlas, load_map
from cnngen_course.experiments.enlarging import (
    GREY,
    METHODS,
    SIDE,
    WEIGHTS,
    compute_overlaps,
    compute_upsampled,
    compute_weight,
    shrink,
)
from cnngen_course.explorers.pad import XYPad
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import load_font, put_side_by_side
from cnngen_course.galleries import load_photo
from cnngen_course.images import encode_jpeg, make_grid, to_pil, to_pixels
from cnngen_course.metrics import compute_checkerboard

# Clothes by their index in the test set.
PICTURES: dict[str, Any] = {"kingfisher": "photo", "ankle boot": 0, "pullover": 1, "trouser": 2}
SHOWN = 288  # pixels of each of the three pictures side by side
VISIBLE = 3.0  # grey levels; a weaker pattern is hard to see


@cache
def load_small(name: str) -> Tensor:
    """Return one of the explorer's pictures as brightness in [0, 1], (1, C, SIDE, SIDE)."""
    if PICTURES[name] == "photo":
        pixels = load_photo(f"animal_{name}").pixels
    else:
        pixels = load_fashion_mnist("test").pixels[PICTURES[name]]
    return shrink(to_pil(pixels))


def make_upsampling_explorer() -> Panel:
    """Choose a way to enlarge a picture; see its checkerboard on the picture and on flat grey."""
    controls = {
        "name": widgets.Dropdown(options=list(PICTURES), value="ankle boot", description="picture"),
        "method": widgets.Dropdown(options=list(METHODS.items()), value="transposed", description="method"),
        "weights": widgets.Dropdown(options=list(WEIGHTS.items()), description="weights"),
        "kernel_size": widgets.IntSlider(3, 1, 7, description="kernel"),
        "stride": widgets.IntSlider(2, 1, 4, description="stride"),
        "upload": PictureUpload(shrink, "your own picture", ended_by=("name",)),
    }

    return Panel(draw_upsampling, controls)


def draw_upsampling(upload: Tensor | None, name: str, method: str, weights: str, kernel_size: int, stride: int) -> View:
    small = load_small(name) if upload is None else upload
    weight = compute_weight(weights, method, kernel_size, stride)
    large = compute_upsampled(small, weight, method, stride)
    flat = compute_upsampled(torch.full((1, 1, 8, 8), GREY), weight, method, stride)[:, :, :8, :8]
    overlaps = compute_overlaps(method, kernel_size, stride)
    tiles = (draw_tile(small), draw_tile(large), write_numbers(draw_tile(flat), overlaps))
    titles = (f"{SIDE} × {SIDE} pixels", f"enlarged {stride}×", "flat grey, enlarged (8 × 8 pixels of it)")
    shown = f"the {name}" if upload is None else "your picture"
    return View(put_side_by_side(tiles, titles), describe(shown, method, weights, stride, overlaps, large, flat))


def describe(shown: str, method: str, weights: str, stride: int, overlaps: Tensor, large: Tensor, flat: Tensor) -> str:
    counts = [str(int(count)) for count in overlaps.unique()]
    spread = "equally many everywhere" if len(counts) == 1 else "not equally many"
    pattern = 255 * compute_checkerboard(flat, stride).item()
    in_picture = 255 * compute_checkerboard(large, stride).item()
    verdict = "a checkerboard that one sees" if pattern >= VISIBLE else "no visible checkerboard"
    ways = {value: key for key, value in METHODS.items()}
    kinds = {value: key.split(" (")[0] for key, value in WEIGHTS.items()}
    return (
        f"{ways[method].capitalize()}, weights {kinds[weights]}, on {shown}: each output pixel adds up "
        f"{' or '.join(counts)} products, {spread}. Flat grey gets {verdict}: it varies by {pattern:.1f} of 255 grey "
        f"levels from pixel to pixel; the same pattern in the picture has {in_picture:.1f}."
    )


def draw_tile(brightness: Tensor) -> Image.Image:
    """Turn one picture (1, C, H, W) with brightness in [0, 1] into a Pillow image of SHOWN pixels."""
    return to_pil(to_pixels(2 * brightness[0] - 1)).convert("RGB").resize((SHOWN, SHOWN), Image.Resampling.NEAREST)


def write_numbers(tile: Image.Image, numbers: Tensor) -> Image.Image:
    """Write a table of whole numbers (n, n) over a picture, dark on light and light on dark."""
    draw, step, font = ImageDraw.Draw(tile), SHOWN / len(numbers), load_font(13)
    for row, line in enumerate(numbers.tolist()):
        for column, number in enumerate(line):
            centre = ((column + 0.5) * step, (row + 0.5) * step)
            red, *_ = cast(tuple[int, ...], tile.getpixel((int(centre[0]), int(centre[1]))))
            colour = "black" if red > 120 else "white"
            draw.text(centre, f"{number:.0f}", colour, font, anchor="mm")
    return tile


def make_latent_explorer() -> Panel:
    """Drag a point over the map of pictures; the decoder draws what lies there."""
    background = encode_jpeg(to_pil(compute_atlas(load_map())))
    return Panel(draw_place, {"place": XYPad(value=(0.5, 0.1), description="place on the map", background=background)})


def draw_place(place: tuple[float, float]) -> View:
    picture_map = load_map()
    drawn = to_pixels(picture_map.draw(torch.tensor([place])))[0]
    distances, nearest = picture_map.find_nearest(torch.tensor(place), 4)
    real = make_grid(picture_map.data.pixels[nearest], columns=2, gap=0)
    tiles = (to_pil(drawn, 8), to_pil(real, 4))
    picture = put_side_by_side(tiles, ("drawn from two numbers", "the four nearest real pictures"))
    names = [picture_map.data.class_names[label] for label in picture_map.data.labels[nearest]]
    kinds = ", ".join(dict.fromkeys(names))
    far = "; no real picture is near, so the decoder has to guess" if distances[0] > 0.1 else ""
    x, y = (picture_map.middle + picture_map.reach * torch.tensor(place)).tolist()
    return View(picture, f"The decoder was given ({x:.2f}, {y:.2f}). The nearest real pictures: {kinds}{far}.")
