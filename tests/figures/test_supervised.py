"""Plots of pairs and of obedience say what they show."""

import torch

from cnngen_course.datasets import make_shapes
from cnngen_course.figures.supervised import plot_obedience, plot_pairs


def test_the_plots_say_what_they_show() -> None:
    data = make_shapes(5)
    titles = [place.get_title() for place in plot_pairs(data, [0, 2]).axes]
    assert len(titles) == 2 and all("size" in title for title in titles)
    asked = torch.rand(40, 2)
    figure = plot_obedience(asked, asked * torch.tensor([1.0, -1.0]), ["size", "brightness"])
    assert [place.get_title() for place in figure.axes] == ["correlation 1.00", "correlation -1.00"]
