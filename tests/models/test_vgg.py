"""VGG's layers are where the literature says, and gradients reach the picture."""

import pytest
import torch

from cnngen_course.models.vgg import VGGFeatures
from cnngen_course.pretrained import load_vgg


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return load_vgg()


@pytest.mark.parametrize(
    ("layer", "channels", "shrunk"),
    [("relu1_2", 64, 1), ("relu2_2", 128, 2), ("relu3_3", 256, 4), ("relu4_2", 512, 8)],
)
def test_a_layer_has_its_channels_and_size(vgg, layer: str, channels: int, shrunk: int) -> None:
    answer = vgg(torch.zeros(2, 3, 32, 48), [layer])[layer]
    assert answer.shape == (2, channels, 32 // shrunk, 48 // shrunk)
    assert answer.min() == 0, "it is what comes after the ReLU"


def test_the_layers_are_those_of_torchvision(vgg) -> None:
    from torchvision.models import vgg16

    theirs = vgg16(weights=None).features[:21]  # up to the second convolution of the fourth block
    theirs.load_state_dict({name.removeprefix("features."): value for name, value in vgg.state_dict().items()})
    images = torch.rand(1, 3, 24, 24) * 2 - 1
    normalised = ((images + 1) / 2 - vgg.mean) / vgg.deviation
    torch.testing.assert_close(vgg(images, ["relu4_2"])["relu4_2"], theirs(normalised).relu())


def test_it_is_frozen_but_the_picture_gets_a_gradient(vgg) -> None:
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    vgg(images, ["relu2_2"])["relu2_2"].sum().backward()
    assert images.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in vgg.parameters())


def test_wrong_layers_and_shapes_are_told(vgg) -> None:
    with pytest.raises(ValueError, match="no layer relu9_9"):
        vgg(torch.zeros(1, 3, 16, 16), ["relu9_9"])
    with pytest.raises(ValueError, match="colour"):
        vgg(torch.zeros(1, 1, 16, 16), ["relu1_1"])
