"""Clouds, ways and the trade-off are plotted as they are given."""

import torch

from cnngen_course.figures.outlook import plot_clouds, plot_tradeoff, plot_ways
from cnngen_course.metrics import compute_share


def test_plots_show_what_they_are_given() -> None:
    clouds = plot_clouds({"first": torch.zeros(5, 2), "second": torch.ones(7, 2)})
    assert [place.get_title() for place in clouds.axes] == ["first", "second"]
    assert [len(place.collections[0].get_offsets()) for place in clouds.axes] == [5, 7]
    ways = plot_ways({"ways": torch.randn(4, 6, 2)})
    assert len(ways.axes[0].lines) == 6 + 2
    shares = [compute_share(right, 10) for right in (1, 9)]
    lines = plot_tradeoff((0.0, 2.0), shares, (1.0, 0.8)).axes[0].lines
    assert any(list(line.get_ydata()) == [1.0, 0.8] for line in lines)
