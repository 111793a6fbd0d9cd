"""A photograph, two styles, and how much of each; painted by the network or, slowly, by repainting."""

import time
from functools import cache

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.experiments.painting import PHOTOS, QUALITIES, load_eyes, load_picture, load_style, prepare, to_batch
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.galleries import STYLES
from cnngen_course.images import to_pil, to_pixels
from cnngen_course.models.stylist import Stylist, compute_shares
from cnngen_course.objectives.style import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    Style,
    compute_content_distance,
    keep_colours,
    mix_styles,
    repaint,
)
from cnngen_course.pretrained import load_pretrained
from cnngen_course.runtime import pick_precision

WAYS = ("the network", "repainting (slow)")
REPAINTED = 96  # pixels of the short side, whatever the quality: there it stands for steps
JUDGED = 64  # pixels of the short side at which distances are measured
SHOWN = 300  # pixels of the longer side on the screen


@cache
def load_network() -> Stylist:
    return load_pretrained("stylist", Stylist)


@torch.inference_mode()
def paint(images: Tensor, shares: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=pick_precision() == "bf16"):  # half the time, as it was trained
        return load_network()(images, shares)


def repaint_slowly(images: Tensor, style: Style, strength: float, steps: int) -> Tensor:
    """Return the picture after that many steps of ``repaint``; a strength of 1 is that of the network's training."""
    *_, last = repaint(load_eyes(), images, style, steps=steps, strength=10 * strength)
    return last


@torch.inference_mode()
def compute_distances(images: Tensor, painted: Tensor, style: Style) -> tuple[float, float, float]:
    """Return the content distance of the painted picture, its style distance, and that of the photograph."""
    factor = JUDGED / min(images.shape[2:])
    pair = F.interpolate(torch.cat([images, painted]), scale_factor=factor, mode="bilinear", antialias=True)
    answers = load_eyes()(pair, STYLE_LAYERS)
    content = compute_content_distance(answers[CONTENT_LAYER][1:], answers[CONTENT_LAYER][:1])
    before, after = style.compute_distance(answers).tolist()
    return content.item(), after, before


def make_style_explorer() -> Panel:
    """Choose a photograph or bring one, two styles, how they are mixed, and how strong and how fine it shall be."""
    controls = {
        "photo": widgets.Dropdown(options=list(PHOTOS), description="photograph"),
        "upload": PictureUpload(prepare, "or your own", ended_by=("photo",)),
        "style": widgets.Dropdown(options=list(STYLES), description="style"),
        "second": widgets.Dropdown(options=list(STYLES), value="comic", description="second style"),
        "mix": widgets.FloatSlider(0.2, min=0, max=1, step=0.05, description="share of second"),
        "strength": widgets.FloatSlider(1, min=0, max=1, step=0.05, description="strength"),
        "quality": widgets.SelectionSlider(options=list(QUALITIES), value="good", description="quality"),
        "colours": widgets.Checkbox(False, description="keep the colours"),
        "way": widgets.Dropdown(options=WAYS, description="painted by"),
    }

    def draw(
        photo: str,
        upload: Image.Image | None,
        style: str,
        second: str,
        mix: float,
        strength: float,
        quality: str,
        colours: bool,
        way: str,
    ) -> View:
        picture = load_picture(photo) if upload is None else upload
        slow = way != WAYS[0]
        short, steps = QUALITIES[quality]
        images = to_batch(picture, REPAINTED if slow else short)
        wanted = mix_styles(load_style(style), load_style(second), mix)
        start = time.perf_counter()
        if slow:
            painted = repaint_slowly(images, wanted, strength, steps)
        else:
            painted = paint(images, compute_shares(style, second, mix, strength))
        seconds = time.perf_counter() - start
        painted = keep_colours(painted, images) if colours else painted
        how = f"in {steps} steps of repainting" if slow else "in one pass of the network"
        tiles = [enlarge(tile) for tile in (images, painted)]
        text = describe(images, painted, wanted, name_mixture(style, second, mix), strength, colours, how, seconds)
        return View(put_side_by_side(tiles, ["photograph", "painted"]), text, quality=72)

    return Panel(draw, controls, slow=lambda **values: values["way"] != WAYS[0] or values["quality"] == "best")


def enlarge(images: Tensor) -> Image.Image:
    picture = to_pil(to_pixels(images)[0])
    factor = SHOWN / max(picture.size)
    width, height = (round(side * factor) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def name_mixture(style: str, second: str, mix: float) -> str:
    if mix in (0, 1) or style == second:
        return f'"{second if mix == 1 else style}"'
    return f'"{style}" with {mix:.0%} of "{second}"'


def describe(
    images: Tensor,
    painted: Tensor,
    style: Style,
    name: str,
    strength: float,
    colours: bool,
    how: str,
    seconds: float,
) -> str:
    content, after, before = compute_distances(images, painted, style)
    height, width = images.shape[2:]
    return (
        f"{width} × {height} pixels in the style {name}, strength {strength:.0%}"
        f"{', the colours kept' if colours else ''}, painted {how} ({seconds:.2g} s). "
        f"Distance to the style: {after:.2f} (the photograph: {before:.2f}). "
        f"Distance to the content: {content:.2f} (the photograph: 0)."
    )
