"""The canvas answers every message of the browser, refuses what is no stroke, and draws where the strokes are."""

import pytest
import torch
import traitlets

from cnngen_course.explorers.canvas import MOST_POINTS, Canvas, draw_strokes

LINE = {"tool": "pen", "colour": "#ff0000", "width": 0.1, "points": [[0.25, 0.5], [0.75, 0.5]]}


def receive(canvas: Canvas, *strokes: dict) -> None:
    """Do what a message of the browser does."""
    canvas.set_state({"strokes": list(strokes), "sent": canvas.sent + 1})


def test_a_message_brings_the_strokes_and_is_answered_after_the_drawing() -> None:
    canvas, seen = Canvas(), []
    canvas.observe(lambda change: seen.append((len(change["new"]), canvas.done)), "value")
    receive(canvas, LINE)
    assert seen == [(1, 0)] and canvas.done == 1
    assert canvas.value[0]["points"] == ((0.25, 0.5), (0.75, 0.5))


def test_an_error_in_drawing_is_raised_and_does_not_block_the_canvas() -> None:
    canvas = Canvas()
    canvas.observe(lambda _: 1 / 0, "value")
    with pytest.raises(ZeroDivisionError):
        receive(canvas, LINE)
    assert canvas.done == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        LINE | {"points": []},
        LINE | {"points": [[0.1, float("nan")]]},
        LINE | {"points": [[0.1]]},
        LINE | {"colour": "no colour"},
        LINE | {"width": "wide"},
        LINE | {"points": [[0.5, 0.5]] * (MOST_POINTS + 1)},
    ],
)
def test_what_is_no_stroke_is_refused(wrong: dict) -> None:
    canvas = Canvas()
    with pytest.raises(traitlets.TraitError, match=r"stroke|points"):
        canvas.value = (wrong,)
    assert canvas.value == ()


def test_points_outside_are_moved_to_the_border() -> None:
    canvas = Canvas()
    receive(canvas, LINE | {"points": [[-3, 0.5], [2, 0.5]], "width": 7})
    assert canvas.value[0]["points"] == ((0.0, 0.5), (1.0, 0.5)) and canvas.value[0]["width"] == 1


def test_ink_is_where_the_stroke_is() -> None:
    pixels, cover = draw_strokes((LINE,), 64)
    assert pixels.shape == (3, 64, 64) and pixels.dtype == torch.uint8 and cover.shape == (1, 64, 64)
    assert pixels[:, 32, 32].tolist() == [255, 0, 0] and cover[0, 32, 32] == 1
    assert pixels[:, 32, 5].tolist() == [255, 255, 255] and cover[0, 20, 32] == 0
    assert cover.mean().item() == pytest.approx(0.1 * 0.5 + 3.14159 * 0.05**2, rel=0.05)


def test_the_last_stroke_lies_on_top_and_a_dab_is_round() -> None:
    dab = {"colour": "#0000ff", "width": 0.5, "points": [[0.5, 0.5]]}
    pixels, cover = draw_strokes((LINE, dab), 64)
    assert pixels[:, 32, 32].tolist() == [0, 0, 255]
    assert cover[0, 17:47, 32].min() == 1 and cover[0, 17, 17] == 0
    assert draw_strokes((dab, LINE), 64)[0][:, 32, 32].tolist() == [255, 0, 0]


def test_empty_paper_is_white() -> None:
    pixels, cover = draw_strokes((), 16)
    assert (pixels == 255).all() and (cover == 0).all()
