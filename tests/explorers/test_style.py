"""Shares that add up, distances that say what they should, sizes, and answers to odd pictures."""

import io

import pytest
from PIL import Image

from cnngen_course.explorers import style
from tests.explorers.test_explorers import read


def test_the_shares_add_up_to_one() -> None:
    shares = style.compute_shares("comic", "ink", 0.25, 0.8)[0].tolist()
    names = ["as it is", *style.STYLES]
    assert sum(shares) == pytest.approx(1)
    assert [shares[names.index(name)] for name in ("as it is", "comic", "ink")] == pytest.approx([0.2, 0.6, 0.2])
    assert style.compute_shares("ink", "ink", 0.3, 1.0)[0, names.index("ink")] == pytest.approx(1)


def test_a_photograph_is_its_own_content() -> None:
    images = style.to_batch(style.load_picture("horses"), 96)
    content, after, before = style.compute_distances(images, images, style.load_style("ink"))
    assert content == pytest.approx(0, abs=1e-6) and after == pytest.approx(before)


def test_the_network_comes_nearer_to_every_style() -> None:
    images = style.to_batch(style.load_picture("Berlin"), 128)
    for name in style.STYLES:
        painted = style.paint(images, style.compute_shares(name, name, 0.0, 1.0))
        _, after, before = style.compute_distances(images, painted, style.load_style(name))
        assert painted.shape == images.shape and after < 0.8 * before, name


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (900, 30), (2000, 1500), (37, 41)])
def test_odd_sizes_are_brought_into_form(size: tuple[int, int]) -> None:
    picture = style.prepare(Image.new("RGB", size, "teal"))
    assert max(picture.size) <= style.LONGEST * min(picture.size) and min(picture.size) <= 384
    images = style.to_batch(picture, 96)
    assert min(images.shape[2:]) == 96
    assert style.paint(images, style.compute_shares("comic", "ink", 0.5, 1.0)).shape == images.shape


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
