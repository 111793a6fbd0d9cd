"""What the classifier lesson's explorers compute, by numbers."""

import pytest
import torch
from PIL import Image

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers import classifier as explorer
from cnngen_course.models.classifier import Classifier


@pytest.fixture
def judge() -> Classifier:
    torch.manual_seed(0)
    return Classifier(widths=[32, 64, 96]).eval()


def test_a_look_holds_what_the_network_computes(judge: Classifier) -> None:
    images = torch.randn(1, 1, 28, 28).clamp(-1, 1)
    look = explorer.compute_look(judge, images)
    torch.testing.assert_close(look.chances, judge(images).softmax(dim=1)[0])
    torch.testing.assert_close(look.responses["features"].mean(dim=(1, 2)), judge.compute_features(images)[0])
    torch.testing.assert_close(look.responses["stage 2"], judge.body[:4](images)[0])


def test_the_channel_slider_knows_how_many_there_are(judge: Classifier) -> None:
    look = explorer.compute_look(judge, torch.zeros(1, 1, 28, 28))
    assert {name: len(response) for name, response in look.responses.items()} == explorer.CHANNELS
    assert [response.shape[1] for response in look.responses.values()] == [28, 28, 14, 7, 7]


def test_heat_runs_from_black_to_light() -> None:
    heat = explorer.colour(torch.tensor([[0.0, 0.5], [1.0, 9.0]]), 1.0)
    assert heat.shape == (3, 2, 2)
    brightness = heat.float().mean(dim=0)
    assert brightness[0, 0] < 5 < brightness[0, 1] < brightness[1, 0] == brightness[1, 1]
    assert explorer.colour(torch.zeros(2, 2), 0.0).max() < 5  # a silent channel divides by no zero


def test_an_upload_becomes_28_grey_pixels() -> None:
    own = explorer.make_grey(Image.new("RGB", (300, 100), (255, 255, 255)))
    pixels, known = explorer.pick_picture(explorer.OWN, 0, False, own)
    assert pixels.shape == (1, 28, 28) and pixels.min() > 250
    assert known == "your own picture"
    swapped, _ = explorer.pick_picture(explorer.OWN, 0, True, own)
    assert torch.equal(swapped, 255 - pixels)


def test_without_an_upload_a_test_picture_is_shown_and_said() -> None:
    pixels, known = explorer.pick_picture(explorer.OWN, 3, False, None)
    assert torch.equal(pixels, load_fashion_mnist("test").pixels[3])
    assert "choose a file" in known


def test_a_photograph_is_credited() -> None:
    pixels, known = explorer.pick_picture(explorer.PHOTO, 10_000, False, None)
    assert pixels.shape == (1, 28, 28)
    assert any(photo.author in known for photo in explorer.load_chosen_photos())


def test_pairs_are_found_and_ordered() -> None:
    chances = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3], [0.95, 0.05]])
    labels = torch.tensor([1, 1, 1, 0, 1])
    assert explorer.find_pairs(chances, labels, label=1, belief=0).tolist() == [4, 0, 2]
    assert explorer.find_pairs(chances, labels, 1, 0, sure_first=False).tolist() == [2, 0, 4]
    assert explorer.find_pairs(chances, labels, 0, 1).tolist() == []


def test_no_pair_is_drawn_too() -> None:
    empty = explorer.plot_pairs(torch.zeros(0, 1, 28, 28, dtype=torch.uint8), torch.zeros(0))
    one = explorer.plot_pairs(torch.full((1, 1, 28, 28), 99, dtype=torch.uint8), torch.tensor([0.5]))
    assert empty.size == one.size and empty.tobytes() != one.tobytes()


def test_the_mistake_explorer_counts_the_given_pictures() -> None:
    labels = load_fashion_mnist("test").labels[:300]
    chances = torch.eye(10)[labels] * 0.8 + 0.02
    panel = explorer.make_mistake_explorer(chances)
    assert "calls 0 T-shirt/top" in panel.describe()
    panel.controls["belief"].value = "Shirt"
    shirts = int((labels == 6).sum())
    assert f"Of {shirts} pictures labelled Shirt, the judge calls {shirts} Shirt (100.0%)" in panel.describe()


def test_a_silent_channel_is_said(judge: Classifier) -> None:
    look = explorer.compute_look(judge, torch.zeros(1, 1, 28, 28))
    look.responses["stage 1"] = torch.zeros(32, 28, 28)
    assert "Channel 4 of stage 1 (28 × 28 places) is silent everywhere." in explorer.describe_look(
        "a test", look, "stage 1", 4
    )
