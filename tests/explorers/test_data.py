"""The numbers behind the preparation pipeline and the eigen-image mixer."""

import pytest
import torch
from torch import Tensor

from cnngen_course.explorers import data as explorer
from cnngen_course.images import to_images


def make_wide() -> Tensor:
    """Return a picture (3, 40, 80) that is black, white and black again, from left to right."""
    pixels = torch.zeros(3, 40, 80, dtype=torch.uint8)
    pixels[..., 20:60] = 255
    return pixels


def test_cutting_keeps_the_centre() -> None:
    assert (explorer.make_square(make_wide(), "cut out the centre square") == 255).all()
    upright = make_wide().transpose(1, 2)
    assert (explorer.make_square(upright, "cut out the centre square") == 255).all()


def test_bars_keep_all_of_the_picture() -> None:
    square = explorer.make_square(make_wide(), "add black bars")
    assert square.shape == (3, 80, 80)
    assert torch.equal(square[:, 20:60], make_wide())
    assert (square[:, :20] == 0).all() and (square[:, 60:] == 0).all()


def test_squeezing_changes_proportions() -> None:
    preparation = explorer.compute_preparation(make_wide(), "squeeze", 40, "nearest pixel")
    assert preparation.prepared.shape == (3, 40, 40)
    assert (preparation.prepared[0] == 255).sum() == 20 * 40


@pytest.mark.parametrize(
    ("resize", "grey"),
    [("nearest pixel", 255), ("bilinear", 0), ("bilinear, anti-aliased", 127), ("bicubic, anti-aliased", 127)],
)
def test_only_a_filter_averages_fine_stripes(resize: str, grey: int) -> None:
    """Stripes of one pixel, shrunk to a quarter: without a filter only the columns that are hit count."""
    pixels = torch.zeros(3, 64, 64, dtype=torch.uint8)
    pixels[..., ::4], pixels[..., 3::4] = 255, 255  # of four columns the first and last are white
    prepared = explorer.compute_preparation(pixels, size=16, resize=resize).prepared
    inside = prepared[0, 4:12, 4:12].float()
    assert inside.mean().item() == pytest.approx(grey, abs=12)


def test_grey_has_one_channel() -> None:
    preparation = explorer.compute_preparation(make_wide(), grey=True)
    assert preparation.prepared.shape == (1, 64, 64) and preparation.values.shape == (1, 1, 64, 64)


def test_ranges() -> None:
    images = to_images(torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16))
    shown = {name: explorer.change_range(images, name) for name in explorer.RANGES}
    assert (shown["0 to 1"].min(), shown["0 to 1"].max()) == (0, 1)
    assert torch.equal(shown["−1 to 1"], images)
    white = shown["mean 0, deviation 1"]
    assert white.mean().item() == pytest.approx(0, abs=1e-6)
    assert white.std(unbiased=False).item() == pytest.approx(1, abs=1e-5)


def test_a_plain_picture_is_not_blown_up() -> None:
    assert (explorer.change_range(torch.zeros(1, 3, 4, 4), "mean 0, deviation 1") == 0).all()


@pytest.mark.parametrize("augmentation", [name for name in explorer.AUGMENTATIONS if name != "none"])
def test_the_same_number_draws_the_same(augmentation: str) -> None:
    pixels = explorer.load_photo("animal_kingfisher").pixels
    before = torch.random.get_rng_state()
    first, again = (explorer.compute_preparation(pixels, augmentation=augmentation, number=4) for _ in range(2))
    drawn = {
        explorer.compute_preparation(pixels, augmentation=augmentation, number=n).images.numpy().tobytes()
        for n in range(8)
    }
    assert torch.equal(first.images, again.images)
    assert len(drawn) > 1
    assert first.images.abs().max() <= 1.001
    assert torch.equal(torch.random.get_rng_state(), before), "the learner's own random numbers are left alone"


@pytest.mark.parametrize("grey", [True, False])
@pytest.mark.parametrize("augmentation", explorer.AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 5, 400), (3, 17, 16)])
def test_odd_pictures_work(shape: tuple[int, ...], augmentation: str, grey: bool) -> None:
    pixels = torch.zeros(shape, dtype=torch.uint8)
    for way in explorer.SHAPES:
        preparation = explorer.compute_preparation(pixels, way, 16, grey=grey, augmentation=augmentation)
        assert torch.isfinite(preparation.values).all() and preparation.values.shape[2:] == (16, 16)
        words = explorer.describe_preparation(preparation, way, "bilinear", augmentation)
        assert f"{shape[2]} × {shape[1]} pixels" in words


def test_all_components_of_the_start_give_almost_the_start() -> None:
    images, mix = explorer.compute_mix("Dress", "a real picture", 3, explorer.MOST, [0.0] * 8)
    few = explorer.compute_mix("Dress", "a real picture", 3, 5, [0.0] * 8)[1]
    assert torch.equal(images, explorer.load_class("Dress").select(slice(3, 4)).images)
    assert (mix - images).square().mean() < 0.2 * (few - images).square().mean()


def test_no_component_gives_the_mean() -> None:
    mean = explorer.load_components("Bag").mean
    for start in explorer.STARTS:
        _, mix = explorer.compute_mix("Bag", start, 1, 0, [0.0] * 8)
        torch.testing.assert_close(mix[0], mean)


def test_a_slider_adds_its_eigenimage() -> None:
    pca = explorer.load_components("Bag")
    _, mix = explorer.compute_mix("Bag", "the mean picture", 1, 30, [0.0, -2.0] + [0.0] * 6)
    wanted = pca.mean.flatten() - 2 * pca.deviations[1] * pca.directions[:, 1]
    torch.testing.assert_close(mix.flatten(), wanted)


def test_a_random_draw_follows_its_number() -> None:
    first, again, other = (explorer.compute_mix("Bag", "a random draw", n, 30, [])[1] for n in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_class_holds_only_its_own() -> None:
    assert len(explorer.load_class("Bag")) == 6000
    assert (explorer.load_class("Bag").labels == 8).all()


def test_words_follow_the_mix() -> None:
    shifts = [0.0, 1.5, 0, 0, -2.0, 0, 0, 0]
    images, mix = explorer.compute_mix("Bag", "a real picture", 1, 30, shifts)
    words = explorer.describe_mix("Bag", "a real picture", images, mix, 30, shifts)
    assert "2 by +1.5, 5 by −2.0" in words and "30 of 784 components" in words
    assert "none" in explorer.describe_mix("Bag", "a real picture", images, mix, 0, [0.0] * 8)
