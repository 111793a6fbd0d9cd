"""A control to draw with: strokes of ink and dabs of colour over a picture, by mouse, finger or keys."""

import math
from pathlib import Path
from typing import Any, ClassVar

import torch
import traitlets
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor

from cnngen_course.explorers.pad import Surface
from cnngen_course.images import from_pil

MOST_POINTS = 20_000  # of all strokes together; beyond it a drawing would no longer follow the hand
FINE = 4  # strokes are drawn so many times larger, then scaled down: smooth edges


class Canvas(Surface):
    """A square to draw on; ``value`` is a tuple of strokes, each ``{"tool", "colour", "width", "points"}``.

    ``points`` are ``(x, y)`` in [0, 1], y downwards; ``width`` is a share of the side.

    Args (traits, beside those of ``Surface``):
        value: the strokes, oldest first; what is not a stroke is refused.
        tools: what can be drawn with, each ``{"name", "kind": "line" or "dab", "colour", "width"}``; the colour ""
            is the learner's choice.
    """

    _esm = Path(__file__).with_name("canvas.js")
    corners: ClassVar = (  # values that tests visit
        (),
        ({"tool": "test", "colour": "#d55e00", "width": 0.12, "points": ((0.3, 0.3), (0.7, 0.6))},),
        ({"tool": "test", "colour": "#0072b2", "width": 0.5, "points": ((0.5, 0.5),)},),
    )

    # The browser owns the strokes; an echo of older ones would undo what the hand has drawn meanwhile.
    strokes = traitlets.List(trait=traitlets.Dict()).tag(sync=True, echo_update=False)
    tools = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    description = traitlets.Unicode("draw").tag(sync=True)
    size = traitlets.Int(320).tag(sync=True)
    value = traitlets.Tuple()

    @traitlets.validate("value")
    def _check(self, proposal: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        return check_strokes(proposal["value"])

    @traitlets.observe("value")
    def _show(self, change: dict[str, Any]) -> None:
        self.strokes = [dict(stroke) for stroke in change["new"]]

    def read_value(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.strokes)


def check_strokes(strokes: Any) -> tuple[dict[str, Any], ...]:
    """Return the strokes with points in [0, 1].

    Raises:
        traitlets.TraitError: something is no stroke, not a number, or there is too much of it.
    """
    checked: list[dict[str, Any]] = []
    for stroke in strokes:
        try:
            points = tuple((float(x), float(y)) for x, y in stroke["points"])
            width, colour = float(stroke["width"]), str(stroke["colour"])
            ImageColor.getrgb(colour)
        except (KeyError, TypeError, ValueError) as error:
            raise traitlets.TraitError(f"this is no stroke: {str(stroke)[:80]} ({error})") from None
        if not points or not all(map(math.isfinite, (width, *(number for point in points for number in point)))):
            raise traitlets.TraitError("a stroke needs a width and one or more points, all finite numbers")
        inside = tuple((min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in points)
        width = min(1.0, max(0.0, width))
        checked.append({"tool": str(stroke.get("tool", "")), "colour": colour, "width": width, "points": inside})
    if sum(len(stroke["points"]) for stroke in checked) > MOST_POINTS:
        raise traitlets.TraitError(f"more than {MOST_POINTS:,} points: press clear and begin anew")
    return tuple(checked)


def draw_strokes(strokes: tuple[dict[str, Any], ...], size: int) -> tuple[Tensor, Tensor]:
    """Draw strokes on empty paper: pixels (3, size, size) uint8, and how far each is covered, (1, size, size) in 0..1.

    Where nothing was drawn the pixels are white.
    """
    large = size * FINE
    colours, cover = Image.new("RGB", (large, large), "white"), Image.new("L", (large, large))
    for stroke in strokes:
        width = max(1, round(stroke["width"] * large))
        points = [(x * large, y * large) for x, y in stroke["points"]]
        for picture, fill in ((colours, stroke["colour"]), (cover, 255)):
            pen = ImageDraw.Draw(picture)
            if len(points) > 1:
                pen.line(points, fill=fill, width=width, joint="curve")
            for x, y in (points[0], points[-1]):  # round ends; a dab is nothing but an end
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)
    small = [from_pil(picture.resize((size, size), Image.Resampling.BOX)) for picture in (colours, cover)]
    return small[0], small[1].to(torch.float32) / 255
