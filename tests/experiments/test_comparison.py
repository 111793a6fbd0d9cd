"""The stored comparison is whole and fair, its claims hold in bands, and a tiny run of each contestant repeats."""

import json

import pytest
import torch

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments import comparison, stored
from cnngen_course.experiments.comparison import (
    CONTESTANTS,
    EVERYONE,
    KEPT,
    SEEDS,
    choose_details,
    collect,
    load_outcome,
    run,
)
from cnngen_course.images import to_images
from cnngen_course.metrics import compute_label_consistency
from cnngen_course.models.vae import compute_details
from cnngen_course.paths import DATA
from cnngen_course.pretrained import load_pretrained

every_contestant = pytest.mark.parametrize("name", EVERYONE)
MEASURES = {
    "frechet",
    "kernel_distance",
    "precision",
    "recall",
    "label_consistency",
    "diversity",
    "sharpness",
    "sampling_seconds",
}


@every_contestant
def test_stored_outcomes_are_whole(name: str) -> None:
    for seed in SEEDS:
        outcome = load_outcome(name, seed)
        assert (outcome.contestant, outcome.seed, outcome.steps) == (name, seed, EVERYONE[name].steps)
        assert outcome.pixels.shape == (KEPT, 1, 28, 28) and outcome.pixels.dtype == torch.uint8
        assert set(outcome.metrics) - {"bits_per_dimension"} == MEASURES
        assert ("bits_per_dimension" in outcome.metrics) == (name == "pixelcnn")
        assert 20 <= len(outcome.losses) <= comparison.POINTS
        assert torch.tensor(outcome.losses).isfinite().all()


def test_the_comparison_is_fair() -> None:
    """The same time within a fifth, and as many weights that draw within a tenth."""
    seconds = [load_outcome(name, seed).seconds for name in EVERYONE for seed in SEEDS]
    assert max(seconds) < 1.3 * min(seconds)
    weights = [contestant.count_drawing(contestant.build()) for contestant in EVERYONE.values()]
    assert max(weights) < 1.1 * min(weights)
    assert [load_outcome(name).weights for name in EVERYONE] == weights


def test_seeds_differ() -> None:
    for name in EVERYONE:
        assert not torch.equal(load_outcome(name, 0).pixels, load_outcome(name, 1).pixels)


@pytest.mark.parametrize("name", ["pixel", "vae", "gan", "flow"])
def test_the_stored_numbers_come_from_such_pictures(name: str) -> None:
    """The kept pictures, measured again, agree with the stored numbers as far as 100 pictures can tell."""
    outcome = load_outcome(name, 0)
    labels = torch.arange(10).repeat(KEPT // 10)
    judge = load_pretrained("judge")
    images = to_images(outcome.pixels)
    named = compute_label_consistency(judge, images, labels)
    assert named.low - 0.05 < outcome.metrics["label_consistency"] < named.high + 0.05


@pytest.mark.slow
@every_contestant
def test_a_tiny_run_repeats(name: str) -> None:
    """Two runs of one seed are equal but for their seconds; that is what makes a comparison worth anything."""
    first, second = (run(name, seed=3, steps=2, measured=100, kept=10) for _ in range(2))
    torch.testing.assert_close(first.pixels, second.pixels, rtol=0, atol=0)
    timed = {"sampling_seconds"}
    assert {k: v for k, v in first.metrics.items() if k not in timed} == {
        k: v for k, v in second.metrics.items() if k not in timed
    }
    assert first.losses == second.losses and len(first.losses) == 2


def test_details_are_those_of_the_wanted_class() -> None:
    labels = torch.tensor([5, 1, 5])
    details = choose_details(labels, torch.Generator().manual_seed(0))
    train = load_fashion_mnist("train")
    for label, wanted in zip(labels.tolist(), details, strict=True):
        own = compute_details(train.images[train.labels == label])
        assert (own - wanted).abs().sum(dim=1).min() < 1e-6
    torch.testing.assert_close(details, choose_details(labels, torch.Generator().manual_seed(0)))


def test_an_outcome_survives_its_file(tmp_path, monkeypatch) -> None:
    outcome = run("gan", seed=4, steps=1, measured=100, kept=10)
    monkeypatch.setattr(stored, "read_data", lambda *names: stored.encode_record(outcome))
    comparison.load_outcome.cache_clear()
    again = comparison.load_outcome("gan", 0)
    comparison.load_outcome.cache_clear()
    assert torch.equal(again.pixels, outcome.pixels) and again.metrics == outcome.metrics


def test_unknown_contestants_and_seeds_are_named() -> None:
    with pytest.raises(ValueError, match="pixelcnn, gan, flow"):
        load_outcome("diffusion")
    with pytest.raises(ValueError, match="seeds"):
        load_outcome("gan", 9)


def test_the_set_is_small_and_in_the_ledger() -> None:
    files = json.loads((DATA / "ledger.json").read_text(encoding="utf-8"))["comparison"]["files"]
    assert {f"{name}_{seed}.npz" for name in EVERYONE for seed in SEEDS} <= set(files)
    assert sum(file["bytes"] for file in files.values()) < 800_000


def test_collect_gives_one_value_a_seed() -> None:
    assert {len(values) for values in collect("frechet").values()} == {len(SEEDS)}
    assert list(collect("bits_per_dimension")) == ["pixelcnn"]
    assert list(collect("recall")) == list(CONTESTANTS) and list(collect("recall", EVERYONE)) == list(EVERYONE)


def test_short_runs_forget_their_start() -> None:
    for steps in (1, 10, 100, 1000):
        assert comparison.pick_average(steps, 0.99) ** steps < 0.01
    assert comparison.pick_average(1130, 0.995) == 0.995
