"""Distances that say what they should, and answers to odd pictures."""

import io

import pytest
from PIL import Image

from cnngen_course.experiments.painting import load_picture, load_style, to_batch
from cnngen_course.explorers import style
from cnngen_course.models.stylist import compute_shares
from tests.explorers.test_explorers import read


def test_a_photograph_is_its_own_content() -> None:
    images = to_batch(load_picture("horses"), 96)
    content, after, before = style.compute_distances(images, images, load_style("ink"))
    assert content == pytest.approx(0, abs=1e-6) and after == pytest.approx(before)


def test_the_network_comes_nearer_to_every_style() -> None:
    images = to_batch(load_picture("Berlin"), 128)
    for name in style.STYLES:
        painted = style.paint(images, compute_shares(name, name, 0.0, 1.0))
        _, after, before = style.compute_distances(images, painted, load_style(name))
        assert painted.shape == images.shape and after < 0.8 * before, name


def test_a_mixture_is_named() -> None:
    assert style.name_mixture("comic", "ink", 0.0) == style.name_mixture("comic", "comic", 0.4) == '"comic"'
    assert style.name_mixture("comic", "ink", 1.0) == '"ink"'
    assert style.name_mixture("comic", "ink", 0.25) == '"comic" with 25% of "ink"'


def test_what_takes_long_says_so() -> None:
    panel = style.make_style_explorer()
    values = panel.values()
    assert not panel.slow(**values)
    assert panel.slow(**values | {"quality": "best"}) and panel.slow(**values | {"way": style.WAYS[1]})


def save(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_hostile_uploads_get_a_sentence_and_an_animation_its_first_frame() -> None:
    panel = style.make_style_explorer()
    before = read(panel)
    whole = save(Image.linear_gradient("L"), "PNG")
    hostile = {
        b"": "not a picture",
        b"%PDF-1.7 something else": "not a picture",
        whole[:200]: "cut off or damaged",
        save(Image.new("1", (9000, 9000)), "PNG"): "at most 50,000,000",
        b"\x00" * 30_000_001: "MB",
    }
    for content, sentence in hostile.items():
        panel.controls["upload"].take(content)
        assert sentence in panel.describe() and read(panel) == before
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("teal", "red")]
    panel.controls["upload"].take(save(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert "240 × 160 pixels" in panel.describe() and read(panel) != before
