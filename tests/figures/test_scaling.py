"""The plot of a series holds every run, and words say which is best."""

import pytest

from cnngen_course.experiments.scaling import SERIES
from cnngen_course.figures.scaling import describe_scaling, plot_series


@pytest.mark.parametrize("name", SERIES)
def test_the_plot_holds_every_run(name: str) -> None:
    figure = plot_series(name, budget=1e30)
    left, right = figure.axes
    assert len(left.lines) == 2 and len(left.lines[0].get_xdata()) == len(SERIES[name])
    assert len(right.lines) == len(SERIES[name]) + 2  # the budget, and the ring about the best


def test_too_small_a_budget_is_said() -> None:
    assert "none of them has come to its first" in describe_scaling("width", 1.0, True)
    assert "the best is width" in describe_scaling("width", 1e30, False)
