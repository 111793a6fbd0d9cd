"""Choose a head or draw on one, see it as the other kind, and see what comes back."""

from functools import cache, lru_cache
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from cnngen_course.explorers.canvas import Canvas, draw_strokes
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.galleries import Gallery, load_head_colours, load_heads, name_head_colours
from cnngen_course.images import crop_square, encode_jpeg, from_pil, to_images, to_pil, to_pixels
from cnngen_course.models.bottleneck import BottleneckTwoWay
from cnngen_course.pretrained import load_pretrained

SIZE, ZOOM = 64, 3
DIRECTIONS = {"person to cat": "humans", "cat to person": "cats"}
NAMES = {"humans": "person", "cats": "cat"}
OTHER = {"humans": "cat", "cats": "person"}
GLASSES = {"with or without": None, "without": False, "with": True}
MOUTHS = {"open or closed": None, "closed": False, "open": True}
TOOLS = [
    {"name": "pen", "kind": "line", "colour": "", "width": 0.04},
    {"name": "dab", "kind": "dab", "colour": "", "width": 0.16},
    {"name": "white-out", "kind": "line", "colour": "#ffffff", "width": 0.1},
]
CAUTION = (
    "Bring drawings, dolls, vegetables. Leave photographs of people out: this network makes a cat or a drawn "
    "person of whatever you give it, and nobody should be shown as an animal without having asked for it."
)


@cache
def load_network() -> BottleneckTwoWay:
    return load_pretrained("head_translator", BottleneckTwoWay)


@cache
def load_held_out(kind: str) -> Gallery:
    """Return the heads of a kind that the network never saw."""
    return load_heads(kind, "test")


def find_heads(kind: str, colour: str, glasses: bool | None, mouth_open: bool | None) -> tuple[list[int], bool]:
    """Return the numbers of the held-out heads that fit best, and whether they fit in everything.

    Wishes that no head fulfils are dropped, the mouth first, then the glasses. None wishes nothing.
    """
    wanted = {"colour": colour, "wears_glasses": glasses, "mouth_open": mouth_open}
    wishes = {name: value for name, value in wanted.items() if value is not None}
    count = len(wishes)
    details = load_held_out(kind).details
    while True:
        fitting = [
            index for index, facts in enumerate(details) if all(facts[name] == wish for name, wish in wishes.items())
        ]
        if fitting:
            return fitting, len(wishes) == count
        wishes.popitem()


def paint(images: Tensor, strokes: tuple[dict[str, Any], ...]) -> Tensor:
    """Return pictures (N, 3, SIZE, SIZE) in [-1, 1] with the strokes on them."""
    pixels, cover = draw_strokes(strokes, SIZE)
    return torch.lerp(images, to_images(pixels)[None], cover[None])


