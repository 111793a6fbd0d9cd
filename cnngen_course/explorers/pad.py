"""A control with two numbers at once: a point dragged over a square, by mouse, finger or arrow keys.

Also what it shares with the canvas, see ``Surface``.
"""

import math
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets


class Surface(anywidget.AnyWidget):
    """A square that the learner's hand works on: what every such control has in common.

    In the browser one message is under way at a time: while Python is still drawing, only the newest state is kept,
    so a slow drawing never lags behind the hand.

    Args (all traits, which may also be set later):
        description: the label, also what a screen reader says.
        background: bytes of a JPEG or PNG, stretched over the square.
        size: height and width of the square in screen pixels.
    """

    sent = traitlets.Int(0).tag(sync=True, echo_update=False)  # number of the browser's last message
    done = traitlets.Int(0).tag(sync=True)  # number of the last message that Python has dealt with
    description = traitlets.Unicode().tag(sync=True)
    background = traitlets.Bytes(b"").tag(sync=True)
    size = traitlets.Int(336).tag(sync=True)

    def read_value(self) -> Any:
        """Return the control's value from what the browser has sent."""
        raise NotImplementedError

    @traitlets.observe("sent")
    def _receive(self, _change: dict[str, Any]) -> None:
        try:
            self.value = self.read_value()  # whoever observes it draws now
        finally:
            self.done = self.sent  # also after an error: the control must stay alive


class XYPad(Surface):
    """A square with a point in it; ``value`` is the point's place ``(x, y)``, each in [-1, 1], y upwards.

    Use it in a ``Panel`` like any other control; a ``background`` is the map under the point.

    Args (traits, beside those of ``Surface``):
        value: the place; numbers outside are moved to the border.
        disabled: the point stays where it is.
    """

    _esm = Path(__file__).with_name("pad.js")
    corners: ClassVar = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 0.0))  # places that tests visit

    # The browser owns x and y; an echo of an older place would pull the point back under the learner's hand.
    x = traitlets.Float(0.0).tag(sync=True, echo_update=False)
    y = traitlets.Float(0.0).tag(sync=True, echo_update=False)
    description = traitlets.Unicode("place").tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    value = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 0.0))

    @traitlets.validate("x", "y")
    def _keep_inside(self, proposal: dict[str, Any]) -> float:
        return clip(proposal["value"])

    @traitlets.validate("value")
    def _keep_both_inside(self, proposal: dict[str, Any]) -> tuple[float, float]:
        x, y = proposal["value"]
        return clip(x), clip(y)

    @traitlets.observe("value")
    def _move(self, change: dict[str, Any]) -> None:
        self.x, self.y = change["new"]

    def read_value(self) -> tuple[float, float]:
        return self.x, self.y


def clip(number: float) -> float:
    """Return the number moved into [-1, 1].

    Raises:
        traitlets.TraitError: it is not a number (NaN).
    """
    if math.isnan(number):
        raise traitlets.TraitError("a place on the pad is two numbers in [-1, 1], got NaN")
    return max(-1.0, min(1.0, float(number)))
