"""The denoiser: shapes, what time and class do to it, and what it says before it has learnt anything."""

import pytest
import torch

from cnngen_course.models.denoiser import Denoiser, DenoiserBlock, PointDenoiser, TimeFeatures

LABELS = torch.tensor([0, 1, 2, 3])
TIMES = torch.tensor([0.0, 0.3, 0.6, 1.0])


def make_model(**settings: int) -> Denoiser:
    """Return a small denoiser that has learnt something, so that every part of it matters."""
    torch.manual_seed(0)
    model = Denoiser(**{"width": 8, "depth": 1, "class_count": 3} | settings)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_velocities_have_the_shape_of_the_pictures(channels: int) -> None:
    model = make_model(channels=channels)
    images = torch.randn(4, channels, 28, 28)
    assert model(images, TIMES, LABELS).shape == images.shape
    assert model(images, TIMES).shape == images.shape
    assert model(torch.randn(4, channels, 16, 24), TIMES).shape == (4, channels, 16, 24)


def test_it_begins_by_standing_still() -> None:
    assert Denoiser(width=8)(torch.randn(2, 1, 28, 28), torch.rand(2), torch.tensor([0, 9])).abs().max() < 0.5
    block = DenoiserBlock(8, 8, 4)
    x = torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(block(x, torch.randn(2, 4)), block(x, torch.randn(2, 4)))  # deaf to its setting


def test_time_and_class_matter() -> None:
    model, image = make_model(), torch.randn(1, 1, 28, 28).expand(4, -1, -1, -1)
    by_time = model(image, TIMES, torch.zeros(4, dtype=torch.long))
    by_class = model(image, torch.full((4,), 0.5), LABELS)
    for answers in (by_time, by_class):
        assert min((answers[i] - answers[j]).abs().max().item() for i in range(4) for j in range(i)) > 1e-3


def test_no_label_is_the_last_label() -> None:
    model, images = make_model(), torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(model(images, TIMES), model(images, TIMES, torch.full((4,), 3)))


def test_each_time_needs_a_label() -> None:
    with pytest.raises(ValueError, match="one label"):
        make_model()(torch.randn(4, 1, 28, 28), TIMES, LABELS[:2])


def test_time_features_tell_times_apart_and_stay_small() -> None:
    features = TimeFeatures(32)(torch.linspace(0, 1, 101))
    assert features.shape == (101, 32) and features.abs().max() <= 1
    distances = torch.cdist(features, features) + 10 * torch.eye(101)
    assert distances.min() > 0.3
    torch.testing.assert_close(features[0], torch.tensor([1.0] * 16 + [0.0] * 16))


def test_every_weight_learns() -> None:
    model = make_model()
    model(torch.randn(4, 1, 28, 28), TIMES, LABELS).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_points() -> None:
    model = PointDenoiser(width=8, class_count=2)
    said = model(torch.randn(4, 2), TIMES, torch.tensor([0, 1, 2, 0]))
    assert said.shape == (4, 2)
    assert model(torch.randn(4, 2), TIMES).shape == (4, 2)


def test_the_shipped_size_is_small() -> None:
    assert 2 * sum(parameter.numel() for parameter in Denoiser().parameters()) < 2_000_000  # bytes in 16 bits
