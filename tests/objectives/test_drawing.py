"""Pixels and steps by hand; a soft edge costs more than an even error of the same square."""

import pytest
import torch
from torch import nn

from cnngen_course.objectives.drawing import Drawing


class Fixed(nn.Module):
    """Draws the same whatever is asked for."""

    def __init__(self, images: torch.Tensor) -> None:
        super().__init__()
        self.images = images

    def forward(self, things: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        return self.images


def measure(drawn: torch.Tensor, wanted: torch.Tensor, edges: float) -> dict[str, torch.Tensor]:
    return Drawing(edges)(Fixed(drawn), (wanted, torch.zeros(1), torch.zeros(1)))


def test_by_hand() -> None:
    drawn, wanted = torch.tensor([[0.0, 1.0], [0.0, 0.0]])[None, None], torch.zeros(1, 1, 2, 2)
    values = measure(drawn, wanted, 0.5)
    # one pixel of four is off by 1; of the two steps down one is off by 1, and so is one of those to the right
    assert values["loss"].item() == pytest.approx(1 / 4 + 0.5 * (1 / 2 + 1 / 2))
    assert values["l1"].item() == pytest.approx(1 / 4)


def test_an_even_error_has_no_steps() -> None:
    wanted = torch.rand(2, 3, 8, 8)
    assert measure(wanted + 0.1, wanted, 1.0)["loss"].item() == pytest.approx(0.01, rel=1e-3)


def test_a_lost_edge_costs_more_than_an_even_error() -> None:
    wanted = torch.zeros(1, 1, 8, 8)
    wanted[..., 4:] = 1
    flat = torch.full_like(wanted, 0.5)  # every pixel off by a half
    assert measure(flat, wanted, 0.5)["loss"] > measure(wanted + 0.5, wanted, 0.5)["loss"] + 0.05
