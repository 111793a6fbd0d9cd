"""The colour sets: shapes, splits that do not leak, details that fit, and clear words for a wrong request."""

import pytest
import torch

from cnngen_course.galleries import (
    Gallery,
    find_picture,
    load_comics,
    load_earth,
    load_emoji_faces,
    load_emoji_pairs,
    load_head_colours,
    load_heads,
    load_paintings,
    load_people,
    name_head_colours,
)


def assert_tiles(gallery: Gallery, at_least: int) -> None:
    assert gallery.pixels.dtype == torch.uint8
    assert gallery.pixels.shape == (len(gallery), 3, 64, 64)
    assert len(gallery) == len(gallery.details) >= at_least
    assert gallery.pixels.float().flatten(1).std(dim=1).min() > 1, "an empty tile"


def test_emoji_pairs_are_aligned_and_split_by_base() -> None:
    outlines, colours = load_emoji_pairs("train")
    assert_tiles(outlines, 1300)
    assert_tiles(colours, 1300)
    assert outlines.details == colours.details
    inked = outlines.images.mean(dim=1) < -0.5  # black lines lie on the coloured picture, too
    assert (colours.images.mean(dim=1)[inked] < 0.2).float().mean() > 0.9
    test_bases = {facts["base"] for facts in load_emoji_pairs("test")[0].details}
    assert not test_bases & {facts["base"] for facts in outlines.details}


@pytest.mark.parametrize("kind", ["humans", "cats"])
def test_heads_have_attributes(kind: str) -> None:
    train, test = load_heads(kind, "train"), load_heads(kind, "test")
    assert_tiles(train, 800)
    assert_tiles(test, 200)
    labels, names = train.compute_labels("colour")
    assert len(labels) == len(train) and labels.max() == len(names) - 1 == 6
    blue = train.where(colour="blue")
    assert 0 < len(blue) < len(train)
    assert {facts["colour"] for facts in blue.details} == {"blue"}


def test_both_kinds_of_heads_have_the_same_colours() -> None:
    colours = load_head_colours()
    assert colours["yellow"] == (255, 219, 94)
    for kind in ("humans", "cats"):
        assert set(load_heads(kind, "test").compute_labels("colour")[1]) == set(colours)


def test_a_vendor_is_held_out_of_the_emoji_faces() -> None:
    train, held_out = load_emoji_faces("train"), load_emoji_faces("test_vendor")
    assert_tiles(train, 1000)
    vendors = {facts["vendor"] for facts in train.details}
    assert len(vendors) >= 6
    assert not vendors & {facts["vendor"] for facts in held_out.details}


def test_the_earth_is_split_by_region() -> None:
    train, test = load_earth("train"), load_earth("test")
    assert set(train) == {"elevation", "satellite", "lights"}
    for name in train:
        assert train[name].pixels.shape[1:] == (3, 64, 64)
        assert len(train[name]) > 500 and len(test[name]) > 200
    assert {facts["region"] for facts in test["satellite"].details} == {"Americas"}
    assert "Americas" not in {facts["region"] for facts in train["satellite"].details}


@pytest.mark.parametrize(("load", "count"), [(load_paintings, 10), (load_comics, 150), (load_people, 5)])
def test_files_come_with_their_credit(load, count: int) -> None:
    pictures = load()
    assert len(pictures) >= count
    for picture in pictures:
        assert picture.pixels.dtype == torch.uint8 and picture.pixels.shape[0] == 3
        assert picture.author and picture.licence and picture.author in picture.credit


def test_comics_are_split() -> None:
    assert not {p.name for p in load_comics("train")} & {p.name for p in load_comics("test")}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (lambda: load_heads("dogs", "train"), "humans, cats, got 'dogs'"),
        (lambda: load_heads("cats", "validation"), "test, train, got 'validation'"),
        (lambda: load_emoji_faces("all"), "test, test_vendor, train, got 'all'"),
        (lambda: load_earth("moon"), "got 'moon'"),
        (lambda: load_heads("cats", "test").where(hair="long"), "no detail named hair; there are: colour"),
    ],
)
def test_a_wrong_request_is_explained(request_, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request_()


def test_pictures_are_found_and_gaps_and_held_out_ones_told_apart() -> None:
    assert find_picture("partying face", "noto-v1") == (None, False)
    known, seen = find_picture("grinning face", "noto")
    assert known.shape == (3, 64, 64) and seen
    kept, seen = find_picture("nerd face", "noto")
    assert kept is not None and not seen


def test_paper_has_no_colour_and_a_thin_line_does_not_count() -> None:
    paper = torch.ones(2, 3, 64, 64)
    yellow = torch.tensor(load_head_colours()["yellow"]) / 127.5 - 1
    paper[1, :, :1, :20] = yellow[:, None, None]
    assert name_head_colours(paper) == [None, None]
    paper[1, :, :2] = yellow[:, None, None]
    assert name_head_colours(paper) == [None, "yellow"]


def test_a_shade_has_the_name_of_its_colour_and_another_colour_has_none() -> None:
    yellow = torch.tensor(load_head_colours()["yellow"]) / 127.5 - 1
    shades = torch.stack([yellow - distance / 127.5 / 3**0.5 for distance in (50, 90)])
    assert name_head_colours(shades.clamp(-1, 1)[:, :, None, None].expand(2, 3, 64, 64)) == ["yellow", None]
