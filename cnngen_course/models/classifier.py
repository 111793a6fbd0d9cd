"""A convolutional classifier, whose inner features also serve as the course's judge of pictures."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from cnngen_course.blocks import ConvNormAct, Downsample, make_block


class Classifier(nn.Module):
    """Stages of blocks at falling resolution, then a mean over places, then one linear layer.

    Args:
        in_channels: 1 for grey pictures, 3 for colour.
        class_count: how many classes to tell apart.
        widths: channels of each stage; each stage after the first halves height and width.
        depth: blocks per stage.
        block: a name in ``blocks.BLOCKS``.
        feature_count: length of the feature vector that the last layer (and the judge) reads.
        style: ``activation`` and ``normalise`` of all blocks.
    """

    def __init__(
        self,
        in_channels: int = 1,
        class_count: int = 10,
        widths: Sequence[int] = (16, 32, 64),
        depth: int = 1,
        block: str = "residual",
        feature_count: int = 64,
        **style: Any,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvNormAct(in_channels, widths[0], **style)]
        for stage, width in enumerate(widths):
            if stage > 0:
                layers.append(Downsample(widths[stage - 1], width, **style))
            layers += [make_block(block, width, width, **style) for _ in range(depth)]
        layers.append(ConvNormAct(widths[-1], feature_count, kernel_size=1, **style))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(feature_count, class_count)

    def compute_features(self, images: Tensor) -> Tensor:
        """Return one vector a picture: (N, C, H, W) in [-1, 1] -> (N, feature_count)."""
        return self.body(images).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, class_count); their softmax is the probability of each class."""
        return self.head(self.compute_features(images))
