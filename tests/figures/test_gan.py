"""Curves are sorted into plots whose ranges are never empty."""

import torch

from cnngen_course.experiments.clinic import load_run
from cnngen_course.figures.gan import choose_lines, find_range


def test_curves_find_their_plot() -> None:
    assert list(choose_lines(load_run("A"))) == ["losses", "scores", "diversity", "gradient"]
    assert list(choose_lines(load_run("game_0"))) == ["losses", "scores", "diversity"]


def test_ranges_are_never_empty() -> None:
    flat = {"": torch.full((10,), -6.0)}
    assert find_range("scores", flat) == (0, 1)
    low, high = find_range("gradient", flat)
    assert high > low == -6
    assert find_range("losses", {"": torch.tensor([-9.0, 700.0])}) == (-2, 5)
