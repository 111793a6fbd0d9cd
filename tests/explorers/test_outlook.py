"""A journey begins at its noise and ends at the sampler's picture; what the explorers say is what they show."""

import pytest
import torch

from cnngen_course.experiments.journeys import ANY, compute_journey, load_denoiser, measure_settings
from cnngen_course.explorers.outlook import (
    SHOWN,
    count_calls,
    draw_guidance,
    draw_journey,
    make_journey_explorer,
    measure_diversity,
)
from cnngen_course.objectives.flow import follow


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
