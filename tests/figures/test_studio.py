"""Means and ratios are plotted where they lie."""

from cnngen_course.figures.studio import plot_means, plot_ratios
from cnngen_course.metrics import Estimate


def test_means_are_plotted_where_they_lie() -> None:
    figure = plot_means({"VAE": Estimate(3.0, 2.5, 3.5, 7)}, {"VAE": 3.2})
    lines = figure.axes[0].lines
    assert [list(line.get_xdata()) for line in lines] == [[2.5, 3.5], [3.0], [3.2]]
    assert figure.axes[0].get_yticklabels()[0].get_text() == "VAE, n = 7"


def test_ratios_are_plotted_as_bars() -> None:
    figure = plot_ratios({"generator": {1: 5.0, 16: 1.5}, "inpainter": {1: 2.0, 16: 0.9}})
    assert [bar.get_height() for bar in figure.axes[0].patches] == [5.0, 2.0, 1.5, 0.9]
