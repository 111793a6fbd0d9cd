"""Sizes and range, both choices matter, mixtures are mixtures, and noise only moves what is trained."""

import pytest
import torch
from torch.nn import functional as F

from cnngen_course.models.artist import Artist


@pytest.fixture
def model() -> Artist:
    torch.manual_seed(0)
    return Artist(5, 3, thing_size=8, style_size=4, widths=(16, 8)).eval()


def test_shapes_and_range(model: Artist) -> None:
    images = model(torch.tensor([0, 4, 2]), torch.tensor([0, 1, 2]))
    assert images.shape == (3, 3, 16, 16) and images.abs().max() <= 1
    assert Artist(5, 3)(torch.tensor([0]), torch.tensor([0])).shape == (1, 3, 64, 64)


def test_both_choices_change_the_picture(model: Artist) -> None:
    same = torch.zeros(5, dtype=torch.long)
    things, styles = model(torch.arange(5), same), model(same[:3], torch.arange(3))
    assert all(images.std(dim=0).mean() > 1e-3 for images in (things, styles))


def test_a_share_of_one_is_the_thing_itself(model: Artist) -> None:
    things, styles = torch.tensor([1, 3]), torch.tensor([2, 0])
    mixed = model(F.one_hot(things, 5).float(), F.one_hot(styles, 3).float())
    torch.testing.assert_close(mixed, model(things, styles))
    halves = model(torch.tensor([[0.5, 0.5, 0, 0, 0]]), torch.tensor([0]))
    assert all((halves - model(torch.tensor([thing]), torch.tensor([0]))).abs().max() > 1e-3 for thing in (0, 1))


def test_noise_only_in_training(model: Artist) -> None:
    choice = torch.tensor([1]), torch.tensor([1])
    assert torch.equal(model(*choice), model(*choice))
    model.train()
    assert not torch.equal(model(*choice), model(*choice))
    model.noise = 0.0
    assert torch.equal(model(*choice), model(*choice))
