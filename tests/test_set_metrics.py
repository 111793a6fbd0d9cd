"""Measures of whole sets against hand formulas and torchmetrics, and what each of them can and cannot see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnngen_course import set_metrics
from cnngen_course.datasets import ImageSet, make_shapes
from cnngen_course.metrics import compute_frechet
from cnngen_course.set_metrics import (
    compute_diversity,
    compute_kernel_distance,
    compute_precision_recall,
    compute_squared_discrepancy,
    find_nearest,
)

SEEDS = st.integers(0, 10_000)


def make_features(count: int, size: int = 4, seed: int = 0, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


class Flat(nn.Module):
    """The feature network that torchmetrics asks for: here the features are the pictures themselves."""

    num_features = 6

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_the_discrepancy_is_its_definition(seed: int) -> None:
    real, generated = make_features(5, 3, seed).double(), make_features(4, 3, seed + 1).double()

    def compare(x: Tensor, y: Tensor) -> float:
        return (sum(a * b for a, b in zip(x.tolist(), y.tolist(), strict=True)) / 3 + 1) ** 3

    def compare_within(points: Tensor) -> float:
        pairs = [compare(x, y) for i, x in enumerate(points) for j, y in enumerate(points) if i != j]
        return sum(pairs) / len(pairs)

    across = sum(compare(x, y) for x in real for y in generated) / 20
    expected = compare_within(real) + compare_within(generated) - 2 * across
    assert compute_squared_discrepancy(real, generated) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `")
def test_the_discrepancy_and_frechet_agree_with_torchmetrics() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    real, generated = make_features(80, 6), make_features(80, 6, 1, scale=1.3) + 0.2
    kernel = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=80, normalize=False)
    frechet = FrechetInceptionDistance(feature=Flat(), normalize=False, input_img_size=(1, 2, 3))
    for features, is_real in ((real, True), (generated, False)):
        for metric in (kernel, frechet):
            metric.update(features.view(-1, 1, 2, 3), real=is_real)
    assert compute_squared_discrepancy(real, generated) == pytest.approx(kernel.compute()[0].item(), rel=1e-4)
    assert compute_frechet(real, generated) == pytest.approx(frechet.compute().item(), rel=1e-4)


def test_the_kernel_distance_is_the_mean_over_pieces_and_repeats_itself() -> None:
    real, generated = make_features(600), make_features(500, seed=1, scale=1.5)
    estimate = compute_kernel_distance(real, generated)
    assert estimate.low < estimate.value < estimate.high and estimate.n == 500
    assert compute_kernel_distance(real, generated) == estimate
    assert estimate.value == pytest.approx(compute_squared_discrepancy(real, generated), rel=0.5)
    assert estimate.low > 0  # the two are told apart


def test_the_kernel_distance_has_no_bias() -> None:
    """Small sets of one distribution: the Fréchet distance is always above zero, this one lies about it."""
    values, frechet = [], []
    for seed in range(60):
        first, second = make_features(40, seed=2 * seed), make_features(40, seed=2 * seed + 1)
        values.append(compute_kernel_distance(first, second, pieces=2).value)
        frechet.append(compute_frechet(first, second))
    values = torch.tensor(values)
    assert values.mean().abs() < 2.5 * values.std() / 60**0.5
    assert 10 < (values < 0).sum() < 50 and min(frechet) > 0


def test_precision_and_recall_by_hand() -> None:
    """On a line, k = 1: 0 and 1 are 1 apart, 10 is 9 away from them."""
    real = torch.tensor([[0.0], [1.0], [10.0]])  # distances to the nearest other: 1, 1, 9
    generated = torch.tensor([[1.5], [1.8], [-2.0], [30.0]])  # distances to the nearest other: 0.3, 0.3, 3.5, 28.2
    precision, recall = compute_precision_recall(real, generated, k=1)
    assert precision.value == 0.5 and precision.n == 4  # 1.5 and 1.8 lie within 1 of 1; the others nowhere
    assert recall.value == 1.0 and recall.n == 3  # 0 and 1 within 3.5 of -2; 10 within 28.2 of 30
    second = compute_precision_recall(real, generated, k=2)[0]
    assert second.value == 0.75  # the second neighbours: 10, 9, 10; only 30 lies outside


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_precision_and_recall_change_places_with_the_sets(seed: int) -> None:
    real, generated = make_features(60, seed=seed), make_features(50, seed=seed + 1, scale=0.7)
    there, back = compute_precision_recall(real, generated), compute_precision_recall(generated, real)
    assert there == back[::-1]
    assert [estimate.value for estimate in compute_precision_recall(real, real)] == [1, 1]


def test_too_little_variety_costs_recall_and_noise_costs_precision() -> None:
    real = make_features(500)
    narrow, noisy = make_features(500, seed=1, scale=0.3), make_features(500, seed=1, scale=3.0)
    precision, recall = compute_precision_recall(real, narrow)
    assert precision.value > 0.95 and recall.value < 0.3
    precision, recall = compute_precision_recall(real, noisy)
    assert precision.value < 0.5 and recall.value > 0.9


def test_nothing_depends_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = make_features(70), make_features(60, seed=1)
    before = compute_precision_recall(real, generated), find_nearest(generated, real)
    monkeypatch.setattr(set_metrics, "CHUNK", 7)
    after = compute_precision_recall(real, generated), find_nearest(generated, real)
    assert before[0] == after[0]
    for one, other in zip(before[1], after[1], strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("compute", [compute_kernel_distance, compute_precision_recall, find_nearest])
@pytest.mark.parametrize(
    ("generated", "message"),
    [(torch.zeros(9, 5), r"got \(9, 4\) and \(9, 5\)|\(9, 5\) and \(9, 4\)"), (torch.full((9, 4), torch.nan), "NaN")],
)
def test_bad_features_are_refused(compute: object, generated: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute(torch.zeros(9, 4), generated)


def test_too_few_pictures_are_said() -> None:
    with pytest.raises(ValueError, match="10 pieces of 9 pictures"):
        compute_kernel_distance(torch.zeros(9, 4), torch.zeros(12, 4))
    with pytest.raises(ValueError, match="3-th neighbour needs more than 3"):
        compute_precision_recall(torch.zeros(9, 4), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="no references"):
        find_nearest(torch.zeros(9, 4), torch.zeros(0, 4))


def spread(data: ImageSet, factors: list[float]) -> Tensor:
    """Draw each class's pictures towards their mean by its factor."""
    images = data.images
    for label, factor in enumerate(factors):
        chosen = data.labels == label
        mean = images[chosen].mean(dim=0)
        images[chosen] = mean + factor * (images[chosen] - mean)
    return images


