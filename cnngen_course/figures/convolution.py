"""Convolution: a picture with one of its squares framed, and that square as numbers."""

from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.figures import ORANGE, load_font
from cnngen_course.images import to_pil, to_pixels

CELL_WIDTH, CELL_HEIGHT = 52, 34


def outline(draw: ImageDraw.ImageDraw, x: int, y: int, length: int) -> tuple[int, int, int]:
    """Frame a square with an orange line between two black ones, seen on any background; return its x, y, length."""
    for distance, colour in ((4, "black"), (3, ORANGE), (2, ORANGE), (1, "black")):
        draw.rectangle(
            (x - distance, y - distance, x + length - 1 + distance, y + length - 1 + distance), outline=colour
        )
    return x - 4, y - 4, length + 8


def pick_grey(value: float) -> tuple[int, int, int]:
    grey = round(127.5 * (min(max(value, -1), 1) + 1))
    return grey, grey, grey


def write(
    draw: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, size: int, anchor: str = "la", ink: str = "black"
) -> None:
    draw.text(xy, text, fill=ink, font=load_font(size), anchor=anchor)


def plot_patch(images: Tensor, top: int, left: int, size: int = 8, zoom: int = 2) -> Image.Image:
    """Draw a grey picture (1, 1, H, W) with one of its squares framed, and that square's values beside it."""
    picture = to_pil(to_pixels(images[0]), zoom)
    side = size * CELL_HEIGHT
    canvas = Image.new("RGB", (picture.width + 60 + side, max(picture.height, side)), "white")
    draw = ImageDraw.Draw(canvas)
    canvas.paste(picture, (0, 0))
    x, y, length = outline(draw, zoom * left, zoom * top, zoom * size)
    start = picture.width + 60
    draw.line((x + length, y, start, 0), fill=ORANGE, width=2)
    draw.line((x + length, y + length, start, side), fill=ORANGE, width=2)
    for row, line in enumerate(images[0, 0, top : top + size, left : left + size].tolist()):
        for column, value in enumerate(line):
            corner = start + column * CELL_HEIGHT, row * CELL_HEIGHT
            fill = pick_grey(value)
            draw.rectangle((*corner, corner[0] + CELL_HEIGHT, corner[1] + CELL_HEIGHT), fill=fill, outline="#777777")
            ink = "white" if sum(fill) < 330 else "black"
            place = corner[0] + CELL_HEIGHT / 2, corner[1] + CELL_HEIGHT / 2
            write(draw, place, f"{round(value, 1) + 0.0:.1f}".replace("-", "−"), 12, "mm", ink)  # + 0.0: no −0.0
    return canvas
