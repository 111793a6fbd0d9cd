"""The first explorer's numbers: a walk begins and ends where it says, and repeats with its seed."""

import torch

from cnngen_course.explorers.start_here import STOPS, compute_class_latents, compute_walk, plot_walk, sample_latents
from cnngen_course.pretrained import load_pretrained


def test_a_walk_begins_at_one_class_and_ends_at_the_other() -> None:
    walk = compute_walk(7, 8, variety=0.0, seed=0)
    assert walk.shape == (STOPS, 1, 28, 28) and walk.abs().max() <= 1
    means, _, names = compute_class_latents()
    with torch.inference_mode():
        ends = load_pretrained("autoencoder").decoder(means[[7, 8]])
    torch.testing.assert_close(walk[[0, -1]], ends, rtol=1e-4, atol=1e-4)
    assert (names[7], names[8]) == ("Sneaker", "Bag")


def test_the_seed_repeats_and_variety_spreads() -> None:
    torch.testing.assert_close(sample_latents(3, 5, 1.0, seed=2), sample_latents(3, 5, 1.0, seed=2))
    assert sample_latents(3, 200, 1.0, 0).std(dim=0).mean() > 3 * sample_latents(3, 200, 0.2, 0).std(dim=0).mean()


def test_the_judge_recognises_what_the_walk_starts_from() -> None:
    """Typical pieces of at least six of the ten classes are recognised for what they are."""
    with torch.inference_mode():
        typical = torch.cat([compute_walk(label, label, 0.0, 0, stops=1) for label in range(10)])
        named = load_pretrained("judge")(typical).argmax(dim=1)
    assert (named == torch.arange(10)).sum() >= 6


def test_the_frame_follows_the_place() -> None:
    images = compute_walk(0, 1, 0.0, 0)
    first, last = plot_walk(images, 0), plot_walk(images, STOPS - 1)
    assert first.size == last.size
    assert first.tobytes() != last.tobytes()
