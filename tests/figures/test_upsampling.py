"""Names on a map stand apart."""

import torch

from cnngen_course.figures.upsampling import spread_names


def test_names_do_not_overlap() -> None:
    places = spread_names(torch.zeros(5, 2))
    assert places[:, 1].sort().values.diff().min() >= 0.109
    apart = torch.tensor([[-0.5, 0.5], [0.5, 0.5]])
    assert torch.equal(spread_names(apart), apart)