@torch.inference_mode()
def translate(
    images: Tensor,
    kind: str,
    strength: float = 1.0,
    noise: float = 0.0,
    blurred: bool = False,
    redraws: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Translate pictures of a kind (N, 3, H, W), and what came of it back again.

    Args:
        strength: 0 leaves the picture, 1 is the translation, between them lies a mix.
        noise: standard deviation of noise on the translation before it goes back; always the same noise.
        blurred: whether the translation is blurred by the mean of 3x3 pixels before that.
        redraws: how often a translation is drawn again, on both ways; None leaves it to the network.
    """
    network = load_network()
    there, back = (network.there, network.back) if kind == "humans" else (network.back, network.there)
    translated = torch.lerp(images, there(images, redraws), strength)
    if blurred:
        translated = avg_pool2d(pad(translated, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    if noise:
        random = torch.randn(translated.shape, generator=torch.Generator().manual_seed(0))
        translated = (translated + noise * random).clamp(-1, 1)
    return translated, back(translated, redraws)


def prepare(picture: Image.Image) -> Tensor:
    """Return the centre of a picture as (1, 3, SIZE, SIZE) in [-1, 1]."""
    return to_images(from_pil(crop_square(picture.convert("RGB"), SIZE)))[None]


@lru_cache(maxsize=4)  # once a head, not once a stroke
def encode_background(images: Tensor) -> bytes:
    return encode_jpeg(to_pil(to_pixels(images)[0], ZOOM))


@lru_cache(maxsize=64)
def load_head(kind: str, index: int) -> Tensor:
    return to_images(load_held_out(kind).pixels[index : index + 1])


def make_heads_explorer() -> Panel:
    """Choose a head or bring a picture, draw on it; slide redraws, strength and noise; see both directions."""
    canvas = Canvas(tools=TOOLS, description="draw on the head", size=256)
    controls = {
        "direction": widgets.Dropdown(options=list(DIRECTIONS), description="direction"),
        "colour": widgets.Dropdown(options=list(load_head_colours()), value="pink", description="colour"),
        "glasses": widgets.Dropdown(options=list(GLASSES), description="glasses"),
        "mouth": widgets.Dropdown(options=list(MOUTHS), description="mouth"),
        "number": widgets.IntSlider(1, 1, 30, description="another head"),
        "redraws": widgets.IntSlider(3, min=0, max=5, description="drawn again"),
        "strength": widgets.FloatSlider(1.0, min=0, max=1, step=0.05, description="strength"),
        "noise": widgets.FloatSlider(0.0, min=0, max=0.3, step=0.01, description="noise on the way"),
        "blurred": widgets.Checkbox(False, description="blur on the way"),
        "upload": PictureUpload(prepare, "or a drawing of yours", ended_by=("colour", "glasses", "mouth", "number")),
        "strokes": canvas,
    }

    def draw(
        direction: str,
        colour: str,
        glasses: str,
        mouth: str,
        number: int,
        upload: Tensor | None,
        strokes: tuple,
        redraws: int,
        strength: float,
        noise: float,
        blurred: bool,
    ) -> View:
        kind = DIRECTIONS[direction]
        if upload is None:
            fitting, exact = find_heads(kind, colour, GLASSES[glasses], MOUTHS[mouth])
            place = (number - 1) % len(fitting)
            images = load_head(kind, fitting[place])
            subject = describe_head(kind, fitting[place]) + f", number {place + 1} of {len(fitting)} that fit"
            subject += "" if exact else " best, for none has all you asked for"
        else:
            images, subject = upload, "Your own picture"
        canvas.background = encode_background(images)  # the browser hears of it only when it is another
        changes = strength, noise, blurred, redraws
        return draw_translation(paint(images, strokes), kind, subject, changes, bool(strokes))

    return Panel(draw, controls, also_shown=(widgets.HTML(f"<p style='max-width: 26em'>{CAUTION}</p>"),))


def draw_translation(
    images: Tensor, kind: str, subject: str, changes: tuple[float, float, bool, int], painted: bool = False
) -> View:
    """Draw a head, its translation, what comes back and what was lost; ``changes`` are those of ``translate``."""
    translated, returned = translate(images, kind, *changes)
    strength, noise, blurred, redraws = changes
    lost = (returned - images).abs()
    tiles = [to_pil(to_pixels(picture)[0], ZOOM) for picture in (images, translated, returned, lost * 2 - 1)]
    titles = [f"the {NAMES[kind]}", f"as a {OTHER[kind]}", "and back", "what the two ways lost"]
    came_out, came_back = (name_head_colours(picture)[0] or "none of the seven" for picture in (translated, returned))
    again = f"drawn again {'once' if redraws == 1 else f'{redraws} times'}" if redraws else "as first drawn"
    text = (
        f"{subject}{', drawn on by you' if painted else ''}. As a {OTHER[kind]}, {again}, at {strength:.0%} strength, "
        f"its colour is {came_out}; back again, {came_back}. There and back, a colour value is off by "
        f"{lost.mean().item():.3f} on average, of a range of 2"
        f"{', blurred on the way' if blurred else ''}{f', with noise of {noise:.2f} on the way' if noise else ''}."
    )
    return View(put_side_by_side(tiles, titles), text, quality=70)


def describe_head(kind: str, index: int) -> str:
    """Return what is known of a held-out head, in words."""
    facts = load_held_out(kind).details[index]
    worn = f"{facts['hair_length']} {facts['hair_colour']} hair" if kind == "humans" else facts["accessory"]
    worn = "no accessory" if worn == "none" else worn
    article = "An" if facts["colour"][0] in "aeiou" else "A"
    return (
        f"{article} {facts['colour']} {NAMES[kind]} with {worn}, {'with' if facts['wears_glasses'] else 'without'} "
        f"glasses, mouth {'open' if facts['mouth_open'] else 'closed'}"
    )
