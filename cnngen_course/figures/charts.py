"""Small charts drawn with Pillow: there in milliseconds, so that they follow a slider as matplotlib would not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

from cnngen_course.figures import BLACK, BLUE, RED, load_font
from cnngen_course.metrics import Estimate

PALE, GREY, LIGHT = "#BBBBBB", "#777777", "#E8E8E8"
SHARP = 2  # line charts are drawn larger and scaled down, which smooths the lines

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart: its points, its colour, how wide, and the length of its dashes (0: drawn through)."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    width: int = 2
    dash: int = 0
    title: str = ""


def draw_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    y_ticks: Sequence[float],
    log_y: bool = False,
    legend_above: bool = False,
    size: tuple[int, int] = (560, 320),
) -> Image.Image:
    """Draw lines into a frame with ticks and a legend: a small plot that is there in some milliseconds."""
    left, top, right, bottom = 58 * SHARP, 12 * SHARP, (size[0] - 14) * SHARP, (size[1] - 42) * SHARP
    picture = Image.new("RGB", (size[0] * SHARP, size[1] * SHARP), "white")
    draw, font = ImageDraw.Draw(picture), load_font(12 * SHARP)
    scale = math.log10 if log_y else float
    low, high = (scale(value) for value in y_range)

    def place_x(value: float) -> float:
        return left + (value - x_range[0]) / (x_range[1] - x_range[0]) * (right - left)

    def place_y(value: float) -> float:
        share = (scale(min(max(value, y_range[0]), y_range[1])) - low) / (high - low)
        return bottom - share * (bottom - top)

    for tick in y_ticks:
        draw.line((left, place_y(tick), right, place_y(tick)), LIGHT, SHARP)
        draw.text((left - 6 * SHARP, place_y(tick)), f"{tick:g}", BLACK, font, anchor="rm")
    for tick in find_ticks(x_range[1]):
        draw.line((place_x(tick), bottom, place_x(tick), bottom + 4 * SHARP), BLACK, SHARP)
        draw.text((place_x(tick), bottom + 6 * SHARP), f"{tick:g}", BLACK, font, anchor="mt")
    draw.line((left, top, left, bottom, right, bottom), BLACK, SHARP)
    draw.text(((left + right) / 2, size[1] * SHARP - 4), x_label, BLACK, font, anchor="mb")
    draw.text((left + 8 * SHARP, top), y_label, GREY, font)
    for line in lines:
        points = [(place_x(x), place_y(y)) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
        draw_path(draw, points, line.colour, line.width * SHARP, line.dash * SHARP)
        if len(points) < len(line.x) and points:  # what is no number can't be drawn: a cross where it begins
            x, y, reach = *points[-1], 7 * SHARP
            for slope in (reach, -reach):
                draw.line((x - reach, y - slope, x + reach, y + slope), RED, 3 * SHARP)
    titled = [line for line in lines if line.title]
    for row, line in enumerate(titled):
        y = (top if legend_above else bottom - (len(titled) + 1) * 18 * SHARP) + (row + 1) * 18 * SHARP
        sample = [(right - 210 * SHARP, y), (right - 180 * SHARP, y)]
        draw_path(draw, sample, line.colour, line.width * SHARP, line.dash * SHARP)
        draw.text((right - 174 * SHARP, y), line.title, BLACK, font, anchor="lm")
    return picture.resize(size, Image.Resampling.BOX)


def draw_path(pen: ImageDraw.ImageDraw, points: Sequence[Point], colour: str, width: int = 2, dash: float = 0) -> None:
    """Draw a line through points, in dashes of so many pixels unless ``dash`` is 0."""
    if not dash:
        pen.line(points, colour, width, joint="curve")
        return
    done = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.dist((x0, y0), (x1, y1))
        pieces = max(1, round(length / (dash / 3)))
        for piece in range(pieces):
            if (done + piece * length / pieces) % (1.6 * dash) < dash:
                start, end = piece / pieces, (piece + 1) / pieces
                ends = x0 + (x1 - x0) * start, y0 + (y1 - y0) * start, x0 + (x1 - x0) * end, y0 + (y1 - y0) * end
                pen.line(ends, colour, width)
        done += length


def find_ticks(end: float) -> list[float]:
    """Return three to six round numbers from 0 to ``end``."""
    step = 10 ** math.floor(math.log10(end))
    step = next(step * part for part in (2, 1, 0.5, 0.2, 0.1) if end / (step * part) >= 3)
    return [round(step * index, 6) for index in range(int(end / step + 1e-9) + 1)]


def draw_interval(
    pen: ImageDraw.ImageDraw,
    place: Point,
    width: float,
    ticks: Sequence[float],
    estimate: Estimate | None,
    words: str,
    colour: str = BLUE,
) -> None:
    """Draw a scale with an estimate on it, the interval as a bar and the value as a dot, and words behind it.

    Args:
        place: the scale's left end and the top of the line.
        ticks: of the scale, from its first to its last value.
        estimate: None draws the empty scale, with pale words.
    """
    left, top = place

    def place_x(value: float) -> float:
        return left + width * (value - ticks[0]) / (ticks[-1] - ticks[0])

    pen.line((left, top + 8, left + width, top + 8), PALE, 1)
    for tick in ticks:
        pen.line((place_x(tick), top + 4, place_x(tick), top + 12), PALE, 1)
    if estimate:
        pen.rectangle((place_x(estimate.low), top + 4, place_x(estimate.high), top + 12), colour)
        middle = place_x(estimate.value)
        pen.ellipse((middle - 5, top + 3, middle + 5, top + 13), "white", BLACK, 2)
    pen.text((left + width + 8, top), words, BLACK if estimate else GREY, load_font(12))


def draw_bars(
    pen: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    shares: Sequence[float],
    words: Sequence[str],
    colours: Sequence[str],
    gap: float = 2,
) -> None:
    """Draw a bar for each share of 1 from the floor of a box upwards, its words above it.

    Args:
        box: left, top, right and bottom; a share of 1 reaches the top, one of 0 is a line of one pixel.
        gap: free pixels at both sides of a bar.
    """
    left, top, right, bottom = box
    step = (right - left) / len(shares)
    for index, (share, text, colour) in enumerate(zip(shares, words, colours, strict=True)):
        x, height = left + index * step, share * (bottom - top)
        pen.rectangle((x + gap, bottom - max(1, height), x + step - gap - 1, bottom), colour)
        pen.text((x + step / 2, bottom - height - 3), text, BLACK, load_font(11), anchor="mb")
