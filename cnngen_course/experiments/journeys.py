"""The shipped flow at work: its way from noise to a picture, and what its settings draw from the same noise."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import torch
from torch import Tensor

from cnngen_course.metrics import Estimate, compute_features, compute_label_consistency
from cnngen_course.models.denoiser import Denoiser
from cnngen_course.objectives.flow import follow, make_velocity, sample_images
from cnngen_course.pretrained import load_judge, load_pretrained
from cnngen_course.runtime import pick_precision

ANY = 10  # the label for "no class"


@cache
def load_denoiser() -> Denoiser:
    return load_pretrained("flow", Denoiser)


@lru_cache(maxsize=32)  # scrubbing moves along one journey
@torch.inference_mode()
def compute_journey(label: int, steps: int, guidance: float, seed: int) -> tuple[Tensor, Tensor]:
    """Follow one picture from noise to its end, and say at each moment what the network expects at the end.

    Returns the places and the expectations, both (steps + 1, 1, 28, 28): the expectation is where one would arrive by
    keeping the present velocity, x + (1 - t)·v.
    """
    noise = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    labels = torch.tensor([label])
    velocity = make_velocity(load_denoiser(), labels, 1.0 if label == ANY else guidance)
    places = torch.cat(list(follow(velocity, noise, steps)))
    velocities = places.diff(dim=0) * steps  # of Euler's steps: no need to ask the network again
    left = 1 - torch.arange(steps) / steps
    expected = places[:-1] + left.view(-1, 1, 1, 1) * velocities
    return places, torch.cat([expected, places[-1:]]).clamp(-1, 1)


def measure_settings(
    model: Denoiser, labels: Tensor, settings: Sequence[dict[str, Any]], seed: int = 0
) -> list[tuple[Tensor, Tensor, Estimate]]:
    """Draw the same noise with each of the settings of ``sample_images``; return images, features and consistency."""
    outcomes = []
    for choice in settings:
        random = torch.Generator().manual_seed(seed)
        images = sample_images(model, labels, generator=random, precision=pick_precision(), **choice)
        features = compute_features(load_judge(), images)
        outcomes.append((images, features, compute_label_consistency(load_judge(), images, labels, features)))
    return outcomes
