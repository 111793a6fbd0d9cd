"""A distribution of points in the plane, eight clusters on a circle, and what two networks make of it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

REACH = 3.2  # half the side of the plane that is shown
CENTRES = 2 * torch.stack([(torch.arange(8) * torch.pi / 4).cos(), (torch.arange(8) * torch.pi / 4).sin()], dim=1)
NEAR = 0.3  # three standard deviations of a cluster


def sample_ring(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw points (count, 2) from eight small clusters on a circle of radius 2, standard deviation 0.1 each."""
    chosen = torch.randint(len(CENTRES), (count,), generator=generator)
    return CENTRES[chosen] + 0.1 * torch.randn(count, 2, generator=generator)


def compute_coverage(points: Tensor) -> tuple[float, int]:
    """Return the share of points (N, 2) that lie near a cluster, and how many clusters hold at least 2% of them."""
    distances, nearest = torch.cdist(points, CENTRES).min(dim=1)
    counts = nearest[distances < NEAR].bincount(minlength=len(CENTRES))
    return counts.sum().item() / len(points), int((counts >= 0.02 * len(points)).sum())


@dataclass(frozen=True)
class Moment:
    """Where the generated points (N, 2) lie after some steps, and what the discriminator says all over the plane."""

    step: int
    points: Tensor
    scores: Tensor  # (40, 40) in [0, 1], top row first


@torch.no_grad()
def compute_moment(step: int, generator: nn.Module, discriminator: nn.Module, latents: Tensor) -> Moment:
    """Look at both networks: the points of fixed latents, the probability of "real" on a lattice."""
    line = torch.linspace(-REACH, REACH, 40)
    y, x = torch.meshgrid(line.flip(0), line, indexing="ij")
    scores = discriminator(torch.stack([x.flatten(), y.flatten()], dim=1)).sigmoid()
    return Moment(step, generator(latents), scores.view(40, 40))
