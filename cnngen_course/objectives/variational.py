"""Learning to draw from labels: the plain squared error, and the variational bound that leaves room for chance."""

import torch
from torch import Tensor, nn

from cnngen_course.datasets import ImageSet
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


@torch.inference_mode()
def fit_prior(model: ConditionalVAE, images: Tensor, labels: Tensor, batch_size: int = 500) -> None:
    """Find where the latents of each class lie, so that ``model.place`` draws there instead of from N(0, 1).

    One Gaussian a class, whose mean follows the details in a line (Ghosh et al., 2020, fit one after training too).

    Raises:
        ValueError: a class has too few pictures for the covariance of its latents.
    """
    encoded = [torch.stack(model.encode(batch)) for batch in images.split(batch_size)]
    mean, log_variance = torch.cat(encoded, dim=1)  # each (N, latent_size)
    told = model.condition(labels, compute_details(images))[:, model.condition.class_count :]
    told = torch.cat([torch.ones(len(images), 1), told], dim=1)  # (N, 3): always 1, size, brightness
    for label in range(model.condition.class_count):
        here = labels == label
        if here.sum() <= model.latent_size:
            raise ValueError(f"class {label} needs more than {model.latent_size} pictures, got {here.sum()}")
        model.centre[label] = torch.linalg.lstsq(told[here], mean[here]).solution
        left = mean[here] - told[here] @ model.centre[label]
        covariance = left.T @ left / len(left) + log_variance[here].exp().mean(dim=0).diag()
        model.root[label] = torch.linalg.cholesky(covariance)


@torch.inference_mode()
def compute_class_posterior(model: ConditionalVAE, latents: Tensor, details: Tensor) -> Tensor:
    """Return p(class | latents, details) by Bayes' rule, all classes equally likely beforehand: (N, class_count).

    It compares the Gaussians that ``fit_prior`` found, so it costs no picture.
    """
    scores = []
    for label in range(model.condition.class_count):
        centre = model.place(torch.zeros_like(latents), torch.full((len(latents),), label), details)
        noise = torch.linalg.solve_triangular(model.root[label], (latents - centre).T, upper=False).T
        scores.append(-0.5 * noise.square().sum(dim=1) - model.root[label].diagonal().log().sum())
    return torch.stack(scores, dim=1).softmax(dim=1)


@torch.inference_mode()
def choose_noise(
    model: ConditionalVAE,
    labels: Tensor,
    details: Tensor,
    candidates: int = 4,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw ``candidates`` noise vectors a picture and keep that whose latents most probably belong to the class.

    Returns noise (N, latent_size) for ``sample_images``. The Gaussians of two classes overlap, and what is drawn in
    the overlap looks like either: this draws elsewhere.
    """
    if candidates < 1:
        raise ValueError(f"there must be a candidate to choose from, got candidates={candidates}")
    noise = torch.randn(len(labels), candidates, model.latent_size, generator=generator)
    told = labels.repeat_interleave(candidates), details.repeat_interleave(candidates, dim=0)
    posterior = compute_class_posterior(model, model.place(noise.flatten(0, 1), *told), told[1])
    fitness = posterior.gather(1, told[0][:, None]).view(len(labels), candidates)
    return noise[torch.arange(len(labels)), fitness.argmax(dim=1)]


@torch.inference_mode()
def sample_images(
    model: ConditionalVAE, classes: Tensor, details: Tensor, noise: Tensor | None = None, batch_size: int = 500
) -> Tensor:
    """Draw one picture (N, 1, 28, 28) for each condition, from the given noise or from new noise ~ N(0, 1).

    ``classes`` is labels (N,) or weights (N, class_count), ``details`` (N, 2) is size and brightness in [0, 1].
    """
    if noise is None:
        noise = torch.randn(len(details), model.latent_size)
    parts = zip(*(part.split(batch_size) for part in (noise, classes, details)), strict=True)
    return torch.cat([model.decode(model.place(*part), *part[1:]) for part in parts])


def choose_conditions(data: ImageSet, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return labels (count,) and details (count, 2) of pictures chosen at random: what a generator is asked for."""
    chosen = data.select(torch.randint(len(data), (count,), generator=torch.Generator().manual_seed(seed)))
    return chosen.labels, compute_details(chosen.images)


def find_alike(data: ImageSet, label: int, size: float, brightness: float, reach: float = 0.04) -> Tensor:
    """Return the images (N, 1, 28, 28) of a class whose size and brightness lie within ``reach`` of those given."""
    images = data.select(data.labels == label).images
    return images[((compute_details(images) - torch.tensor([size, brightness])).abs() <= reach).all(dim=1)]
