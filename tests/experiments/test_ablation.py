"""The stored ablation is whole, its claims hold in bands, and a tiny run of each way repeats."""

import json

import pytest
import torch

from cnngen_course.experiments import ablation, stored
from cnngen_course.experiments.ablation import KEPT, STEPS, WAYS, load_ablation, load_emoji, name_colours, run
from cnngen_course.images import to_images

every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_stored_trainings_are_whole(way: str) -> None:
    stored = load_ablation(way)
    assert (stored.way, stored.steps) == (way, STEPS)
    assert [entry["step"] for entry in stored.evaluations] == [200, 400, 600, 800]
    assert set(stored.evaluations[-1]) == {"step", "l1", "colourfulness", "frechet"}
    assert stored.pixels.shape == (32, 3, 64, 64) and stored.pixels.dtype == torch.uint8


def test_each_part_of_the_loss_does_what_it_is_for() -> None:
    final = {way: load_ablation(way).evaluations[-1] for way in WAYS}
    assert final["L1"]["l1"] < final["adversarial"]["l1"] and final["both"]["l1"] < final["adversarial"]["l1"]
    assert final["both"]["colourfulness"] > final["L1"]["colourfulness"]
    assert final["both"]["frechet"] < final["L1"]["frechet"]


@every_way
def test_stored_pictures_fit_the_stored_numbers(way: str) -> None:
    outlines, pictures = load_emoji("test")
    stored = load_ablation(way)
    error = (to_images(stored.pixels) - pictures[KEPT]).abs().mean().item()
    assert error == pytest.approx(stored.evaluations[-1]["l1"], rel=0.35)  # a fifth of the emoji stands for all
    assert torch.corrcoef(torch.stack([to_images(stored.pixels).mean(1).ravel(), outlines[KEPT].ravel()]))[0, 1] > 0.6


def test_a_tiny_run_repeats_and_survives_storing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "measure", lambda model: {"l1": 0.5})
    first, network = run("both", steps=2)
    again, _ = run("both", steps=2)
    assert torch.equal(first.pixels, again.pixels) and not network.training
    assert [entry["step"] for entry in first.evaluations] == [1, 2]
    encoded = stored.encode_record(first)
    monkeypatch.setattr(stored, "read_data", lambda *_: encoded)
    load_ablation.cache_clear()
    try:
        kept = load_ablation("both")
    finally:
        load_ablation.cache_clear()
    assert torch.equal(kept.pixels, first.pixels)
    assert json.dumps(kept.evaluations) == json.dumps(first.evaluations) and kept.seconds == first.seconds


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(ValueError, match="there are L1, adversarial, both"):
        load_ablation("L2")


def test_colours_are_named_by_share() -> None:
    images = torch.ones(1, 3, 10, 10)
    images[:, 1:, :, :4] = -1.0  # red
    images[:, :2, :2, 4:6] = -1.0  # blue
    shares = name_colours(images)
    assert next(iter(shares)) == "red" and shares["red"] == pytest.approx(0.4) and len(shares) == 2
    assert name_colours(torch.zeros(1, 3, 4, 4)) == {}
