"""A journey begins at its noise and ends at the sampler's picture; more guidance is more often right."""

import torch

from cnngen_course.experiments.journeys import compute_journey, load_denoiser
from cnngen_course.objectives.flow import sample_images


def test_a_journey_ends_where_the_sampler_does() -> None:
    places, expected = compute_journey(label=9, steps=5, guidance=2.0, seed=3)
    random = torch.Generator().manual_seed(3)
    drawn = sample_images(load_denoiser(), torch.tensor([9]), steps=5, guidance=2.0, generator=random)
    assert places.shape == expected.shape == (6, 1, 28, 28)
    torch.testing.assert_close(places[-1:].clamp(-1, 1), drawn, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(places[0], torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(3))[0])


def test_what_is_expected_is_where_the_present_velocity_leads() -> None:
    places, expected = compute_journey(label=9, steps=5, guidance=1.0, seed=3)
    with torch.no_grad():
        velocity = load_denoiser()(places[2:3], torch.tensor([0.4]), torch.tensor([9]))
    torch.testing.assert_close(expected[2:3], (places[2:3] + 0.6 * velocity).clamp(-1, 1), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(expected[-1], places[-1].clamp(-1, 1))


def test_it_starts_by_expecting_the_mean() -> None:
    """Three noises, one blurred expectation; at the end three pictures."""
    ways = [compute_journey(label=9, steps=10, guidance=1.0, seed=seed)[1] for seed in (1, 2, 3)]
    forms = [torch.nn.functional.avg_pool2d(way, 4) for way in ways]  # without the grain of single pixels
    spread = torch.stack(forms).std(dim=0).mean(dim=(1, 2, 3))
    assert spread[0] < 0.5 * spread[-1]
