"""Eight clusters: drawn, covered, and mapped by a discriminator."""

import pytest
import torch

from cnngen_course.experiments.ring import CENTRES, compute_coverage, compute_moment, sample_ring
from cnngen_course.models.gan import PointDiscriminator, PointGenerator


def test_the_ring_covers_itself() -> None:
    points = sample_ring(2000, torch.Generator().manual_seed(0))
    share, clusters = compute_coverage(points)
    assert share > 0.98 and clusters == 8
    assert points.norm(dim=1).mean().item() == pytest.approx(2, abs=0.02)


def test_coverage_sees_lost_clusters() -> None:
    assert compute_coverage(CENTRES[[0, 3]].repeat(50, 1)) == (1.0, 2)
    assert compute_coverage(torch.zeros(10, 2)) == (0.0, 0)


def test_a_moment_maps_the_plane_from_the_top_left() -> None:
    torch.manual_seed(0)
    generator, discriminator = PointGenerator(), PointDiscriminator()
    latents = torch.randn(7, 2)
    moment = compute_moment(3, generator, discriminator, latents)
    corner = discriminator(torch.tensor([[-3.2, 3.2]])).sigmoid()
    torch.testing.assert_close(moment.scores[0, :1], corner.detach())
    torch.testing.assert_close(moment.points, generator(latents).detach())
