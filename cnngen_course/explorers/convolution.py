"""The kernel editor: nine weights, a photograph, and the sum at one place spelled out.

The idea of pointing at an output pixel to see its input window is that of CNN Explainer (Wang et al., 2020).
"""

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import BLUE, ORANGE
from cnngen_course.figures.convolution import CELL_HEIGHT, CELL_WIDTH, outline, pick_grey, write
from cnngen_course.galleries import load_grey_square, load_photo
from cnngen_course.images import crop_square, from_pil, to_images, to_pil, to_pixels
from cnngen_course.operations import (
    CLASSIC_KERNELS,
    compute_receptive_field,
    convolve,
    cut_windows,
    make_kernel,
    pad,
    pool,
)

PHOTOS = {
    "cat": "animal_chelsea",
    "giraffe": "animal_giraffe_closeup",
    "hedgehog": "animal_hedgehog",
    "coffee": "scene_coffee",
    "windmills": "energy_windmill3",
    "Colosseum": "monument_colosseum",
    "skyline": "scene_singaporean-cityscape",
}
SIZE, ZOOM = 96, 3
BOX = 3 * (SIZE + 4)  # screen pixels of a picture with two pixels of padding on each side
LEFT, TOP, RIGHT = 8, 30, BOX + 88
WIDTH, HEIGHT = RIGHT + BOX + 8, BOX + 240
TABLE_TOP = TOP + BOX + 56
POOLINGS = {"none": None, "largest of 2 × 2": "max", "average of 2 × 2": "average"}
OWN_KERNEL = "my own"
PLACES = dict(zip("abcdefghi", "↖↑↗←•→↙↓↘", strict=True))


@dataclass(frozen=True)
class Trace:
    """How one value of the final map comes about.

    Attributes:
        padded: (H, W), the picture with its border.
        response: (h, w), the final map, after pooling if there is any.
        place: row and column of the chosen value in ``response``.
        window: (3, 3), the input values that meet the kernel; ``corner`` is the row and column of the first.
        products: (3, 3), window × kernel; their sum is the convolution's answer there.
        pooled: the convolution's answers that pooling summarised, row by row; one value without pooling.
        seen: the first row, first column and length of the input square that the value depends on.
    """

    padded: Tensor
    response: Tensor
    place: tuple[int, int]
    window: Tensor
    corner: tuple[int, int]
    products: Tensor
    pooled: Tensor
    seen: tuple[int, int, int]


def prepare(picture: Image.Image) -> Tensor:
    """Return the centre of a picture as a grey square (1, 1, 96, 96) in [-1, 1]."""
    return to_images(from_pil(crop_square(picture.convert("L"), SIZE)))[None]


def compute_trace(
    images: Tensor,
    kernel: Tensor,
    row: int,
    column: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    pooling: str | None = None,
) -> Trace:
    """Convolve one grey picture (1, 1, H, W) with one kernel (3, 3), and take apart the value nearest to a pixel.

    Args:
        row: of the picture's pixel whose neighbourhood is wanted; likewise ``column``.
        pooling: "max" or "average" of 2 × 2 answers, or None.
    """
    map_ = convolve(images, kernel[None, None], stride=stride, padding=padding, dilation=dilation)
    response = pool(map_, 2, kind=pooling) if pooling else map_
    layers = [(3, stride, dilation)] + ([(2, 2)] if pooling else [])
    field, step = compute_receptive_field(layers), stride * (2 if pooling else 1)
    top, left = (
        _find_nearest(pixel + padding - (field - 1) / 2, step, count)
        for pixel, count in zip((row, column), response.shape[2:], strict=True)
    )
    factor = 2 if pooling else 1
    pooled = map_[0, 0, factor * top : factor * (top + 1), factor * left : factor * (left + 1)]
    first = int(pooled.argmax()) if pooling == "max" else 0  # the winner, else the upper left one
    at = factor * top + first // factor, factor * left + first % factor
    padded = pad(images, padding)
    window = cut_windows(padded, 3, stride, dilation)[0, 0, at[0], at[1]]
    return Trace(
        padded=padded[0, 0],
        response=response[0, 0],
        place=(top, left),
        window=window,
        corner=(at[0] * stride, at[1] * stride),
        products=window * kernel,
        pooled=pooled.flatten(),
        seen=(top * step, left * step, field),
    )


def _find_nearest(start: float, step: int, count: int) -> int:
    return min(max(round(start / step), 0), count - 1)


def compute_shown(response: Tensor) -> tuple[Tensor, float]:
    """Return the map (h, w) as pixels (1, h, w), nought as mid grey, and the number it was divided by to fit."""
    scale = max(1.0, response.abs().flatten().quantile(0.995).item())
    return to_pixels(response / scale)[None], scale


