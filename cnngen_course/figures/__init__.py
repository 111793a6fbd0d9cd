"""Still figures: tensors in, a matplotlib Figure out. ``show`` puts one into the notebook with its alt text.

Figures are made without pyplot, so nothing is drawn twice and no global state is left behind. The colours
are those of Okabe and Ito (2008), which colour-blind readers can tell apart.
"""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler
from IPython.display import DisplayHandle, display
from IPython.display import Image as DisplayedImage
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from cnngen_course.images import encode_still, to_pixels
from cnngen_course.training import History

BLUE, ORANGE, GREEN, RED, SKY, PINK, YELLOW, BLACK = PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
    "#000000",
)
STYLE: Any = {  # matplotlib's type lists every name there is
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "font.size": 10,
    "lines.linewidth": 2,
    "figure.dpi": 100,
}


def show(picture: Figure | Image.Image, alt: str) -> None:
    """Display a figure or picture with ``alt``, the sentence that stands for it where it cannot be seen."""
    display(prepare_display(picture, alt))


def prepare_display(picture: Figure | Image.Image, alt: str) -> DisplayedImage:
    content, kind = encode_still(render(picture) if isinstance(picture, Figure) else picture.convert("RGB"))
    return DisplayedImage(content, format=kind, metadata={"alt": alt})  # IPython 7, which Colab has, knows no other way


def render(figure: Figure) -> Image.Image:
    """Return the figure as an RGB picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", pil_kwargs={"compress_level": 1})
    return Image.open(buffer).convert("RGB")


class Live:
    """One place in the notebook for a picture that is drawn anew again and again, e.g. while a network trains."""

    def __init__(self) -> None:
        self._place: DisplayHandle | None = None

    def show(self, picture: Figure | Image.Image, alt: str) -> None:
        """Replace the picture; the saved notebook keeps the last one."""
        if self._place is None:
            self._place = display(prepare_display(picture, alt), display_id=True)
        else:
            self._place.update(prepare_display(picture, alt))


def encode_figure(figure: Figure) -> bytes:
    """Return the figure as a JPEG file in memory: a fifth of the size of a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", bbox_inches="tight", pil_kwargs={"quality": 80, "optimize": True})
    return buffer.getvalue()


