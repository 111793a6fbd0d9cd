"""The arithmetic behind the explorer of the lesson on learning from labels, and what it says."""

import pytest
import torch

from cnngen_course.datasets import make_shapes
from cnngen_course.explorers import supervised
from cnngen_course.explorers.supervised import (
    choose_conditions,
    compute_directions,
    compute_sleeves,
    draw_supervised,
    find_alike,
    load_vae,
    mix_classes,
    plot_obedience,
    plot_pairs,
)
from cnngen_course.models.vae import compute_details
from cnngen_course.objectives.variational import sample_images

START = {
    "first": 6, "second": 3, "share": 0.0, "size": 0.55, "brightness": 0.6,
    "draw": 0, "knob_1": 0.0, "knob_2": 0.0, "knob_3": 0.0,
}  # fmt: skip


def test_sleeves_are_measured_where_they_hang() -> None:
    images = torch.full((3, 1, 28, 28), -1.0)
    images[1, :, :, 8:20] = 1  # a body
    images[2, :, 12:24, 22:] = 1  # one sleeve
    assert compute_sleeves(images).tolist() == pytest.approx([0, 0, 0.5])


def test_conditions_are_those_of_real_pictures() -> None:
    data = make_shapes(30)
    labels, details = choose_conditions(data, 50, seed=1)
    assert labels.shape == (50,) and details.shape == (50, 2)
    known = {
        (label, *pair)
        for label, pair in zip(data.labels.tolist(), map(tuple, compute_details(data.images).tolist()), strict=True)
    }
    assert {(label, *pair) for label, pair in zip(labels.tolist(), map(tuple, details.tolist()), strict=True)} <= known
    assert torch.equal(choose_conditions(data, 50, seed=1)[0], labels)


def test_alike_pictures_are_alike() -> None:
    data = make_shapes(200)
    size = compute_details(data.images[data.labels == 1])[:, 0].median().item()
    found = compute_details(find_alike(data, 1, size, 1.0, reach=0.1))
    assert 0 < len(found) < (data.labels == 1).sum()
    assert (found[:, 0] - size).abs().max() <= 0.1


@pytest.mark.parametrize(("first", "second", "share"), [(0, 9, 0.0), (0, 9, 0.25), (4, 4, 0.3), (3, 2, 1.0)])
def test_mixed_classes_sum_to_one(first: int, second: int, share: float) -> None:
    weights = mix_classes(first, second, share, count=2)
    assert weights.shape == (2, 10)
    assert weights.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert weights[0, second].item() == pytest.approx(1 if first == second else share)


def test_directions_are_unit_vectors_that_change_the_picture_most() -> None:
    model, details = load_vae(), torch.tensor([0.55, 0.6])
    directions = compute_directions(model, 6, details, samples=200)
    torch.testing.assert_close(directions @ directions.T, torch.eye(3), atol=1e-4, rtol=0)

    def compute_change(direction: torch.Tensor) -> float:
        ends = torch.stack([-direction, direction])
        low, high = sample_images(model, torch.tensor([6, 6]), details.expand(2, 2), ends)
        return (high - low).square().sum().item()

    random = torch.nn.functional.normalize(torch.randn(20, model.latent_size), dim=1)
    assert compute_change(directions[0]) > 1.5 * sum(compute_change(direction) for direction in random) / 20


def test_the_words_say_what_was_asked_and_what_was_measured() -> None:
    text = draw_supervised(**START).text
    assert "Asked for: Shirt, size 0.55, brightness 0.60, from the middle" in text
    assert "Measured in the picture: size 0." in text and "Hardly" not in text
    assert "Hardly a real Sandal" in draw_supervised(**START | {"first": 5, "size": 0.9}).text
    assert "50% Shirt and 50% Dress" in draw_supervised(**START | {"share": 0.5}).text


def test_the_answer_obeys() -> None:
    def measure(**changed: float) -> torch.Tensor:
        asked = {key: value for key, value in (START | changed).items() if not key.startswith("knob")}
        return compute_details(supervised.draw_one(**asked, knobs=(0.0, 0.0, 0.0)))[0]

    assert measure(size=0.7)[0] > measure(size=0.45)[0] + 0.1
    assert measure(brightness=0.8)[1] > measure(brightness=0.3)[1] + 0.2


def test_the_plots_say_what_they_show() -> None:
    data = make_shapes(5)
    titles = [place.get_title() for place in plot_pairs(data, [0, 2]).axes]
    assert len(titles) == 2 and all("size" in title for title in titles)
    asked = torch.rand(40, 2)
    figure = plot_obedience(asked, asked * torch.tensor([1.0, -1.0]), ["size", "brightness"])
    assert [place.get_title() for place in figure.axes] == ["correlation 1.00", "correlation -1.00"]
