"""Draw with ink, put dabs of colour on the drawing, and a network colours it while you draw."""

import base64
import io
from functools import cache, lru_cache
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor, nn

from cnngen_course.experiments.ablation import name_colours
from cnngen_course.explorers.canvas import Canvas, draw_strokes
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.galleries import Gallery, load_emoji_pairs
from cnngen_course.images import encode_jpeg, to_images, to_pil, to_pixels
from cnngen_course.objectives.translation import DAB_RADIUS, colour, dab_fairly, spread_dabs
from cnngen_course.pretrained import load_pretrained

SIZE = 64
LARGE, SMALL, SAVED = 320, 160, 384  # screen pixels a side
NOTHING = "an empty sheet"
STARTS = (  # held-out emoji: the network never saw them
    "butterfly;octopus;rose;pink heart;space shuttle;peacock;avocado;hut;kimono;tiger;macaw;bubble tea;windsurfing;"
    "snowman"
).split(";")
DAB = {"kind": "dab", "width": (2 * DAB_RADIUS + 1) / SIZE}
INK = {"name": "ink", "kind": "line", "colour": "#000000", "width": 0.03}
RUBBER = {"name": "rubber", "kind": "line", "colour": "#ffffff", "width": 0.09}
COLOURS = {"red": "#d22f27", "yellow": "#fcea2b", "green": "#5c9e31", "blue": "#61b2e4", "brown": "#a57939"}
TOOLS = [INK, RUBBER, *(DAB | {"name": f"{name} dab", "colour": code} for name, code in COLOURS.items())]
TOOLS += [DAB | {"name": "dab of this colour:", "colour": ""}]
DABBING = {tool["name"] for tool in TOOLS if tool["kind"] == "dab"}


def make_dab(name: str, x: float, y: float) -> dict[str, Any]:
    """Return the stroke of a dab of one of the ``COLOURS`` at a place in [0, 1], y downwards."""
    return {"tool": f"{name} dab", "colour": COLOURS[name], "width": DAB["width"], "points": ((x, y),)}


@cache
def load_network() -> nn.Module:
    return load_pretrained("colourist")


@cache
def load_emoji() -> tuple[Gallery, Gallery]:
    return load_emoji_pairs("test")


@cache
def load_start(name: str) -> tuple[Tensor, Tensor | None]:
    """Return an outline (1, 1, 64, 64) and its emoji in colour (1, 3, 64, 64); white paper and None for ``NOTHING``."""
    if name == NOTHING:
        return torch.ones(1, 1, SIZE, SIZE), None
    outlines, pictures = (gallery.where(name=name).images for gallery in load_emoji())
    return outlines[:, :1], pictures


@lru_cache(maxsize=4)  # once a start, not once a stroke
def encode_background(outlines: Tensor) -> bytes:
    return encode_jpeg(enlarge(outlines, LARGE))


def enlarge(images: Tensor, side: int) -> Image.Image:
    """Return the first picture as a smooth one of ``side`` pixels in colour."""
    return to_pil(to_pixels(images)[0]).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)


def draw_ink(outlines: Tensor, strokes: tuple[dict[str, Any], ...]) -> Tensor:
    """Return the outline (1, 1, 64, 64) with lines of ink on it, and rubbed out where the rubber went."""
    lines = [
        stroke | {"colour": RUBBER["colour"] if stroke["tool"] == RUBBER["name"] else INK["colour"]}
        for stroke in strokes
        if stroke["tool"] not in DABBING
    ]
    pixels, cover = draw_strokes(tuple(lines), SIZE)
    ink = to_images(pixels[:1])[None] - (1 - cover)  # at a stroke's edge without the share of white paper ...
    return ink + (1 - cover) * outlines  # ... for which comes the outline's


