"""The arithmetic behind the explorer of the lesson on learning from labels, and what it says."""

import torch

from cnngen_course.explorers import supervised
from cnngen_course.explorers.supervised import compute_directions, draw_supervised, load_vae
from cnngen_course.models.vae import compute_details
from cnngen_course.objectives.variational import sample_images

START = {
    "first": 6, "second": 3, "share": 0.0, "size": 0.55, "brightness": 0.6,
    "draw": 0, "knob_1": 0.0, "knob_2": 0.0, "knob_3": 0.0,
}  # fmt: skip


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
