"""Heads found by what they have, colours named, strokes painted, and a translation that can be slid and shaken."""

import pytest
import torch

from cnngen_course.explorers import animals
from cnngen_course.galleries import name_head_colours


@pytest.mark.parametrize("kind", ["humans", "cats"])
def test_the_colour_of_every_head_is_named(kind: str) -> None:
    heads = animals.load_held_out(kind)
    named = name_head_colours(heads.images)
    assert sum(name == facts["colour"] for name, facts in zip(named, heads.details, strict=True)) >= len(heads) - 2


@pytest.mark.parametrize("kind", ["humans", "cats"])
@pytest.mark.parametrize("glasses", [None, False, True])
@pytest.mark.parametrize("mouth_open", [None, False, True])
def test_found_heads_fit(kind: str, glasses: bool | None, mouth_open: bool | None) -> None:
    details = animals.load_held_out(kind).details
    for colour in animals.load_head_colours():
        found, exact = animals.find_heads(kind, colour, glasses, mouth_open)
        assert found
        for index in found:
            assert details[index]["colour"] == colour
            if exact:
                assert glasses in (None, details[index]["wears_glasses"])
                assert mouth_open in (None, details[index]["mouth_open"])


def test_a_wish_that_no_head_fulfils_is_dropped_and_said() -> None:
    found, exact = animals.find_heads("cats", "violet", True, False)
    assert not exact
    assert all(animals.load_held_out("cats").details[index]["wears_glasses"] for index in found)


def test_paint_covers_where_the_stroke_is() -> None:
    images = animals.load_head("humans", 0)
    assert torch.equal(animals.paint(images, ()), images)
    dab = {"colour": "#ffffff", "width": 0.2, "points": ((0.5, 0.5),)}
    painted = animals.paint(images, (dab,))
    assert (painted[..., 30:34, 30:34] == 1).all()
    assert torch.equal(painted[..., :20, :], images[..., :20, :])


@pytest.mark.parametrize("kind", ["humans", "cats"])
def test_strength_slides_from_the_head_to_its_translation(kind: str) -> None:
    images = animals.load_held_out(kind).images[:3]
    whole, _ = animals.translate(images, kind)
    assert torch.equal(animals.translate(images, kind, strength=0)[0], images)
    torch.testing.assert_close(animals.translate(images, kind, strength=0.5)[0], (images + whole) / 2)
    network = animals.load_network()
    with torch.no_grad():
        wanted = network.there(images) if kind == "humans" else network.back(images)
    torch.testing.assert_close(whole, wanted)


@torch.no_grad()
def test_drawings_are_drawn_again_as_often_as_asked_and_the_words_say_so() -> None:
    images, network = animals.load_held_out("humans").images[:2], animals.load_network()
    first, back = animals.translate(images, "humans", redraws=0)
    torch.testing.assert_close(first, network.there.decode(network.there.encode(images)))
    torch.testing.assert_close(back, network.back.decode(network.back.encode(first)))
    again, _ = animals.translate(images, "humans", redraws=1)
    torch.testing.assert_close(again, network.there.decode(network.there.encode(first)))
    for redraws, words in enumerate(("as first drawn", "drawn again once", "drawn again 2 times")):
        view = animals.draw_translation(images[:1], "humans", "A head", (1.0, 0.0, False, redraws))
        assert words in view.text


def test_noise_is_the_same_each_time_and_stays_in_range() -> None:
    images = animals.load_head("humans", 1)
    first, second = (animals.translate(images, "humans", noise=0.2) for _ in range(2))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert first[0].abs().max() <= 1
    moved = (first[0] - animals.translate(images, "humans")[0]).abs().mean().item()
    assert 0.03 < moved < 0.2


def test_a_blur_smooths_the_translation_and_changes_who_comes_back() -> None:
    images = animals.load_held_out("humans").images[:2]
    sharp, blurred = animals.translate(images, "humans"), animals.translate(images, "humans", blurred=True)
    torch.testing.assert_close(blurred[0][..., 20, 20], sharp[0][..., 19:22, 19:22].mean(dim=(2, 3)))
    assert blurred[0].shape == sharp[0].shape and not torch.equal(blurred[1], sharp[1])


def test_a_head_is_described() -> None:
    human, cats = animals.load_held_out("humans").details[0], animals.load_held_out("cats").details
    text = animals.describe_head("humans", 0)
    assert human["colour"] in text and f"{human['hair_length']} {human['hair_colour']} hair" in text
    bare = next(index for index, facts in enumerate(cats) if facts["accessory"] == "none")
    dressed = next(index for index, facts in enumerate(cats) if facts["accessory"] == "bell")
    assert "cat with no accessory" in animals.describe_head("cats", bare)
    assert "cat with bell" in animals.describe_head("cats", dressed)