def place_dabs(strokes: tuple[dict[str, Any], ...]) -> Tensor:
    """Return the dabs as single coloured points (1, 4, 64, 64); the newest counts, and the rubber takes them away."""
    points = torch.zeros(1, 4, SIZE, SIZE)
    for stroke in strokes:
        if stroke["tool"] in DABBING:
            x, y = (min(SIZE - 1, int(place * SIZE)) for place in stroke["points"][0])
            code = bytes.fromhex(stroke["colour"].removeprefix("#"))
            points[0, :, y, x] = torch.tensor([*(value / 127.5 - 1 for value in code), 1.0])
        elif stroke["tool"] == RUBBER["name"]:
            points[..., draw_strokes((stroke,), SIZE)[1][0] > 0.5] = 0
    return points


def make_hints(strokes: tuple[dict[str, Any], ...], pictures: Tensor | None, count: int) -> tuple[Tensor, int]:
    """Return the learner's dabs on top of ``count`` true ones (1, 4, 64, 64), and how many dabs these are."""
    points = place_dabs(strokes)
    own, mine = spread_dabs(points), int(points[:, 3].sum())
    if pictures is None or count == 0:
        return own, mine
    return torch.where(own[:, 3:] > 0, own, dab_fairly(pictures, count)), mine + count


def make_translation_explorer() -> Panel:
    """Draw, dab, and see the picture in colour; a link below saves it as a PNG file."""
    canvas = Canvas(value=(), tools=TOOLS, description="draw and dab here", size=LARGE)
    controls = {
        "start": widgets.Dropdown(options=[*STARTS, NOTHING], description="begin with"),
        "count": widgets.IntSlider(0, 0, 12, description="true dabs"),
        "strokes": canvas,
    }
    link = widgets.HTML()

    def begin_anew(change: dict[str, Any]) -> None:
        """Another drawing begins without the strokes of the last one; an empty sheet has no true colours to dab."""
        canvas.value = ()
        controls["count"].value, controls["count"].disabled = 0, change["new"] == NOTHING

    controls["start"].observe(begin_anew, "value")

    def draw(start: str, count: int, strokes: tuple) -> View:
        outlines, pictures = load_start(start)
        canvas.background = encode_background(outlines)  # the browser hears of it only when it is another
        hints, dabs = make_hints(strokes, pictures, count)
        drawing = draw_ink(outlines, strokes)
        drawn = colour(load_network(), drawing, hints)
        link.value = make_link(enlarge(drawn, SAVED))
        # An empty place where there is no such emoji: the page scales a picture of another width otherwise.
        artists = Image.new("RGB", (SMALL, SMALL), "white") if pictures is None else enlarge(pictures, SMALL)
        tiles = [enlarge(drawn, LARGE), artists]
        titles = ["coloured by the network", "" if pictures is None else "by OpenMoji's artists"]
        return View(put_side_by_side(tiles, titles), describe(start, dabs, drawing, drawn, pictures))

    panel = Panel(draw, controls, also_shown=(link,))
    panel.link = link
    return panel


def make_link(picture: Image.Image) -> str:
    """Return a link that holds the picture as a PNG file and saves it: the file never leaves the browser."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    content = base64.b64encode(buffer.getvalue()).decode()
    words = "<u>save the picture as drawing.png</u>"
    return f'<a download="drawing.png" href="data:image/png;base64,{content}">{words}</a>'


def describe(start: str, dabs: int, drawing: Tensor, drawn: Tensor, pictures: Tensor | None) -> str:
    ink = (drawing < 0).float().mean().item()
    colours = name_colours(drawn)
    text = f"{start.capitalize()}: {ink:.1%} of the sheet is ink, with {dabs} dab{'' if dabs == 1 else 's'} of colour. "
    most = list(colours)[:5]
    text += f"Colours of the picture: {', '.join(f'{name} {colours[name]:.0%}' for name in most) or 'no colour'}."
    if pictures is not None:
        errors = [(images - pictures).abs().mean().item() for images in (drawn, drawing)]
        text += f" Mean error against the artists' picture: {errors[0]:.3f}; of the bare drawing: {errors[1]:.3f}."
    return text