def plot_trace(trace: Trace, kernel: Tensor, dilation: int = 1, pooling: str | None = None) -> Image.Image:
    """Draw the picture with its window, the map with the chosen value, and the sum between them."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(canvas)
    write(draw, (LEFT, 8), "the picture, and the window", 15)
    shape = "×".join(map(str, trace.response.shape))
    write(draw, (RIGHT, 8), f"the response map, {shape}" + (", after pooling" if pooling else ""), 15)
    canvas.paste(to_pil(to_pixels(trace.padded)[None], ZOOM), (LEFT, TOP))
    shown, _ = compute_shown(trace.response)
    zoom = max(1, BOX // max(shown.shape[1:]))
    canvas.paste(to_pil(shown, zoom), (RIGHT, TOP))
    row, column, length = trace.seen
    seen = outline(draw, LEFT + ZOOM * column, TOP + ZOOM * row, ZOOM * length)
    chosen = outline(draw, RIGHT + zoom * trace.place[1], TOP + zoom * trace.place[0], zoom)
    _mark_window(draw, trace, dilation)
    _draw_sum(draw, trace, kernel, pooling, seen, chosen)
    return canvas


def _mark_window(draw: ImageDraw.ImageDraw, trace: Trace, dilation: int) -> None:
    """Put a dot on each of the nine pixels when they lie apart or are only a part of what is seen."""
    if trace.seen[2] > 3:
        for place in range(9):
            x = LEFT + ZOOM * (trace.corner[1] + dilation * (place % 3))
            y = TOP + ZOOM * (trace.corner[0] + dilation * (place // 3))
            draw.rectangle((x, y, x + ZOOM - 1, y + ZOOM - 1), fill=ORANGE)


def _draw_sum(
    draw: ImageDraw.ImageDraw,
    trace: Trace,
    kernel: Tensor,
    pooling: str | None,
    seen: tuple[int, int, int],
    chosen: tuple[int, int, int],
) -> None:
    lefts = [LEFT + index * (3 * CELL_WIDTH + 36) for index in range(3)]
    result = lefts[2] + 3 * CELL_WIDTH + 40
    for bottom, x in ((0, lefts[0]), (1, lefts[0] + 3 * CELL_WIDTH)):  # from the window down to its numbers
        draw.line((seen[0] + bottom * seen[2], seen[1] + seen[2], x, TABLE_TOP - 24), fill=ORANGE, width=1)
    draw.line((chosen[0] + chosen[2] // 2, chosen[1] + chosen[2], result + 45, TABLE_TOP - 24), fill=ORANGE, width=1)
    tables = (("window", trace.window), ("kernel", kernel), ("products", trace.products))
    for left, (title, values), sign in zip(lefts, tables, "×==", strict=True):
        draw.rectangle((left, TABLE_TOP - 24, left + 3 * CELL_WIDTH, TABLE_TOP - 2), fill="white")
        write(draw, (left, TABLE_TOP - 20), title, 13)
        for place, value in enumerate(values.flatten().tolist()):
            x, y = left + CELL_WIDTH * (place % 3), TABLE_TOP + CELL_HEIGHT * (place // 3)
            _draw_cell(draw, x, y, value, pick_grey(value) if title == "window" else _pick_tint(value))
        middle = left + 3 * CELL_WIDTH + 18
        write(draw, (middle, TABLE_TOP + 1.5 * CELL_HEIGHT), sign, 20, "mm")
    write(draw, (result, TABLE_TOP - 20), "their sum", 13)
    answer = trace.products.sum().item()
    draw.rectangle((result, TABLE_TOP + 30, result + 90, TABLE_TOP + 72), outline=ORANGE, width=3)
    write(draw, (result + 45, TABLE_TOP + 51), write_number(answer), 18, "mm")
    if pooling:
        listed = ", ".join(write_number(value) for value in trace.pooled.tolist())
        word = "largest" if pooling == "max" else "average"
        line = f"then the {word} of the four answers {listed} is {write_number(trace.response[trace.place].item())}"
        write(draw, (LEFT, TABLE_TOP + 3 * CELL_HEIGHT + 12), line, 14)


def _draw_cell(draw: ImageDraw.ImageDraw, x: int, y: int, value: float, fill: tuple[int, int, int]) -> None:
    draw.rectangle((x, y, x + CELL_WIDTH, y + CELL_HEIGHT), fill=fill, outline="#777777")
    ink = "white" if sum(fill) < 330 else "black"
    write(draw, (x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2), write_number(value), 13, "mm", ink)


def _pick_tint(value: float) -> tuple[int, int, int]:
    """Blue for positive, orange for negative numbers, paler towards nought; the sign stands in the cell too."""
    target = bytes.fromhex((BLUE if value > 0 else ORANGE)[1:])
    strength = min(abs(value), 2) / 2 * 0.6
    red, green, blue = (round(255 + strength * (part - 255)) for part in target)
    return red, green, blue


def write_number(value: float) -> str:
    """Return a number with its sign and two decimals, without them if it is whole: +2, −0.35, 0."""
    text = f"{value:+.2f}".removesuffix(".00").replace("-", "−")
    return "0" if text in ("+0", "−0") else text


def describe_trace(trace: Trace, kernel: Tensor, pooling: str | None = None) -> str:
    """Say what the picture shows: sizes, place, sum, and what the kernel does to plain areas."""
    height, width = trace.response.shape
    total = kernel.sum().item()
    plain = {0.0: "a plain area gives nought, mid grey", 1.0: "a plain area keeps its brightness"}.get(
        round(total, 2), f"a plain area is multiplied by {write_number(total)}"
    )
    _, scale = compute_shown(trace.response)
    steps = "convolved and pooled to" if pooling else "convolved to"
    return (
        f"A picture of {SIZE} × {SIZE} pixels ({len(trace.padded)} × {len(trace.padded)} with its border) "
        f"is {steps} {height} × {width}. "
        f"The value in row {trace.place[0]}, column {trace.place[1]} of the map is "
        f"{write_number(trace.response[trace.place].item())}; it sees {trace.seen[2]} × {trace.seen[2]} pixels "
        f"from row {trace.seen[0]}, column {trace.seen[1]} on, and the sum spelled out gives "
        f"{write_number(trace.products.sum().item())}. The weights add up to {write_number(total)}: {plain}."
        + (f" The map is shown divided by {scale:.1f}." if scale > 1 else "")
    )


def list_weights(preset: str) -> dict[str, float]:
    """Return the nine weights of a classic kernel under the names of their controls, a to i."""
    return {name: round(value, 4) for name, value in zip(PLACES, make_kernel(preset).flatten().tolist(), strict=True)}


def make_kernel_explorer() -> Panel:
    """Return the kernel editor."""

    def draw(
        photo: str, row: int, column: int, stride: int, padding: int, dilation: int, pooling: str | None, **rest: Any
    ) -> View:
        own = rest["upload"]
        kernel = torch.tensor([float(rest[name]) for name in PLACES]).view(3, 3)
        images = load_grey_square(PHOTOS[photo], SIZE) if own is None else own
        trace = compute_trace(images, kernel, row, column, stride, padding, dilation, pooling)
        whose = f"Photograph: {photo}, by {load_photo(PHOTOS[photo]).author}. " if own is None else "Your own picture. "
        words = whose + describe_trace(trace, kernel, pooling)
        return View(plot_trace(trace, kernel, dilation, pooling), words, quality=75)

    controls = {
        "photo": widgets.Dropdown(options=list(PHOTOS), description="photograph"),
        "upload": PictureUpload(prepare, "or your own", ended_by=("photo",)),
        "preset": widgets.Dropdown(
            options=[*CLASSIC_KERNELS, OWN_KERNEL], value="Sobel, upright edges", description="kernel"
        ),
        **{
            name: widgets.BoundedFloatText(value, min=-8, max=8, step=0.25, description=PLACES[name])
            for name, value in list_weights("Sobel, upright edges").items()
        },
        "row": widgets.IntSlider(45, 0, SIZE - 1, description="row"),
        "column": widgets.IntSlider(44, 0, SIZE - 1, description="column"),
        "stride": widgets.IntSlider(1, 1, 4, description="stride"),
        "padding": widgets.IntSlider(1, 0, 2, description="padding"),
        "dilation": widgets.IntSlider(1, 1, 4, description="dilation"),
        "pooling": widgets.Dropdown(options=list(POOLINGS.items()), description="pooling"),
    }
    panel = Panel(draw, controls)
    _lay_out(panel)
    _link(panel)
    return panel


def _lay_out(panel: Panel) -> None:
    """Put the nine weights into a square, as they stand in the kernel."""
    controls = panel.controls
    for name in PLACES:
        controls[name].style.description_width = "1.6em"
        controls[name].layout.width = "7.8em"
    narrow = widgets.Layout(flex_flow="row wrap")
    rows = [widgets.HBox([controls[name] for name in line], layout=narrow) for line in ("abc", "def", "ghi")]
    others = [control for name, control in controls.items() if name not in PLACES]
    panel.column.children = (*others[:3], *rows, *others[3:])


def _link(panel: Panel) -> None:
    """Let a preset set the nine weights, and a changed weight name the kernel your own."""
    preset = panel.controls["preset"]

    def set_weights(change: dict) -> None:
        if change["new"] != OWN_KERNEL:
            panel.set_values(**list_weights(change["new"]))

    def name_own(_change: dict) -> None:
        if not panel.held:
            preset.value = OWN_KERNEL

    preset.observe(set_weights, "value")
    for name in PLACES:
        panel.controls[name].observe(name_own, "value")
