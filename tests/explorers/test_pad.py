"""The pad answers every message of the browser, keeps its point inside, and works as a control of a panel."""

import math

import ipywidgets as widgets
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnngen_course.explorers.pad import XYPad
from cnngen_course.explorers.panel import Panel, View


def receive(pad: XYPad, x: float, y: float) -> None:
    """Do what a message of the browser does."""
    pad.set_state({"x": x, "y": y, "sent": pad.sent + 1})


def test_a_message_moves_the_point_once() -> None:
    pad, seen = XYPad(), []
    pad.observe(lambda change: seen.append(change["new"]), "value")
    receive(pad, 0.25, -0.5)
    assert pad.value == (0.25, -0.5)
    assert seen == [(0.25, -0.5)]
    assert pad.done == pad.sent == 1


def test_a_message_without_a_move_is_answered_too() -> None:
    pad = XYPad()
    receive(pad, 0.0, 0.0)
    assert pad.done == 1


def test_the_answer_comes_after_the_drawing() -> None:
    pad, done_while_drawing = XYPad(), []
    pad.observe(lambda _: done_while_drawing.append(pad.done), "value")
    receive(pad, 0.1, 0.1)
    assert done_while_drawing == [0]
    assert pad.done == 1


def test_an_error_in_drawing_is_raised_and_does_not_block_the_pad() -> None:
    pad = XYPad()
    pad.observe(lambda _: 1 / 0, "value")
    with pytest.raises(ZeroDivisionError):
        receive(pad, 0.1, 0.1)
    assert pad.done == 1


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_the_point_stays_inside(x: float, y: float) -> None:
    pad = XYPad(value=(x, y))
    assert pad.value == (max(-1, min(1, x)), max(-1, min(1, y))) == (pad.x, pad.y)
    receive(pad, y, x)
    assert max(map(abs, pad.value)) <= 1


def test_nan_is_refused() -> None:
    pad = XYPad()
    with pytest.raises(traitlets.TraitError, match="NaN"):
        pad.value = (math.nan, 0.0)


def test_setting_the_value_moves_the_point_in_the_browser() -> None:
    pad = XYPad()
    pad.value = (-0.5, 0.75)
    assert (pad.x, pad.y) == (-0.5, 0.75)
    assert {"x", "y", "sent", "done", "background", "description"} <= set(pad.get_state())


def test_older_places_are_not_echoed() -> None:
    """An echo would pull the point back under the learner's hand."""
    assert all(XYPad().trait_metadata(name, "echo_update") is False for name in ("x", "y", "sent"))


def test_it_is_a_control_of_a_panel() -> None:
    def draw(place: tuple[float, float], size: int) -> View:
        return View(Image.new("L", (60, 60), size + int(100 * place[0])), f"x is {place[0]:.2f}, y is {place[1]:.2f}")

    slider = widgets.IntSlider(100, 100, 120, description="size")
    panel = Panel(draw, {"place": XYPad(description="place"), "size": slider})
    before = panel.picture.value
    receive(panel.controls["place"], 1.0, 0.5)
    assert panel.describe() == "x is 1.00, y is 0.50"
    assert panel.picture.value != before
