"""The numbers behind the explorer of the lesson on quality."""

import numpy as np
import pytest
import torch
from PIL import ImageColor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.quality import (
    NEIGHBOURS,
    STEPS,
    STOPS,
    compose,
    compute_usual_distance,
    compute_walk,
    draw_quality,
    draw_walk,
    find_neighbours,
    load_generator,
    load_judge,
    load_references,
)
from cnngen_course.figures import RED
from cnngen_course.objectives.adversarial import sample_latents


def test_a_walk_is_round_and_keeps_its_length() -> None:
    places = torch.arange(8) / 8
    walk = compute_walk(places, None, seed=3, size=2000)
    ends = sample_latents(2, 2000, None, torch.Generator().manual_seed(3))
    torch.testing.assert_close(walk[0], ends[0])
    torch.testing.assert_close(walk[2], ends[1], rtol=0, atol=1e-4)  # a quarter of the way: the second vector
    torch.testing.assert_close(walk[4], -ends[0], rtol=0, atol=1e-4)
    assert torch.all((walk.std(dim=1) - 1).abs() < 0.1)


def test_truncation_bounds_the_two_vectors_of_a_walk() -> None:
    assert compute_walk(torch.tensor([0.0, 0.25]), 0.5, seed=1).abs().max() <= 0.5 + 1e-4


@torch.inference_mode()
def test_an_unmixed_walk_draws_its_class() -> None:
    places = torch.arange(20) / 20
    for label in (1, 5, 8):
        images, latents = draw_walk(label, 3, 0.0, 1.0, 0, places)
        assert images.shape == (20, 1, 28, 28) and latents.shape == (20, 64)
        torch.testing.assert_close(images, load_generator()(latents, torch.full((20,), label)), rtol=1e-4, atol=1e-4)
        named = load_judge()(images).argmax(dim=1)
        assert (named == label).float().mean() > 0.7


def test_a_training_picture_is_its_own_neighbour() -> None:
    train = load_fashion_mnist("train")
    bag = train.images[train.labels == 8][5:6]
    neighbours, distances = find_neighbours(bag, 8, 1)
    assert neighbours.shape == (NEIGHBOURS, 1, 28, 28)
    assert distances[0] < 0.05 and torch.all(distances.diff() >= 0)  # rounded: not exactly 0
    wanted = torch.cdist(bag.flatten(1), load_references(8, 1))[0].sort().values[1:NEIGHBOURS]
    torch.testing.assert_close(distances[1:], wanted)
    torch.testing.assert_close(neighbours[0], bag[0])
    assert len(load_references(8, 1)) == 12_000 and len(load_references(8, 8)) == 6_000


def test_copies_would_be_nearer_than_what_is_drawn() -> None:
    images, _ = draw_walk(8, 8, 0.0, None, 0, torch.arange(10) / 10)
    nearest = torch.stack([find_neighbours(image[None], 8, 8)[1][0] for image in images])
    assert nearest.min() > 1  # a copy has 0
    assert nearest.median() == pytest.approx(compute_usual_distance(8, 8), rel=0.5)


def test_the_words_follow_the_controls() -> None:
    view = draw_quality(7, 7, 0.5, 1.5, 0, 8, nearest=False)
    assert "Asked for: Sneaker, at step 0" in view.text and "training pictures" not in view.text
    view = draw_quality(7, 9, 0.3, 1.5, 12, 8, nearest=True)
    assert "70% Sneaker and 30% Ankle boot" in view.text and "The nearest of 12,000 training pictures" in view.text


def test_the_frame_follows_the_walk() -> None:
    """Ten pictures stand for forty steps: the frame moves by one picture every four steps."""
    image, lefts = torch.zeros(1, 1, 28, 28), []
    for step in (0, 3, 4, STEPS - 1):
        picture = torch.tensor(np.array(compose(image, image.expand(STOPS, -1, -1, -1), step, None)))
        red = torch.tensor(ImageColor.getrgb(RED))
        lefts.append((picture == red).all(dim=2).nonzero()[:, 1].min().item())
    assert lefts[0] == lefts[1] < lefts[2]
    assert lefts[3] - lefts[0] == (STOPS - 1) * (lefts[2] - lefts[0])
