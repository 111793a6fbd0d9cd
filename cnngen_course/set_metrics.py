"""How a set of generated pictures compares with a set of real ones: near enough, varied enough, not learnt by heart?

The Fréchet distance, in ``metrics``, sums up everything in one number; the measures here take it apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cnngen_course.metrics import Estimate, check_features, check_images, compute_share

CHUNK = 500  # rows of a distance table held in memory at a time: 10,000 columns of it are 20 MB


def compute_kernel_distance(real: Tensor, generated: Tensor, pieces: int = 10, seed: int = 0) -> Estimate:
    """Return the kernel distance between feature vectors (N, D) and (M, D), the mean over disjoint random pieces.

    It assumes no shape of the distributions and has no bias: small sets scatter more but do not score too high, and
    sets of the same distribution lie about 0, also below (Bińkowski et al., 2018). The interval comes from the
    scatter of the pieces.
    """
    check_features(real, generated)
    size = min(len(real), len(generated)) // pieces
    if pieces < 2 or size < 2:
        raise ValueError(f"{pieces} pieces of {min(len(real), len(generated))} pictures: at least 2 of 2 are needed")
    random = torch.Generator().manual_seed(seed)
    chosen = [torch.randperm(len(features), generator=random)[: pieces * size] for features in (real, generated)]
    pairs = zip(real[chosen[0]].split(size), generated[chosen[1]].split(size), strict=True)
    distances = torch.tensor([compute_squared_discrepancy(*pair) for pair in pairs], dtype=torch.double)
    value, reach = distances.mean().item(), 1.96 * distances.std().item() / pieces**0.5
    return Estimate(value, value - reach, value + reach, len(generated))


def compute_squared_discrepancy(real: Tensor, generated: Tensor) -> float:
    """Return the unbiased squared maximum mean discrepancy (Gretton et al., 2012) under the kernel (x·y / D + 1)³.

    Mean kernel among the real, plus among the generated, minus twice that across; nobody is paired with itself.
    """
    check_features(real, generated)
    real, generated = real.double(), generated.double()
    within = (_compute_mean_kernel(features) for features in (real, generated))
    return (sum(within) - 2 * _compute_kernel(real, generated).mean()).item()


def _compute_kernel(first: Tensor, second: Tensor) -> Tensor:
    return (first @ second.T / first.shape[1] + 1) ** 3  # (N, M)


def _compute_mean_kernel(features: Tensor) -> Tensor:
    kernel, count = _compute_kernel(features, features), len(features)
    return (kernel.sum() - kernel.trace()) / (count * (count - 1))


def compute_precision_recall(real: Tensor, generated: Tensor, k: int = 3) -> tuple[Estimate, Estimate]:
    """Return precision and recall of feature vectors (N, D) and (M, D) (Kynkäänniemi et al., 2019).

    Each vector stands for a ball that reaches to its ``k``-th nearest neighbour of the same set. Precision is the
    share of generated vectors inside a ball of a real one: do they look real? Recall is the share of real ones inside
    a ball of a generated one: is everything real also drawn? Compare only equal sizes and equal ``k``.
    """
    check_features(real, generated)
    if min(len(real), len(generated)) <= k or k < 1:
        raise ValueError(f"the {k}-th neighbour needs more than {k} pictures on each side, and k at least 1")
    centre = real.float().mean(dim=0)  # distances are exact to fewer digits far from the origin
    real, generated = real.float() - centre, generated.float() - centre
    precision = _count_inside(generated, real, _compute_radii(real, k))
    recall = _count_inside(real, generated, _compute_radii(generated, k))
    return compute_share(precision, len(generated)), compute_share(recall, len(real))


def _compute_radii(features: Tensor, k: int) -> Tensor:
    """Return the distance of each vector to its k-th nearest other one, (N,); the nearest of all is itself."""
    return torch.cat([table.topk(k + 1, largest=False).values[:, -1] for table in _measure(features, features)])


def _count_inside(points: Tensor, centres: Tensor, radii: Tensor) -> int:
    return sum(int((table <= radii).any(dim=1).sum()) for table in _measure(points, centres))


def _measure(rows: Tensor, columns: Tensor) -> Iterator[Tensor]:
    """Yield the distances between all rows (N, D) and all columns (M, D), some rows at a time: (≤ CHUNK, M)."""
    for chunk in rows.split(CHUNK):
        yield torch.cdist(chunk, columns)


@dataclass(frozen=True)
class Diversity:
    """How much generated pictures vary, as a share of what real ones do, class by class (1: as much)."""

    per_class: dict[int, float]
    n: int

    @property
    def mean(self) -> float:
        return sum(self.per_class.values()) / len(self.per_class)

    @property
    def smallest_class(self) -> int:
        return min(self.per_class, key=lambda label: self.per_class[label])

    @property
    def smallest(self) -> float:
        return self.per_class[self.smallest_class]

    def __str__(self) -> str:
        return f"{self.mean:.3g}, smallest {self.smallest:.3g} in class {self.smallest_class}, n = {self.n:,}"


def compute_diversity(
    real_images: Tensor, real_labels: Tensor, generated_images: Tensor, generated_labels: Tensor
) -> Diversity:
    """Return the standard deviation a pixel of generated pictures over that of real ones, for each class.

    Images are (N, C, H, W) and (M, C, H, W) in [-1, 1], labels (N,) and (M,). It is blind to what the variety looks
    like: noise has plenty. Its use is to find the class in which a generator keeps drawing the same.
    """
    real = _compute_deviations(real_images, real_labels)
    generated = _compute_deviations(generated_images, generated_labels)
    if real.keys() != generated.keys():
        raise ValueError(f"both sides need the same classes, got {sorted(real)} and {sorted(generated)}")
    return Diversity({label: generated[label] / real[label] for label in sorted(real)}, len(generated_images))


def _compute_deviations(images: Tensor, labels: Tensor) -> dict[int, float]:
    """Return the mean over pixels of the standard deviation over pictures, class by class."""
    check_images(images)
    if labels.shape != (len(images),):
        raise ValueError(f"each picture needs one label, got {len(images)} pictures and labels {tuple(labels.shape)}")
    classes, counts = labels.unique(return_counts=True)
    if counts.min() < 2:
        raise ValueError(f"variety needs two pictures a class; there is one of class {classes[counts.argmin()].item()}")
    return {label: images[labels == label].std(dim=0).mean().item() for label in classes.tolist()}


def find_nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each query the index of the nearest reference and its distance, (N,) each.

    Both are tables of one kind, features or pixels: (N, ...) and (M, ...), compared as flat vectors by Euclidean
    distance. The nearest training pictures of generated ones show whether a network learnt them by heart.
    """
    queries, references = queries.flatten(1).float(), references.flatten(1).float()
    check_features(queries, references)
    if len(references) == 0:
        raise ValueError("there is nothing to be near to: no references were given")
    indices = torch.cat([table.argmin(dim=1) for table in _measure(queries, references)])
    return indices, (queries - references[indices]).norm(dim=1)  # anew: those of the table lose digits near zero
