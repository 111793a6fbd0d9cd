"""Hints tell the truth and stay few; with and without an opponent there is something to learn."""

import pytest
import torch

from cnngen_course.models.unet import PatchDiscriminator, UNet
from cnngen_course.objectives.adversarial import Adversarial, Opponent
from cnngen_course.objectives.translation import DAB_RADIUS, Translation, sample_hints, spread_dabs, swap_colours


def test_hints_are_as_many_as_asked_for_and_true() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 64, 64) * 2 - 1
    counts = torch.tensor([0, 1, 3, 12])
    hints = sample_hints(pictures, counts)
    assert hints.shape == (4, 4, 64, 64)
    assert hints[0].abs().max() == 0
    single = spread_dabs(torch.cat([torch.zeros(1, 3, 9, 9), torch.eye(9)[4].outer(torch.eye(9)[4])[None, None]], 1))
    area = int(single[0, 3].sum())
    assert 0 < hints[1, 3].sum() <= area and hints[3, 3].sum() <= 12 * area
    centre = hints[1, 3].nonzero().float().mean(dim=0).round().long()
    torch.testing.assert_close(hints[1, :3, centre[0], centre[1]], pictures[1, :, centre[0], centre[1]])


def test_no_dab_means_empty_paper() -> None:
    hints = sample_hints(torch.rand(3, 3, 32, 32), torch.zeros(3, dtype=torch.long))
    assert hints.abs().max() == 0


def test_dabs_prefer_what_is_in_colour() -> None:
    torch.manual_seed(0)
    pictures = torch.ones(50, 3, 64, 64)
    pictures[:, :, :16] = -0.5  # a quarter in colour
    hints = sample_hints(pictures, torch.full((50,), 6))
    painted = hints[:, 3]
    assert painted[:, :16].sum() > 1.5 * painted[:, 20:].sum()


def test_where_dabs_meet_they_mix() -> None:
    points = torch.zeros(1, 4, 11, 11)
    points[0, :, 5, 4] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    points[0, :, 5, 6] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    dabs = spread_dabs(points)
    torch.testing.assert_close(dabs[0, :, 5, 5], torch.tensor([0.5, 0.0, 0.5, 1.0]))
    torch.testing.assert_close(dabs[0, :, 5, 4 - DAB_RADIUS], torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert dabs[0, 3].max() == 1 and dabs[0, :, 0].abs().max() == 0


def test_the_loss_is_the_error_and_what_the_opponent_says() -> None:
    torch.manual_seed(0)
    sources, targets = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)
    values = Translation(weight=5.0)(UNet(5, 3, (8, 16)), (sources, targets))
    torch.testing.assert_close(values["loss"], 5 * values["error"])
    opponent = Opponent(PatchDiscriminator(3, 1, depth=1), Adversarial("hinge"))
    values = Translation(opponent, weight=0, most_dabs=None)(UNet(1, 3, (8, 16)), (sources, targets))
    torch.testing.assert_close(values["loss"], values["generator_loss"])
    with pytest.raises(ValueError, match="above 0"):
        Translation(weight=0)


def test_colours_change_places_in_the_chosen_pictures_only() -> None:
    torch.manual_seed(0)
    pictures, chosen = torch.rand(60, 3, 4, 4), torch.arange(60) % 2 == 0
    swapped = swap_colours(pictures, chosen)
    assert torch.equal(swapped[~chosen], pictures[~chosen])
    torch.testing.assert_close(swapped.sort(dim=1).values, pictures.sort(dim=1).values)
    assert 15 < (swapped != pictures).flatten(1).any(dim=1).sum() <= 30


def test_recoloured_pictures_come_with_dabs_of_their_new_colours() -> None:
    torch.manual_seed(0)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(40, 3, 16, 16)
    seen = []

    def model(inputs: torch.Tensor) -> torch.Tensor:
        seen.append(inputs)
        return torch.zeros(40, 3, 16, 16, requires_grad=True)

    Translation(recolour=1.0)(model, (torch.ones(40, 1, 16, 16), red))
    hints = seen[0][:, 1:]
    dabbed = hints[:, 3].flatten(1).any(dim=1)
    colours = {tuple(h[:3, h[3] == 1].mean(dim=1).round().tolist()) for h in hints[dabbed]}
    assert colours == {(1, -1, -1), (-1, 1, -1), (-1, -1, 1)} and 20 < dabbed.sum() < 40
