"""A journey begins at its noise and ends at the sampler's picture; what the explorers say is what they show."""

import pytest
import torch

from cnngen_course.explorers.outlook import (
    ANY,
    SHOWN,
    compute_journey,
    count_calls,
    draw_guidance,
    draw_journey,
    load_denoiser,
    make_journey_explorer,
    measure_diversity,
    measure_settings,
    plot_clouds,
    plot_tradeoff,
    plot_ways,
)
from cnngen_course.metrics import compute_share
from cnngen_course.objectives.flow import follow, sample_images


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


def test_the_journey_is_told() -> None:
    start, end = (draw_journey(moment, label=1, steps=10, seed=2).text for moment in (0, 100))
    assert "After step 0 of 10, 100% of the way is" in start and "After step 10 of 10, 0% of the way" in end
    assert "Trouser" in end and "which is what was asked for" in end
    assert "Asked for: any class" in draw_journey(50, ANY, steps=5, seed=2).text


def test_scrubbing_asks_the_network_no_more() -> None:
    panel = make_journey_explorer()
    before = compute_journey.cache_info().misses
    for moment in (0, 25, 100):
        panel.controls["moment"].value = moment
    assert compute_journey.cache_info().misses == before


@pytest.mark.parametrize(
    ("steps", "guidance", "sampler", "calls"),
    [(10, 1.0, "euler", 10), (10, 2.0, "euler", 20), (5, 2.0, "heun", 18), (5, 1.0, "midpoint", 10)],
)
def test_calls_are_counted(steps: int, guidance: float, sampler: str, calls: int) -> None:
    assert count_calls(steps, guidance, sampler) == calls
    asked = []

    def velocity(x: torch.Tensor, time: float) -> torch.Tensor:
        asked.append(time)
        return x

    list(follow(velocity, torch.ones(1), steps, sampler))
    assert len(asked) * (1 if guidance == 1 else 2) == calls and max(asked) < 1


def test_the_cost_and_the_judge_are_told() -> None:
    text = draw_guidance(label=1, steps=10, guidance=3.0, sampler="euler", seed=1).text
    assert "20 calls of the network" in text and "class Trouser" in text
    right = int(text.split("The judge takes ")[1].split()[0])
    assert SHOWN - 2 <= right <= SHOWN


def test_more_guidance_is_more_often_right_and_less_varied() -> None:
    labels = torch.arange(10).repeat(6)
    outcomes = measure_settings(load_denoiser(), labels, [{"steps": 5, "guidance": g} for g in (0.0, 1.0, 4.0)])
    shares = [share.value for _, _, share in outcomes]
    assert shares[0] < 0.4 < shares[1] <= shares[2]
    alike = [measure_diversity(images[labels == 8], 8) for images, _, _ in outcomes]
    assert alike[2] < alike[1]


def test_plots_show_what_they_are_given() -> None:
    clouds = plot_clouds({"first": torch.zeros(5, 2), "second": torch.ones(7, 2)})
    assert [place.get_title() for place in clouds.axes] == ["first", "second"]
    assert [len(place.collections[0].get_offsets()) for place in clouds.axes] == [5, 7]
    ways = plot_ways({"ways": torch.randn(4, 6, 2)})
    assert len(ways.axes[0].lines) == 6 + 2
    shares = [compute_share(right, 10) for right in (1, 9)]
    lines = plot_tradeoff((0.0, 2.0), shares, (1.0, 0.8)).axes[0].lines
    assert any(list(line.get_ydata()) == [1.0, 0.8] for line in lines)
