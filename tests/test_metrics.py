"""Metrics against closed forms and other libraries' own; and what they must be sensitive to."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from cnngen_course import metrics
from cnngen_course.datasets import make_shapes
from cnngen_course.models.classifier import Classifier
from cnngen_course.operations import compute_gaussian_kernel
from cnngen_course.pretrained import load_vgg

SEEDS = st.integers(0, 10_000)


def make_features(count: int, size: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    mixture = torch.randn(size, size, generator=random)
    return torch.randn(count, size, generator=random) @ mixture + torch.randn(size, generator=random)


def make_exact(mean: Tensor, deviation: Tensor, count: int = 400) -> Tensor:
    """Return features whose sample mean and (diagonal) covariance are exactly as asked for."""
    raw = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(0), dtype=torch.double)
    raw = raw - raw.mean(0)
    white = raw @ torch.linalg.inv(torch.linalg.cholesky(raw.T.cov())).T
    return white * deviation + mean


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_frechet_is_the_closed_form_of_two_gaussians(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    means = torch.randn(2, 5, generator=random, dtype=torch.double)
    deviations = torch.rand(2, 5, generator=random, dtype=torch.double) + 0.1
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    first, second = (make_exact(mean, deviation) for mean, deviation in zip(means, deviations, strict=True))
    assert metrics.compute_frechet(first, second) == pytest.approx(expected.item(), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_frechet_agrees_with_torchmetrics(seed: int) -> None:
    from torchmetrics.image.fid import _compute_fid

    first, second = make_features(50, 6, seed).double(), make_features(70, 6, seed + 1).double()
    expected = _compute_fid(first.mean(0), first.T.cov(), second.mean(0), second.T.cov()).item()
    assert metrics.compute_frechet(first, second) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_frechet_is_a_distance(seed: int) -> None:
    first, second = make_features(40, 6, seed), make_features(60, 6, seed + 1)
    there, back = metrics.compute_frechet(first, second), metrics.compute_frechet(second, first)
    assert there == pytest.approx(back, rel=1e-6) and there > 0
    assert 0 <= metrics.compute_frechet(first, first) < 1e-6 * there


def test_frechet_of_sets_without_variety() -> None:
    """A covariance of rank one has a root too."""
    real = make_exact(torch.zeros(3), torch.ones(3))
    same = torch.zeros(50, 3)
    assert metrics.compute_frechet(real, same) == pytest.approx(3.0, rel=1e-6)


def test_frechet_grows_with_noise_and_blur() -> None:
    torch.manual_seed(0)
    judge, images = Classifier(widths=[8, 16], feature_count=16).eval(), make_shapes(300).images
    real = metrics.compute_features(judge, make_shapes(300, seed=1).images)

    def measure(changed: Tensor) -> float:
        return metrics.compute_frechet(real, metrics.compute_features(judge, changed))

    noise = torch.randn_like(images)
    noisy = [measure((images + level * noise).clamp(-1, 1)) for level in (0, 0.1, 0.3, 0.6)]
    kernels = [compute_gaussian_kernel(sigma)[None, None] for sigma in (0.7, 1.5, 3.0)]
    blurred = [measure(torch.nn.functional.conv2d(images + 1, kernel, padding="same") - 1) for kernel in kernels]
    assert noisy == sorted(noisy) and noisy[3] > 3 * noisy[0]
    assert [noisy[0], *blurred] == sorted([noisy[0], *blurred]) and blurred[2] > 3 * noisy[0]


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (torch.zeros(9, 4), torch.zeros(4, 4), "need more than 4 pictures"),
        (torch.zeros(9, 4), torch.zeros(9, 5), r"got \(9, 4\) and \(9, 5\)"),
        (torch.zeros(9, 1, 8, 8), torch.zeros(9, 1, 8, 8), "use compute_features"),
        (torch.zeros(9, 4), torch.full((9, 4), torch.nan), "NaN or infinity"),
    ],
)
def test_frechet_says_what_is_wrong_with_features(real: Tensor, generated: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.compute_frechet(real, generated)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 28, 28), r"shape \(N, C, H, W\)"),
        (torch.zeros(3, 1, 28, 28, dtype=torch.uint8), "floats of shape"),
        (torch.full((3, 1, 28, 28), torch.nan), "not numbers"),
        (torch.full((3, 1, 28, 28), 255.0), r"lie in \[-1, 1\]"),
    ],
)
def test_bad_images_are_refused_with_a_reason(images: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.compute_features(Classifier(widths=[4]), images)


def test_features_of_no_picture_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no picture in a batch of shape \(0, 1, 28, 28\)"):
        metrics.compute_features(Classifier(widths=[4]), torch.zeros(0, 1, 28, 28))


def test_features_do_not_depend_on_the_batches() -> None:
    judge, images = Classifier(widths=[4, 8]), make_shapes(7).images
    small, large = (metrics.compute_features(judge, images, size) for size in (2, 100))
    torch.testing.assert_close(small, large)
    assert small.shape == (7, 64)


def test_the_frechet_interval_holds_the_value_and_narrows_with_more_pictures() -> None:
    real, many = make_features(2000, 4, 0), make_features(2000, 4, 1)
    few = metrics.compute_frechet_estimate(real, many[:100])
    more = metrics.compute_frechet_estimate(real, many)
    for estimate, count in ((few, 100), (more, 2000)):
        assert estimate.low <= estimate.value <= estimate.high and estimate.n == count
    assert more.high - more.low < (few.high - few.low) / 2
    assert metrics.compute_frechet_estimate(real, many) == more  # its resampling has a seed of its own


@pytest.mark.parametrize("truth", [0.5, 0.9, 0.99])
def test_the_interval_of_a_share_covers_the_truth_19_times_in_20(truth: float) -> None:
    random = torch.Generator().manual_seed(0)
    right = (torch.rand(2000, 100, generator=random) < truth).sum(dim=1)
    estimates = [metrics.compute_share(int(count), 100) for count in right]
    covered = sum(estimate.low <= truth <= estimate.high for estimate in estimates) / 2000
    assert 0.91 < covered < 0.99


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (3, 7), (499, 500)])
def test_the_interval_of_a_share_is_wilsons(right: int, count: int) -> None:
    estimate, squared = metrics.compute_share(right, count), 1.959964**2
    for bound in (estimate.low, estimate.high):  # both lie 1.96 of their own standard errors from what was measured
        assert (right / count - bound) ** 2 == pytest.approx(squared * bound * (1 - bound) / count, rel=1e-5, abs=1e-12)
    assert estimate.low <= right / count <= estimate.high


def test_the_interval_of_a_perfect_share_still_has_a_width() -> None:
    perfect = metrics.compute_share(100, 100)
    assert perfect.high == pytest.approx(1.0) and 0.95 < perfect.low < 0.97
    assert str(metrics.compute_share(50, 100)) == "0.5 [0.404, 0.596], n = 100"
    with pytest.raises(ValueError, match="some of at least one"):
        metrics.compute_share(0, 0)


def test_label_consistency_counts_what_the_judge_confirms() -> None:
    judge, images = Classifier(widths=[4, 8]).eval(), make_shapes(20).images
    labels = judge(images).argmax(dim=1)
    assert metrics.compute_label_consistency(judge, images, labels).value == 1
    labels[:5] = (labels[:5] + 1) % 10
    assert metrics.compute_label_consistency(judge, images, labels).value == 0.75
    features = metrics.compute_features(judge, images)  # known already: then the pictures are not looked at again
    assert metrics.compute_label_consistency(judge, images * 0, labels, features).value == 0.75
    with pytest.raises(ValueError, match="20 pictures and 19 labels"):
        metrics.compute_label_consistency(judge, images, labels[1:])


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, channels=st.sampled_from([1, 3]))
def test_psnr_and_ssim_agree_with_scikit_image(seed: int, channels: int) -> None:
    random = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, channels, 24, 20, generator=random) * 2 - 1
    images = (reference + 0.3 * torch.randn(reference.shape, generator=random)).clamp(-1, 1)
    # A black frame: libraries differ in how they continue a picture beyond its border.
    images, reference = (torch.nn.functional.pad(pair, [10] * 4, value=-1.0) for pair in (images, reference))
    psnr, ssim = metrics.compute_psnr(images, reference), metrics.compute_ssim(images, reference)
    for index in range(2):
        pair = [(picture[index].double() + 1).numpy() for picture in (reference, images)]
        assert psnr[index].item() == pytest.approx(peak_signal_noise_ratio(*pair, data_range=2), rel=1e-4)
        settings_of_wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        _, everywhere = structural_similarity(*pair, data_range=2, channel_axis=0, full=True, **settings_of_wang)
        assert ssim[index].item() == pytest.approx(everywhere.mean(), abs=1e-4)


def test_equal_pictures_are_perfect() -> None:
    images = make_shapes(3).images
    assert metrics.compute_psnr(images, images).tolist() == [math.inf] * 3
    torch.testing.assert_close(metrics.compute_ssim(images, images), torch.ones(3))


@pytest.mark.parametrize("compute", [metrics.compute_psnr, metrics.compute_ssim])
def test_pictures_of_different_shapes_are_not_compared(compute: object) -> None:
    with pytest.raises(ValueError, match="compared pairwise"):
        compute(torch.zeros(2, 1, 28, 28), torch.zeros(1, 1, 28, 28))


def test_blur_lowers_the_sharpness() -> None:
    images = make_shapes(5).images
    kernel = compute_gaussian_kernel(1.5)[None, None]
    blurred = torch.nn.functional.conv2d(images + 1, kernel, padding="same") - 1
    assert (metrics.compute_sharpness(blurred) < 0.95 * metrics.compute_sharpness(images)).all()
    assert metrics.compute_sharpness(torch.full((2, 1, 8, 8), 0.3)).tolist() == [0, 0]


def test_the_hole_psnr_looks_at_missing_pixels_only() -> None:
    reference, known = torch.zeros(2, 3, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
    known[0, :, 2:4] = False
    images = torch.where(known, 0.9, 0.2).expand_as(reference)  # far off where nobody looks
    assert metrics.compute_hole_psnr(images, reference, known) == pytest.approx(20.0, abs=1e-4)
    with pytest.raises(ValueError, match="no pixel is missing"):
        metrics.compute_hole_psnr(images, reference, torch.ones_like(known))


def test_vgg_features_are_the_mean_answers_over_all_places() -> None:
    vgg, images = load_vgg(), torch.rand(5, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = metrics.compute_vgg_features(vgg, images, batch_size=2)
    assert features.shape == (5, 128)
    torch.testing.assert_close(features, vgg(images, ["relu2_2"])["relu2_2"].mean(dim=(2, 3)))
    assert metrics.compute_vgg_features(vgg, images, "relu3_1").shape == (5, 256)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.full((2, 3, 16, 16), 255.0), r"lie in \[-1, 1\]"),
        (torch.zeros(2, 1, 16, 16), "colour pictures"),
        (torch.zeros(0, 3, 16, 16), "no picture"),
    ],
)
def test_vgg_features_of_unfit_pictures_are_refused(images: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.compute_vgg_features(load_vgg(), images)


def test_colourfulness_is_0_for_grey_and_2_for_pure_colours() -> None:
    grey = torch.rand(1, 1, 6, 6).expand(1, 3, 6, 6) * 2 - 1
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 6, 6)
    half = torch.cat([grey[..., :3], red[..., 3:]], dim=3)
    assert metrics.compute_colourfulness(torch.cat([grey, red, half])).tolist() == pytest.approx([0, 2, 1])
