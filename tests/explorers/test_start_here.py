"""The first explorer's numbers: a walk begins and ends where it says, and repeats with its seed."""

import numpy as np
import torch

from cnngen_course.explorers.start_here import STOPS, compute_walk, load_class_names, plot_walk, sample_latents
from cnngen_course.objectives.adversarial import sample_images
from cnngen_course.pretrained import load_pretrained


def test_a_walk_begins_at_one_class_and_ends_at_the_other() -> None:
    walk = compute_walk(7, 8, variety=0.0, seed=0)
    assert walk.shape == (STOPS, 1, 28, 28) and walk.abs().max() <= 1
    with torch.inference_mode():
        ends = load_pretrained("generator")(torch.zeros(2, 64), torch.tensor([7, 8]))
    torch.testing.assert_close(walk[[0, -1]], ends, rtol=1e-4, atol=1e-4)
    assert (load_class_names()[7], load_class_names()[8]) == ("Sneaker", "Bag")


def test_the_ends_of_a_walk_are_what_the_generator_draws() -> None:
    """At a variety of 1 both ends are ordinary samples of their class."""
    wanted = sample_images(
        load_pretrained("generator"), torch.tensor([3, 5]), generator=torch.Generator().manual_seed(4)
    )
    torch.testing.assert_close(compute_walk(3, 5, 1.0, seed=4)[[0, -1]], wanted, rtol=1e-4, atol=1e-4)


def test_the_seed_repeats_and_variety_spreads() -> None:
    torch.testing.assert_close(sample_latents(5, 1.0, seed=2), sample_latents(5, 1.0, seed=2))
    torch.testing.assert_close(sample_latents(5, 2.0, seed=2), 4 * sample_latents(5, 0.5, seed=2))
    assert compute_walk(3, 3, 1.5, seed=0).std(dim=0).mean() > compute_walk(3, 3, 0.3, seed=0).std(dim=0).mean()


def test_the_judge_recognises_what_the_walk_starts_from() -> None:
    """Typical pieces of at least nine of the ten classes are recognised for what they are."""
    with torch.inference_mode():
        typical = torch.cat([compute_walk(label, label, 0.0, 0, stops=1) for label in range(10)])
        named = load_pretrained("judge")(typical).argmax(dim=1)
    assert (named == torch.arange(10)).sum() >= 9


def test_the_frame_follows_the_place() -> None:
    images = compute_walk(0, 0, 0.0, 0)  # the same picture everywhere: only the frame can move
    pictures = [torch.tensor(np.array(plot_walk(images, place))) for place in (0, 1, STOPS - 1)]
    framed = [(picture == torch.tensor([0xD5, 0x5E, 0x00])).all(dim=2).nonzero()[:, 1] for picture in pictures]
    lefts = [columns.min().item() for columns in framed]
    assert lefts[0] < lefts[1] and lefts[2] - lefts[0] == (STOPS - 1) * (lefts[1] - lefts[0])
    assert all(columns.max() - columns.min() < 70 for columns in framed)
