"""An autoencoder: a picture squeezed into a short vector, and a decoder that draws it from the vector."""

import torch
from torch import Tensor, nn

from cnngen_course.blocks import ConvNormAct, Downsample, ResidualBlock, Upsample, make_block


class Encoder(nn.Module):
    """(N, C, 28, 28) -> (N, latent_size)."""

    def __init__(self, in_channels: int, width: int, latent_size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvNormAct(in_channels, width),  # (N, width, 28, 28)
            Downsample(width, 2 * width),  # (N, 2·width, 14, 14)
            ResidualBlock(2 * width, 2 * width),
            Downsample(2 * width, 4 * width),  # (N, 4·width, 7, 7)
            ResidualBlock(4 * width, 4 * width),
            nn.Flatten(),
            nn.Linear(4 * width * 7 * 7, latent_size),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Decoder(nn.Module):
    """(N, latent_size) -> (N, C, 28, 28) in [-1, 1]; ``block`` is a name in ``blocks.BLOCKS``."""

    def __init__(
        self, out_channels: int, width: int, latent_size: int, upsampling: str = "shuffle", block: str = "residual"
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_size, 4 * width * 7 * 7),
            nn.Unflatten(1, (4 * width, 7, 7)),
            make_block(block, 4 * width, 4 * width),
            Upsample(4 * width, 2 * width, upsampling),  # (N, 2·width, 14, 14)
            make_block(block, 2 * width, 2 * width),
            Upsample(2 * width, width, upsampling),  # (N, width, 28, 28)
            nn.Conv2d(width, out_channels, 3, padding=1),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.layers(latents))


class Autoencoder(nn.Module):
    """Encoder and decoder in a row. With ``latent_size=2`` every picture is a point on a map."""

    def __init__(
        self, in_channels: int = 1, width: int = 16, latent_size: int = 16, upsampling: str = "shuffle"
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(in_channels, width, latent_size)
        self.decoder = Decoder(in_channels, width, latent_size, upsampling)

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstruction, same shape as ``images``."""
        return self.decoder(self.encoder(images))
