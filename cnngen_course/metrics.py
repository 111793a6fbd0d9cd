"""How good is a picture, and how good is a set of pictures? Every number comes with its sample size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from cnngen_course.models.classifier import Classifier
from cnngen_course.models.vgg import VGGFeatures


@dataclass(frozen=True)
class Estimate:
    """A measured value, its 95% interval, and the number of pictures behind it."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.n:,}"


@torch.inference_mode()
def compute_features(judge: Classifier, images: Tensor, batch_size: int = 100) -> Tensor:
    """Return the judge's feature vector of every picture: (N, C, H, W) in [-1, 1] -> (N, features)."""
    check_images(images)
    judge.eval()
    device = next(judge.parameters()).device
    return torch.cat([judge.compute_features(batch.to(device)).cpu() for batch in images.split(batch_size)])


@torch.inference_mode()
def compute_vgg_features(vgg: VGGFeatures, images: Tensor, layer: str = "relu2_2", batch_size: int = 50) -> Tensor:
    """Return what a layer of VGG16 answers to colour pictures, the mean over all places: (N, 3, H, W) -> (N, C)."""
    check_images(images)
    return torch.cat([vgg(batch, [layer])[layer].mean(dim=(2, 3)) for batch in images.split(batch_size)])


def check_images(images: Tensor) -> None:
    """Raise ValueError unless ``images`` is a finite float tensor (N, C, H, W) in [-1, 1] of one picture or more."""
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"images are floats of shape (N, C, H, W), got {images.dtype} {tuple(images.shape)}")
    if not images.numel():
        raise ValueError(f"there is no picture in a batch of shape {tuple(images.shape)}")
    if not torch.isfinite(images).all():
        raise ValueError("images hold values that are not numbers (NaN or infinity)")
    if images.abs().max() > 1.001:
        raise ValueError(f"images lie in [-1, 1], got [{images.min():.3g}, {images.max():.3g}]: use to_images()")


def compute_frechet(real: Tensor, generated: Tensor) -> float:
    """Return the Fréchet distance between two sets of feature vectors, (N, D) and (M, D).

    Each set is summed up by its mean and covariance, as if it were Gaussian (Heusel et al., 2017):
    ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2·(Σ₁Σ₂)^½). Small sets score too high: compare only equal sizes.
    """
    check_features(real, generated)
    if min(len(real), len(generated)) <= real.shape[1]:
        raise ValueError(f"{real.shape[1]} features need more than {real.shape[1]} pictures on each side")
    real, generated = real.double(), generated.double()
    covariances = real.T.cov(), generated.T.cov()
    root = compute_matrix_root(covariances[0])
    # (Σ₁Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric and so has real eigenvalues.
    overlap = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp(min=0).sqrt().sum()
    shift = (real.mean(0) - generated.mean(0)).square().sum()
    distance = shift + covariances[0].trace() + covariances[1].trace() - 2 * overlap
    return max(0.0, distance.item())  # rounding can take the distance of equal sets just below zero


def check_features(real: Tensor, generated: Tensor) -> None:
    """Raise ValueError unless both are finite tables of feature vectors of one length, (N, D) and (M, D)."""
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise ValueError(
            f"features are (N, D) and (M, D), got {tuple(real.shape)} and {tuple(generated.shape)}: "
            "use compute_features() on the images first"
        )
    if not (torch.isfinite(real).all() and torch.isfinite(generated).all()):
        raise ValueError("features hold values that are not numbers (NaN or infinity)")


def compute_matrix_root(matrix: Tensor) -> Tensor:
    """Return the symmetric square root of a positive semi-definite matrix, by its eigenvectors."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def compute_frechet_estimate(real: Tensor, generated: Tensor, repeats: int = 20, seed: int = 0) -> Estimate:
    """Return the Fréchet distance with an interval from resampling the generated pictures (bootstrap).

    Resampling itself adds a little distance, so the spread of the repeats is laid around the plain value.
    """
    value = compute_frechet(real, generated)
    spread = _bootstrap(lambda chosen: compute_frechet(real, generated[chosen]), len(generated), repeats, seed)
    return Estimate(value, max(0.0, value - 1.96 * spread), value + 1.96 * spread, len(generated))


@torch.inference_mode()
def compute_label_consistency(
    judge: Classifier, images: Tensor, labels: Tensor, features: Tensor | None = None
) -> Estimate:
    """Return the share of pictures that the judge names as what they were meant to be.

    ``features`` are those of the images where they are known already, which saves nearly all of the time.
    """
    if len(images) != len(labels):
        raise ValueError(f"each picture needs one label, got {len(images)} pictures and {len(labels)} labels")
    features = compute_features(judge, images) if features is None else features
    named = judge.head(features.to(judge.head.weight.device)).argmax(dim=1).cpu()
    return compute_share((named == labels.cpu()).sum().item(), len(labels))


def compute_share(right: int, count: int) -> Estimate:
    """Return ``right / count`` with its 95% interval by Wilson's formula, which also holds near 0 and 1."""
    if not 0 <= right <= count or count == 0:
        raise ValueError(f"a share is some of at least one, got {right} of {count}")
    from scipy.stats import binomtest  # here, not above: half a second to import

    interval = binomtest(right, count).proportion_ci(method="wilson")
    return Estimate(right / count, float(interval.low), float(interval.high), count)


