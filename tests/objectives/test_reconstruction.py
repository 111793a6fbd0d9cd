"""The reconstruction objective: known errors, and it makes a model learn to copy."""

import pytest
import torch
from torch import nn

from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.objectives.reconstruction import Reconstruction
from cnngen_course.training import fit


def shift(images: torch.Tensor) -> torch.Tensor:
    return images + 0.5


@pytest.mark.parametrize(("kind", "error"), [("squared", 0.25), ("absolute", 0.5)])
def test_known_errors(kind: str, error: float) -> None:
    images, labels = torch.rand(2, 1, 4, 4), torch.zeros(2)
    assert Reconstruction(kind)(shift, (images, labels))["loss"].item() == pytest.approx(error)
    assert Reconstruction(kind)(nn.Identity(), (images, labels))["loss"].item() == 0


def test_unknown_kind() -> None:
    with pytest.raises(KeyError, match="cubic"):
        Reconstruction("cubic")


def test_a_small_autoencoder_learns_to_copy() -> None:
    torch.manual_seed(0)
    data = make_shapes(64)
    model = Autoencoder(width=4, latent_size=8)
    history = fit(model, Reconstruction(), make_loader(data, 32), steps=60, lr=1e-2, progress=False)
    losses = history.curve("loss", 5)
    spread = data.images.var(dim=0).mean().item()  # what always answering with the mean picture would cost
    assert losses[-1] < 0.7 * spread < losses[0]
