"""Learning to draw from labels: the plain squared error, and the variational bound that leaves room for chance."""

import torch
from torch import Tensor, nn

from cnngen_course.models.vae import ConditionalDecoder, ConditionalVAE, compute_details


class PixelError:
    """Mean squared error between a picture and what the decoder draws for its label and details."""

    def __call__(self, model: ConditionalDecoder, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        return {"loss": nn.functional.mse_loss(model(labels, compute_details(images)), images)}


class Variational:
    """The negative evidence lower bound of a picture, up to a constant, in nats.

    ‖x - x̂‖² / (2·spread²) + KL(q(z|x) ‖ N(0, 1)). ``spread`` is how far a pixel may lie from the drawn one, as a
    standard deviation in [-1, 1]: a small one asks for exact copies, a large one for a tidy latent space.
    """

    def __init__(self, spread: float = 0.2) -> None:
        if spread <= 0:
            raise ValueError(f"spread is a standard deviation above 0, got {spread}")
        self.spread = spread

    def __call__(self, model: ConditionalVAE, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        mean, log_variance = (part.float() for part in model.encode(images))
        copies = model.decode(sample_latents(mean, log_variance), labels, compute_details(images))
        error = (copies.float() - images).square().flatten(1).sum(dim=1) / (2 * self.spread**2)  # (N,)
        divergence = compute_kl(mean, log_variance)  # (N,)
        return {"loss": (error + divergence).mean(), "error": error.mean().detach(), "kl": divergence.mean().detach()}


def sample_latents(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw from N(mean, exp(log_variance)) so that gradients reach both: mean + spread · noise, noise ~ N(0, 1)."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)


def compute_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, exp(log_variance)) ‖ N(0, 1)) in nats, summed over the latent numbers: (N, D) -> (N,)."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1)