def make_axes(rows: int = 1, columns: int = 1, width: float = 3.2, height: float = 2.6) -> tuple[Figure, np.ndarray]:
    """Return a figure in the course's style and its axes (rows, columns); sizes are inches of one axes."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots(rows, columns, squeeze=False)


@cache
def load_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the course's font for writing on Pillow images; it has signs such as × and − as well."""
    return ImageFont.truetype(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def put_side_by_side(tiles: Sequence[Image.Image], titles: Sequence[str], gap: int = 12) -> Image.Image:
    """Return the pictures in a row on white, each under its title."""
    row = Image.new(
        "RGB", (sum(tile.width + gap for tile in tiles) - gap, max(tile.height for tile in tiles) + 24), "white"
    )
    draw, left = ImageDraw.Draw(row), 0
    for tile, title in zip(tiles, titles, strict=True):
        draw.text((left, 3), title, "black", load_font(13))
        row.paste(tile, (left, 24))
        left += tile.width + gap
    return row


def plot_images(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    size: float = 1.3,
) -> Figure:
    """Plot pictures side by side.

    Args:
        images: (N, C, H, W) floats in [-1, 1] or uint8 pixels, or a list of such (C, H, W) of any sizes.
        titles: one short line above each.
        columns: pictures a row; by default all in one row up to ten.
        size: inches of one picture.
    """
    count = len(images)
    columns = columns or min(count, 10)
    rows = -(-count // columns)
    figure, axes = make_axes(rows, columns, size, size * (1.2 if titles else 1))
    for index, place in enumerate(axes.flat):
        place.set_axis_off()
        if index < count:
            draw_image(place, images[index], titles[index] if titles else "")
    return figure


def draw_image(axes: Axes, image: Tensor, title: str = "") -> None:
    """Draw one picture (C, H, W) onto the axes, grey or in colour, each pixel a sharp square."""
    pixels = image if image.dtype == torch.uint8 else to_pixels(image)
    array = pixels.permute(1, 2, 0).numpy()
    shown = array[..., 0] if array.shape[2] == 1 else array
    axes.imshow(
        shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest" if array.shape[0] <= 64 else "antialiased"
    )
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def plot_rows(rows: dict[str, Tensor], size: float = 1.0, column_titles: Sequence[str] | None = None) -> Figure:
    """Plot named rows of pictures, e.g. ``{"original": images, "copy": copies}``, each (N, C, H, W)."""
    count = max(len(images) for images in rows.values())
    names = max(len(line) for name in rows for line in name.splitlines()) * 0.085  # inches of the longest row name
    figure, axes = make_axes(len(rows), count, size + names / count, size)
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for index, place in enumerate(line):
            place.set_axis_off()
            if index < len(images):
                draw_image(place, images[index])
        line[0].text(-0.1, 0.5, name, ha="right", va="center", transform=line[0].transAxes)
    for place, title in zip(axes[0], column_titles or [], strict=False):
        place.set_title(title, fontsize=9)
    return figure


def plot_matrix(
    values: Tensor,
    title: str = "",
    labels: Sequence[str] | None = None,
    axis_names: tuple[str, str] = ("", ""),
    decimals: int | None = None,
    size: float = 0.55,
) -> Figure:
    """Plot a table of numbers (H, W) as shades of blue, with the numbers written in if ``decimals`` is given."""
    height, width = values.shape
    figure, axes = make_axes(1, 1, max(2.5, size * width), max(2.2, size * height))
    place = axes[0, 0]
    shades = place.imshow(values.float().numpy(), cmap="Blues")
    if decimals is None:
        figure.colorbar(shades, ax=place, shrink=0.8)
    else:
        middle = (values.min().item() + values.max().item()) / 2
        for (row, column), value in np.ndenumerate(values.numpy()):
            colour = "white" if value > middle else "black"
            place.text(column, row, f"{value:.{decimals}f}", ha="center", va="center", color=colour, fontsize=8)
    if labels:
        place.set_xticks(range(width), labels, rotation=45, ha="right")
        place.set_yticks(range(height), labels)
    place.set(title=title, ylabel=axis_names[0], xlabel=axis_names[1])
    return figure


def plot_curves(
    curves: dict[str, tuple[Sequence[float], Sequence[float]] | Sequence[float]],
    x_label: str,
    y_label: str,
    title: str = "",
    log: str = "",
    width: float = 5.5,
) -> Figure:
    """Plot named lines; each is its y values, or a pair of x and y. ``log`` names axes: "x", "y" or "xy"."""
    figure, axes = make_axes(1, 1, width, 3)
    place = axes[0, 0]
    dashes = ("-", "--", "-.", ":")  # a second sign beside colour
    for index, (name, values) in enumerate(curves.items()):
        x, y = values if isinstance(values, tuple) else (range(1, len(values) + 1), values)
        place.plot(x, y, dashes[index % 4], label=name)
    place.set(xlabel=x_label, ylabel=y_label, title=title)
    place.set_xscale("log" if "x" in log else "linear")
    place.set_yscale("log" if "y" in log else "linear")
    if len(curves) > 1:
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if len(curves) > 3 else {}  # many would cover lines
        place.legend(frameon=False, **beside)
    return figure


def plot_history(history: History, name: str = "loss", smooth: int = 20) -> Figure:
    """Plot one value of every training step, smoothed over ``smooth`` steps."""
    label = f"{name} (mean of {smooth} steps)"
    return plot_curves({name: history.curve(name, smooth)}, "step", label)


def plot_progress(history: History, name: str = "accuracy", smooth: int = 20) -> Figure:
    """Plot one value during training: a line for the training batches, dots for the evaluations on other pictures."""
    figure = plot_curves({f"training (mean of {smooth} steps)": history.curve(name, smooth)}, "step", name, width=4.2)
    steps, values = zip(*((entry["step"], entry[name]) for entry in history.evaluations), strict=True)
    place = figure.axes[0]
    place.plot(steps, values, "o--", color=ORANGE, label="test")
    place.legend()
    return figure


def plot_bars(values: dict[str, float], y_label: str, title: str = "", decimals: int = 2) -> Figure:
    """Plot named values as bars with the number on each."""
    bar_width = max(0.9, 0.11 * max(map(len, values)))  # inches: room for the longest name
    figure, axes = make_axes(1, 1, max(3.2, bar_width * len(values)), 2.8)
    place = axes[0, 0]
    bars = place.bar(list(values), list(values.values()), color=BLUE)
    place.bar_label(bars, fmt=f"%.{decimals}f")
    place.margins(y=0.1)  # room for the numbers, also below bars that hang down
    place.set(ylabel=y_label, title=title)
    return figure
