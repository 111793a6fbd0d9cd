"""VGG16 as a way of seeing: what its layers answer to a picture, for comparing content and style."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512))  # up to relu4_2, which is as far as the course goes
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, for pictures in [0, 1]
DEVIATION = (0.229, 0.224, 0.225)


class VGGFeatures(nn.Module):
    """The first convolutions of VGG16 (Simonyan and Zisserman, 2014), whose answers can be taken at every ReLU.

    Layers are called as in the literature: "relu2_1" is the answer of the first convolution after the first pooling.
    The network is frozen; gradients flow through it to the picture. ``pretrained.load_vgg`` gives it with its weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.places: dict[str, int] = {}
        in_channels = 3
        for block, widths in enumerate(WIDTHS, start=1):
            for number, out_channels in enumerate(widths, start=1):
                layers += [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU()]
                self.places[f"relu{block}_{number}"] = len(layers) - 1
                in_channels = out_channels
            if block < len(WIDTHS):
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Images (N, 3, H, W) in [-1, 1], sides of 8 or more -> the answers of the named layers, (N, C, H', W') each.

        Raises:
            ValueError: a layer that there is not, or pictures that are not in colour.
        """
        unknown = set(layers) - set(self.places)
        if unknown:
            raise ValueError(
                f"VGG16 has no layer {', '.join(sorted(unknown))} here; there are {', '.join(self.places)}"
            )
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"VGG16 looks at colour pictures (N, 3, H, W), got shape {tuple(images.shape)}")
        wanted = {self.places[name]: name for name in layers}
        answers = {}
        x = ((images + 1) / 2 - self.mean) / self.deviation
        for place, layer in enumerate(self.features[: max(wanted, default=-1) + 1]):
            x = layer(x)
            if place in wanted:
                answers[wanted[place]] = x
        return {name: answers[name] for name in layers}
