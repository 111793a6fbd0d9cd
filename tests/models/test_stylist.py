"""A stylist keeps the picture's size and mixes styles."""

import pytest
import torch

from cnngen_course.galleries import STYLES
from cnngen_course.models.stylist import ConditionalInstanceNorm, Stylist, compute_shares


@pytest.mark.parametrize("shape", [(16, 16), (18, 27), (33, 20)])
def test_the_size_stays(shape: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *shape)
    drawn = Stylist(3, width=8, depth=1)(images, torch.tensor([0, 2]))
    assert drawn.shape == images.shape and drawn.abs().max() <= 1


def test_the_norm_is_torchs_until_a_style_differs() -> None:
    norm, x = ConditionalInstanceNorm(4, 2), torch.rand(3, 4, 5, 5)
    torch.nn.init.zeros_(norm.table.weight)
    torch.testing.assert_close(norm(x, torch.tensor([0, 1, 0])), torch.nn.functional.instance_norm(x))
    norm.table.weight.data[1, :4] = 0.1  # scale 2: the table counts tenfold
    torch.testing.assert_close(norm(x, torch.tensor([1, 1, 1])), 2 * torch.nn.functional.instance_norm(x))


def test_a_share_of_one_is_the_style_itself() -> None:
    torch.manual_seed(0)
    model, images = Stylist(3, width=8, depth=1), torch.rand(1, 3, 16, 16)
    for norm in (module for module in model.modules() if isinstance(module, ConditionalInstanceNorm)):
        torch.nn.init.normal_(norm.table.weight, std=0.1)
    pure, half = (model(images, torch.tensor([share])) for share in ([0.0, 1.0, 0.0], [0.5, 0.5, 0.0]))
    torch.testing.assert_close(pure, model(images, torch.tensor([1])))
    assert (pure - half).abs().max() > 1e-3


def test_training_starts_from_the_picture_itself() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 16, 16) * 1.8 - 0.9
    drawn = Stylist(3, width=8, depth=1)(images, torch.tensor([0, 2]))
    assert (drawn - images).square().mean() < 0.1 * images.var()


def test_a_style_may_keep_nothing_of_the_picture() -> None:
    model, images = Stylist(2, width=8, depth=1), torch.rand(1, 3, 16, 16)
    torch.nn.init.zeros_(model.draw.weight)
    torch.nn.init.zeros_(model.draw.bias)
    model.kept.weight.data[1] = -0.1  # ten times that and 1 make 0
    assert model(images, torch.tensor([1])).abs().max() == 0
    torch.testing.assert_close(model(images, torch.tensor([0])), 0.98 * images)


def test_the_shares_add_up_to_one() -> None:
    shares = compute_shares("comic", "ink", 0.25, 0.8)[0].tolist()
    names = ["as it is", *STYLES]
    assert sum(shares) == pytest.approx(1)
    assert [shares[names.index(name)] for name in ("as it is", "comic", "ink")] == pytest.approx([0.2, 0.6, 0.2])
    assert compute_shares("ink", "ink", 0.3, 1.0)[0, names.index("ink")] == pytest.approx(1)