def _bootstrap(measure: Callable[[Tensor], float], count: int, repeats: int, seed: int) -> float:
    """Return the standard deviation of ``measure`` over resamplings of ``count`` indices with replacement."""
    random = torch.Generator().manual_seed(seed)
    values = [measure(torch.randint(count, (count,), generator=random)) for _ in range(repeats)]
    return torch.tensor(values).std().item()


def compute_psnr(images: Tensor, reference: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each picture in decibels, (N,); images lie in [-1, 1].

    10 dB more means a tenth of the squared error; equal pictures give infinity.
    """
    check_pair(images, reference)
    error = (images - reference).square().flatten(1).mean(dim=1)
    return 10 * torch.log10(2.0**2 / error)


def compute_hole_psnr(images: Tensor, reference: Tensor, known: Tensor) -> float:
    """Return the peak signal-to-noise ratio of the missing pixels of all pictures together, in decibels.

    Images and reference are (N, C, H, W) in [-1, 1], ``known`` is (N, 1, H, W) bool.
    """
    check_pair(images, reference)
    hole = ~known.expand_as(images)
    if not hole.any():
        raise ValueError("no pixel is missing: there is nothing to measure")
    return (10 * torch.log10(2.0**2 / (images - reference)[hole].square().mean())).item()


def check_pair(images: Tensor, reference: Tensor) -> None:
    """Raise ValueError unless both hold as many pictures of the same size."""
    if images.shape != reference.shape or images.ndim != 4:
        raise ValueError(
            f"pictures are compared pairwise, both (N, C, H, W), got {tuple(images.shape)} and {tuple(reference.shape)}"
        )


def compute_ssim(images: Tensor, reference: Tensor) -> Tensor:
    """Return the structural similarity (Wang et al., 2004) of each picture, (N,), 1 for equal ones.

    Compared are local mean, contrast and structure in Gaussian windows of 11x11. The formula is meant for
    brightness from 0 upwards, so the pictures are lifted from [-1, 1] to [0, 2] first.
    """
    check_pair(images, reference)
    if min(images.shape[2:]) < 11:
        raise ValueError("structural similarity needs pictures of at least 11 pixels a side")
    from torchmetrics.functional.image import structural_similarity_index_measure  # a second to import

    answer = structural_similarity_index_measure(images + 1, reference + 1, data_range=2.0, reduction="none")
    return cast(Tensor, answer)  # a tuple only where it is asked for the whole map, too


def compute_sharpness(images: Tensor) -> Tensor:
    """Return the mean strength of edges of each picture, (N,): blur lowers it."""
    down = images.diff(dim=2)[..., :-1]
    across = images.diff(dim=3)[..., :-1, :]
    return (down.square() + across.square()).sqrt().flatten(1).mean(dim=1)


def compute_colourfulness(images: Tensor) -> Tensor:
    """Return the mean gap between the strongest and the weakest of red, green and blue of each picture, (N,).

    Grey, black and white give 0, pure colours 2; images are (N, 3, H, W) in [-1, 1].
    """
    return (images.amax(dim=1) - images.amin(dim=1)).flatten(1).mean(dim=1)


def compute_checkerboard(images: Tensor, period: int) -> Tensor:
    """Return the strength of the pattern that repeats every ``period`` pixels in each picture, (N,).

    The pictures (N, C, H, W), of any range, are cut into tiles of ``period`` × ``period`` pixels; what the mean
    tile varies by (its standard deviation, in the pictures' own unit) is there at every place of the picture,
    so it comes from the network and not from what is shown. 0 means no pattern.
    """
    count, channels, height, width = images.shape
    rows, columns = height // period, width // period
    tiles = images[:, :, : rows * period, : columns * period].reshape(count, channels, rows, period, columns, period)
    tile = tiles.mean(dim=(2, 4))  # (N, C, period, period)
    return tile.flatten(2).std(dim=2, correction=0).mean(dim=1)
