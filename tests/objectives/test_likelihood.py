"""Likelihood is exact: it sums to one over all pictures, agrees with the draws, and refuses what is no picture."""

import itertools
import math

import pytest
import torch

from cnngen_course.models.pixelcnn import PixelCNN
from cnngen_course.objectives.likelihood import (
    Likelihood,
    compute_class_posterior,
    compute_log_likelihood,
    sample_levels,
    to_bits_per_dimension,
    to_grey,
    to_levels,
)


@pytest.fixture
def model() -> PixelCNN:
    """Two levels, 2x2 pixels: all sixteen pictures can be counted."""
    torch.manual_seed(0)
    return PixelCNN(level_count=2, class_count=3, width=8, depth=2, head_width=8, size=2).eval()


EVERY_PICTURE = torch.tensor(list(itertools.product((0, 1), repeat=4))).view(16, 1, 2, 2)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_probabilities_of_all_pictures_sum_to_one(model: PixelCNN, label: int) -> None:
    probabilities = compute_log_likelihood(model, EVERY_PICTURE, torch.full((16,), label)).exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)


def test_draws_come_as_often_as_the_likelihood_says(model: PixelCNN) -> None:
    drawn = sample_levels(model, torch.zeros(4000, dtype=torch.long), generator=torch.Generator().manual_seed(1))
    number = (drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(dim=1)
    expected = compute_log_likelihood(model, EVERY_PICTURE, torch.zeros(16, dtype=torch.long)).exp()
    torch.testing.assert_close(number.bincount(minlength=16) / 4000, expected, atol=0.03, rtol=0)


def test_sampling_with_memory_draws_what_the_slow_sampler_draws() -> None:
    torch.manual_seed(0)
    model = PixelCNN(level_count=4, class_count=3, width=8, depth=3, head_width=8, size=8).eval()
    labels, chance = torch.tensor([0, 1, 2]), torch.Generator().manual_seed(3)
    slow = torch.zeros(3, 1, 8, 8, dtype=torch.long)
    for block, place in itertools.product(range(16), range(4)):
        row, column = 2 * (block // 4) + place // 2, 2 * (block % 4) + place % 2
        with torch.inference_mode():
            chances = model(slow, labels)[:, :, row, column].softmax(dim=1)
        slow[:, 0, row, column] = torch.multinomial(chances, 1, generator=chance)[:, 0]
    assert torch.equal(sample_levels(model, labels, generator=torch.Generator().manual_seed(3)), slow)


def test_given_pixels_stay_and_the_rest_is_drawn(model: PixelCNN) -> None:
    known = torch.tensor([1, -1, -1, 0]).view(1, 1, 2, 2).expand(50, 1, 2, 2)
    drawn = sample_levels(model, torch.zeros(50, dtype=torch.long), known=known)
    assert (drawn[:, 0, 0, 0] == 1).all() and (drawn[:, 0, 1, 1] == 0).all()
    assert drawn[:, 0, 0, 1].unique().tolist() == [0, 1]
    assert (known[:, 0, 0, 1] == -1).all()  # what was given is not written to


@pytest.mark.parametrize("temperature", [1e-4, 1e-40, 1e-320])
def test_low_temperature_takes_the_likeliest_level(model: PixelCNN, temperature: float) -> None:
    drawn = sample_levels(model, torch.zeros(20, dtype=torch.long), temperature)
    assert len(drawn.unique(dim=0)) == 1


def test_bits_of_a_fair_coin() -> None:
    assert to_bits_per_dimension(torch.tensor([4 * math.log(0.5)]), 4).item() == pytest.approx(1)


def test_objective_is_bits_per_dimension(model: PixelCNN) -> None:
    images, labels = to_grey(EVERY_PICTURE, 2), torch.arange(16) % 3
    expected = to_bits_per_dimension(compute_log_likelihood(model, EVERY_PICTURE, labels), 4).mean()
    torch.testing.assert_close(Likelihood()(model, (images, labels))["loss"], expected, check_dtype=False)


def test_class_posterior_is_bayes_rule(model: PixelCNN) -> None:
    joint = torch.stack([compute_log_likelihood(model, EVERY_PICTURE, torch.full((16,), k)).exp() for k in range(3)], 1)
    torch.testing.assert_close(compute_class_posterior(model, EVERY_PICTURE), joint / joint.sum(1, keepdim=True))


@pytest.mark.parametrize("level_count", [2, 4, 16, 64, 256])
def test_levels_and_grey_are_inverse_and_reach_both_ends(level_count: int) -> None:
    levels = torch.arange(level_count).view(1, 1, 1, -1)
    grey = to_grey(levels, level_count)
    assert grey.min() == -1 and grey.max() == 1
    assert torch.equal(to_levels(grey, level_count), levels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 3, 2, 2), "grey floats"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "grey floats"),
        (torch.full((1, 1, 2, 2), 2.0), "lie in"),
        (torch.full((1, 1, 2, 2), math.nan), "NaN"),
    ],
)
def test_what_is_no_picture_is_refused(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_levels(images)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_temperature_is_above_zero(model: PixelCNN, temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature is above 0"):
        sample_levels(model, torch.tensor([0]), temperature=temperature)


@pytest.mark.parametrize("labels", [torch.tensor([3]), torch.tensor([-1]), torch.tensor([0.0]), torch.tensor(0)])
def test_unknown_class_is_refused(model: PixelCNN, labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"classes|labels"):
        sample_levels(model, labels)


@pytest.mark.parametrize(
    "levels",
    [torch.zeros(1, 1, 3, 3, dtype=torch.long), torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 2)],
)
def test_levels_the_model_cannot_read_are_refused(model: PixelCNN, levels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="levels"):
        compute_log_likelihood(model, levels, torch.tensor([0]))
