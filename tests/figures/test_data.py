"""Clouds are plotted as they are given, and arrows begin at the mean of the first."""

import pytest
import torch

from cnngen_course.figures.data import plot_clouds


def test_clouds_share_a_scale_and_the_first_bears_the_arrows() -> None:
    clouds = {"small": torch.tensor([[0.0, 1.0], [2.0, 3.0]]), "large": torch.tensor([[-8.0, 0.0]])}
    figure = plot_clouds(clouds, ("across", "up"), torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    first, second = figure.axes
    assert [place.get_title() for place in figure.axes] == ["small", "large"]
    assert first.get_xlim() == second.get_ylim() == pytest.approx((-8.8, 8.8))
    assert first.lines[0].get_xydata().tolist() == clouds["small"].tolist()
    assert [(arrow.get_text(), tuple(arrow.xy), tuple(arrow.xyann)) for arrow in first.texts] == [
        ("1", (1, 2), (2, 2)),
        ("2", (1, 2), (1, 4)),
    ]
    assert not second.texts