def test_diversity_measures_each_class_for_itself() -> None:
    data = make_shapes(90)
    diversity = compute_diversity(data.images, data.labels, spread(data, [1.0, 0.5, 0.9]), data.labels)
    assert list(diversity.per_class.values()) == pytest.approx([1.0, 0.5, 0.9], rel=1e-5)
    assert diversity.mean == pytest.approx(0.8) and diversity.n == 90
    assert diversity.smallest == pytest.approx(0.5) and diversity.smallest_class == 1
    assert str(diversity) == "0.8, smallest 0.5 in class 1, n = 90"


def test_diversity_sees_a_class_of_copies() -> None:
    data = make_shapes(60)
    copies = data.images
    copies[data.labels == 2] = copies[data.labels == 2][:1]
    diversity = compute_diversity(data.images, data.labels, copies, data.labels)
    assert diversity.smallest_class == 2 and diversity.smallest == pytest.approx(0, abs=1e-5)


def test_diversity_says_what_is_wrong() -> None:
    data = make_shapes(30)
    images, labels = data.images, data.labels
    with pytest.raises(ValueError, match="30 pictures and labels"):
        compute_diversity(images, labels[1:], images, labels)
    with pytest.raises(ValueError, match=r"same classes, got \[0, 1, 2\] and \[0, 1\]"):
        compute_diversity(images, labels, images[labels < 2], labels[labels < 2])
    with pytest.raises(ValueError, match="there is one of class 9"):
        compute_diversity(images, torch.where(torch.arange(30) == 3, 9, labels), images, labels)
    with pytest.raises(ValueError, match="not numbers"):
        compute_diversity(images, labels, torch.full_like(images, torch.nan), labels)


def test_the_nearest_picture_is_found_among_pixels_too() -> None:
    references = make_shapes(50).images
    queries = references[[7, 31, 2]] + 0.01
    indices, distances = find_nearest(queries, references)
    assert indices.tolist() == [7, 31, 2]
    torch.testing.assert_close(distances, torch.full((3,), 0.28), atol=1e-5, rtol=0)  # √784 · 0.01
