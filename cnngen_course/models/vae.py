"""Decoders that draw what they are told: from a label with its details, and from those plus a latent vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnngen_course.models.autoencoder import Decoder, Encoder

DETAIL_NAMES = ("size", "brightness")


def compute_details(images: Tensor) -> Tensor:
    """Measure what goes with a label: (N, 1, H, W) in [-1, 1] -> (N, 2), size and brightness, each in [0, 1].

    Size is the share of pixels that are not nearly black; brightness is the mean grey of these pixels, 1 for white.
    """
    grey = (images.flatten(1) + 1) / 2  # (N, H·W)
    shown = grey > 0.05
    size = shown.float().mean(dim=1)
    brightness = (grey * shown).sum(dim=1) / shown.sum(dim=1).clamp(min=1)
    return torch.stack([size, brightness], dim=1)


class Condition(nn.Module):
    """Turns class weights and details into one vector: (N, class_count) and (N, 2) -> (N, class_count + 2).

    Details are centred and scaled by mean and spread over the training set, so that they weigh as much as a class.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, class_count: int, detail_mean: Sequence[float], detail_spread: Sequence[float]) -> None:
        super().__init__()
        self.class_count = class_count
        self.size = class_count + len(detail_mean)
        self.register_buffer("mean", torch.tensor(detail_mean), persistent=False)
        self.register_buffer("spread", torch.tensor(detail_spread), persistent=False)

    def forward(self, classes: Tensor, details: Tensor) -> Tensor:
        """``classes`` is labels (N,) int64, or weights (N, class_count) that mix classes; details lie in [0, 1].

        Raises:
            ValueError: a class that does not exist, details out of range, or a wrong shape.
        """
        check_condition(classes, details, self.class_count)
        weights = F.one_hot(classes, self.class_count).float() if classes.ndim == 1 else classes
        return torch.cat([weights, (details - self.mean) / self.spread], dim=1)


def check_condition(classes: Tensor, details: Tensor, class_count: int) -> None:
    """Raise ValueError unless classes and details are what ``Condition`` takes."""
    if classes.shape not in ((len(details),), (len(details), class_count)):
        raise ValueError(
            f"classes are labels (N,) or weights (N, {class_count}), one for each of the N = {len(details)} details, "
            f"got shape {tuple(classes.shape)}"
        )
    if classes.is_floating_point() != (classes.ndim == 2):
        raise ValueError(f"labels (N,) are whole numbers and weights (N, {class_count}) floats, got {classes.dtype}")
    if classes.ndim == 1 and not ((classes >= 0) & (classes < class_count)).all():
        raise ValueError(f"there are classes 0 to {class_count - 1}, got {classes.min()} to {classes.max()}")
    if details.ndim != 2 or details.shape[1] != len(DETAIL_NAMES):
        raise ValueError(f"details are {' and '.join(DETAIL_NAMES)}, shape (N, 2), got {tuple(details.shape)}")
    if not ((details >= 0) & (details <= 1)).all():  # NaN compares as false
        raise ValueError(f"details lie in [0, 1], got {details.min():.3g} to {details.max():.3g}")


class ConditionalDecoder(nn.Module):
    """Label and details in, picture out: one picture for each condition, nothing left to chance."""

    def __init__(self, condition: Condition, width: int = 16) -> None:
        super().__init__()
        self.condition = condition
        self.decoder = Decoder(1, width, condition.size)

    def forward(self, classes: Tensor, details: Tensor) -> Tensor:
        """(N,) labels or (N, class_count) weights, and (N, 2) details -> (N, 1, 28, 28) in [-1, 1]."""
        return self.decoder(self.condition(classes, details))


class ConditionalVAE(nn.Module):
    """A variational autoencoder (Kingma and Welling, 2013) whose decoder is also told label and details.

    What the condition says need not pass through the latent vector, so the vector is left with what the label does
    not say: the cut, the print, the length of the sleeves.
    """

    centre: Tensor
    root: Tensor

    def __init__(
        self,
        class_count: int = 10,
        detail_mean: tuple[float, float] = (0.465, 0.608),
        detail_spread: tuple[float, float] = (0.147, 0.163),
        width: int = 24,
        latent_size: int = 24,
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.condition = Condition(class_count, detail_mean, detail_spread)
        self.encoder = Encoder(1, width, 2 * latent_size)
        self.decoder = Decoder(1, width, latent_size + self.condition.size)
        # Where the latents of each class lie: a mean that follows the details, and the root of a covariance.
        # N(0, 1) until fit_prior() has looked.
        self.register_buffer("centre", torch.zeros(class_count, 1 + len(detail_mean), latent_size))
        self.register_buffer("root", torch.eye(latent_size).repeat(class_count, 1, 1))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of each latent number, both (N, latent_size)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def place(self, noise: Tensor, classes: Tensor, details: Tensor) -> Tensor:
        """Move noise ~ N(0, 1) to where the latents of these classes and details lie: (N, latent_size) both."""
        weights, told = self.condition(classes, details).split([self.condition.class_count, len(DETAIL_NAMES)], dim=1)
        told = torch.cat([torch.ones_like(told[:, :1]), told], dim=1)  # (N, 3): always 1, size, brightness
        centre = torch.einsum("nk,nt,ktl->nl", weights, told, self.centre)
        return centre + torch.einsum("nk,klm,nm->nl", weights, self.root, noise)

    def decode(self, latents: Tensor, classes: Tensor, details: Tensor) -> Tensor:
        """(N, latent_size), (N,) labels or (N, class_count) weights, (N, 2) details -> (N, 1, 28, 28) in [-1, 1]."""
        return self.decoder(torch.cat([latents, self.condition(classes, details)], dim=1))

    def forward(self, images: Tensor, classes: Tensor, details: Tensor) -> Tensor:
        """Return the reconstruction from the mean of the latent distribution, same shape as ``images``."""
        return self.decode(self.encode(images)[0], classes, details)


SLEEVES = slice(12, 24), 6  # rows below short sleeves, columns at each side


def compute_sleeves(images: Tensor) -> Tensor:
    """Measure the sleeves of tops: (N, 1, 28, 28) in [-1, 1] -> (N,), mean grey (0 to 1) where long sleeves hang."""
    rows, columns = SLEEVES
    sides = images[:, 0, rows]  # (N, 12, 28)
    return (torch.cat([sides[..., :columns], sides[..., -columns:]], dim=2).mean(dim=(1, 2)) + 1) / 2
