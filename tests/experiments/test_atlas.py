"""A map draws what its decoder draws, and its lattice runs from the top left."""

import pytest
import torch

from cnngen_course.datasets import make_shapes
from cnngen_course.experiments.atlas import compute_lattice, compute_map
from cnngen_course.models.autoencoder import Autoencoder


def test_the_lattice_runs_from_the_top_left() -> None:
    places = compute_lattice(2, 3)
    assert places[0].tolist() == pytest.approx([-2 / 3, 0.5])
    assert places[-1].tolist() == pytest.approx([2 / 3, -0.5])


def test_the_map_draws_what_the_decoder_draws() -> None:
    data = make_shapes(60)
    torch.manual_seed(0)
    model = Autoencoder(width=4, latent_size=2).eval()
    picture_map = compute_map(model, data)
    with torch.inference_mode():
        torch.testing.assert_close(picture_map.draw(picture_map.places), model(data.images), atol=1e-4, rtol=0)
    assert (picture_map.places.abs() <= 1).double().mean() > 0.9
    distances, nearest = picture_map.find_nearest(picture_map.places[7], 3)
    assert nearest[0] == 7 and distances[0] == 0 and (distances.diff() >= 0).all()
