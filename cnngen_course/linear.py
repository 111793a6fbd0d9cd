"""The linear transformation of pictures by the eigenvectors of their covariance: PCA, whitening, sampling.

Pictures (N, C, H, W) are treated as points with D = C·H·W coordinates. The eigenvectors of the covariance
are the directions in which the cloud of points is stretched, its eigenvalues the variances along them
(Pearson, 1901; for pictures Turk and Pentland, 1991, "Eigenfaces").
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PrincipalComponents:
    """What a set of pictures looks like to first and second order, turned so that coordinates are uncorrelated.

    Attributes:
        mean: (C, H, W), the mean picture.
        directions: (D, D), unit eigenvectors in columns, the one of largest variance first.
        variances: (D,), the variance of the pictures along each direction, never negative.
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor

    @property
    def deviations(self) -> Tensor:
        """(D,), the standard deviation along each direction."""
        return self.variances.sqrt()

    def compute_kept(self) -> Tensor:
        """Return the share of all variance that the first 1, 2, ..., D components keep, (D,), up to 1."""
        return self.variances.cumsum(0) / self.variances.sum()

    def compute_coordinates(self, images: Tensor, count: int | None = None) -> Tensor:
        """Return the pictures' coordinates along the first ``count`` directions: (N, C, H, W) -> (N, count)."""
        return (images - self.mean).flatten(1) @ self.directions[:, :count]

    def compose(self, coordinates: Tensor) -> Tensor:
        """Return the pictures with these coordinates along the first directions: (N, count) -> (N, C, H, W)."""
        centred = coordinates @ self.directions[:, : coordinates.shape[1]].T
        return self.mean + centred.view(-1, *self.mean.shape)

    def reconstruct(self, images: Tensor, count: int) -> Tensor:
        """Return what ``count`` components keep of the pictures, (N, C, H, W)."""
        return self.compose(self.compute_coordinates(images, count))

    def decode(self, latents: Tensor) -> Tensor:
        """Turn latents (N, count), in standard deviations from the mean, into pictures (N, C, H, W)."""
        return self.compose(latents * self.deviations[: latents.shape[1]])

    def sample(self, count: int, components: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``count`` new pictures from a Gaussian with the set's mean and its first ``components``."""
        latents = torch.randn(count, components, generator=generator)
        return self.decode(latents.to(self.mean))

    def whiten(self, images: Tensor, epsilon: float = 1e-3) -> Tensor:
        """Return the pictures with all pixels uncorrelated and of variance 1 (nearly, for ``epsilon`` > 0).

        Of all such transformations this one changes the pictures least: ZCA (Bell and Sejnowski, 1997).
        ``epsilon`` is added to each variance, so that directions with next to none are not blown up.
        """
        coordinates = self.compute_coordinates(images) / (self.variances + epsilon).sqrt()
        return (coordinates @ self.directions.T).view_as(images)


def compute_principal_components(images: Tensor) -> PrincipalComponents:
    """Return the principal components of a set of pictures (N, C, H, W), N at least 2.

    The sign of an eigenvector is arbitrary; here its largest entry is positive, on every machine.
    """
    if len(images) < 2:
        raise ValueError(f"a covariance needs at least 2 pictures, got {len(images)}")
    variances, directions = torch.linalg.eigh(torch.atleast_2d(images.flatten(1).T.cov()))  # smallest variance first
    variances, directions = variances.flip(0).clamp(min=0), directions.flip(1)
    largest = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True))
    return PrincipalComponents(images.mean(dim=0), directions * largest.sign(), variances)


def compute_eigenimages(pca: PrincipalComponents, count: int) -> Tensor:
    """Return the first directions as pictures (count, C, H, W) in [-1, 1], each scaled to its own largest value."""
    pictures = pca.directions[:, :count].T.reshape(-1, *pca.mean.shape)
    return pictures / pictures.abs().amax(dim=(1, 2, 3), keepdim=True)
