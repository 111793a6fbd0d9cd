"""Charts hold what they are given: lines where their points are, dashes with gaps, bars and intervals to scale."""

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnngen_course.figures.charts import Line, draw_bars, draw_chart, draw_interval, draw_path, find_ticks
from cnngen_course.metrics import Estimate


@pytest.mark.parametrize(
    ("end", "ticks"), [(80, [0, 20, 40, 60, 80]), (7.3, [0, 2, 4, 6]), (240, [0, 50, 100, 150, 200])]
)
def test_ticks_are_round(end: float, ticks: list[float]) -> None:
    assert find_ticks(end) == ticks


def count_colour(picture, colour: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(picture).astype(int) - colour).max(axis=2) < 40).sum())


def test_a_line_is_where_its_points_are() -> None:
    flat = draw_chart([Line((0, 10), (5, 5), "#FF0000", 3)], "x", "y", (0, 10), (0, 10), (0, 10))
    rows = np.nonzero((np.asarray(flat)[:, :, 1] < 60) & (np.asarray(flat)[:, :, 0] > 200))[0]
    assert rows.min() == pytest.approx((12 + 320 - 42) / 2, abs=4) and rows.max() - rows.min() < 5
    assert count_colour(flat, (255, 0, 0)) > 1000


def test_a_value_that_is_no_number_gets_a_cross() -> None:
    pictures = [
        draw_chart([Line((1, 2, 3), (1, 1, end), "#0000FF")], "x", "y", (0, 4), (0, 2), (1,)) for end in (1, math.nan)
    ]
    assert [count_colour(picture, (213, 94, 0)) > 20 for picture in pictures] == [False, True]


def test_dashes_have_gaps() -> None:
    drawn = [draw_chart([Line((0, 9), (1, 1), "#FF0000", 3, dash)], "x", "y", (0, 9), (0, 2), (1,)) for dash in (0, 9)]
    through, dashed = (count_colour(picture, (255, 0, 0)) for picture in drawn)
    assert 0.4 * through < dashed < 0.9 * through


def make_sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (300, 100), "white")
    return sheet, ImageDraw.Draw(sheet)


def find_columns(sheet: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """Return the first and the last column, and the first and the last row, in which a colour occurs."""
    rows, columns = np.nonzero((np.asarray(sheet) == colour).all(axis=2))
    return [int(edge) for line in (columns, rows) for edge in (line.min(), line.max())]


@pytest.mark.parametrize(("dash", "share"), [(0, 1), (5, 0.65)])
def test_a_path_is_dashed_if_it_shall_be(dash: int, share: float) -> None:
    sheet, pen = make_sheet()
    draw_path(pen, [(x, 50) for x in range(0, 301, 3)], "#FF0000", dash=dash)
    assert count_colour(sheet, (255, 0, 0)) / 600 == pytest.approx(share, abs=0.15)


def test_an_interval_is_to_scale() -> None:
    sheet, pen = make_sheet()
    draw_interval(pen, (40, 10), 200, (0, 0.5, 1), Estimate(0.5, 0.25, 0.75, 9), "", "#FF0000")
    assert find_columns(sheet, (255, 0, 0)) == [90, 190, 14, 22]
    empty, pen = make_sheet()
    draw_interval(pen, (40, 10), 200, (1, 2, 5), None, "none")
    assert count_colour(empty, (255, 0, 0)) == 0 and find_columns(empty, (187, 187, 187)) == [40, 240, 14, 22]


def test_bars_are_to_scale() -> None:
    sheet, pen = make_sheet()
    draw_bars(pen, (0, 20, 300, 80), [0.0, 0.5, 1.0], ["", "half", ""], ["#00FF00", "#FF0000", "#0000FF"])
    assert find_columns(sheet, (255, 0, 0)) == [102, 197, 50, 80]
    assert find_columns(sheet, (0, 0, 255)) == [202, 297, 20, 80]
    assert find_columns(sheet, (0, 255, 0)) == [2, 97, 79, 80]
