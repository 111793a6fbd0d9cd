"""The autoencoder keeps shapes and ranges, and each picture goes its own way."""

import pytest
import torch

from cnngen_course.models.autoencoder import Autoencoder


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear", "transposed", "shuffle"])
def test_shapes_and_range(upsampling: str) -> None:
    model = Autoencoder(in_channels=3, width=4, latent_size=5, upsampling=upsampling).eval()
    images = torch.rand(2, 3, 28, 28) * 2 - 1
    latents = model.encoder(images)
    assert latents.shape == (2, 5) and model.latent_size == 5
    copies = model.decoder(100 * latents)
    assert copies.shape == images.shape
    assert copies.abs().max() <= 1
    torch.testing.assert_close(model(images), model.decoder(latents))


def test_pictures_do_not_influence_each_other() -> None:
    model = Autoencoder(width=4, latent_size=2).eval()
    images = torch.rand(3, 1, 28, 28)
    torch.testing.assert_close(model(images)[:1], model(images[:1]), atol=1e-5, rtol=1e-4)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    model = Autoencoder(width=4, latent_size=3)
    for name, parameter in model.named_parameters():  # residual blocks begin at zero: give all a say
        if name.endswith("correction.2.weight"):
            torch.nn.init.ones_(parameter)
    model(torch.rand(4, 1, 28, 28)).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_an_unknown_upsampling_is_named() -> None:
    with pytest.raises(ValueError, match="nearest, bilinear, transposed or shuffle"):
        Autoencoder(upsampling="magic")
