"""The conditional variational autoencoder: class, size and brightness in, one of many pictures out."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_features, compute_frechet, compute_label_consistency, compute_psnr
from cnngen_course.models.vae import ConditionalVAE, compute_details
from cnngen_course.objectives.variational import Variational, choose_noise, fit_prior, sample_images
from cnngen_course.pretrained import Metric, load_judge
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

CANDIDATES = 4  # draws a picture, of which the one that most probably belongs to its class is measured


def train(model: ConditionalVAE, settings: dict[str, Any]) -> None:
    data = load_fashion_mnist("train")
    fit(
        model,
        Variational(settings["spread"]),
        make_loader(data, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )
    fit_prior(model, data.images, data.labels)


def measure(model: ConditionalVAE, count: int | None) -> dict[str, Metric]:
    test, judge = load_fashion_mnist("test").select(slice(count)), load_judge()
    images, labels = draw(model, len(test))
    copies = reconstruct(model, test.images, test.labels)
    distance = compute_frechet(compute_features(judge, test.images), compute_features(judge, images))
    return {
        "frechet": Metric(distance, len(test)),
        "label_consistency": Metric(compute_label_consistency(judge, images, labels).value, len(test)),
        "psnr": Metric(compute_psnr(copies, test.images).mean().item(), len(test)),
    }


def draw(model: ConditionalVAE, count: int) -> tuple[Tensor, Tensor]:
    """Draw for labels and details of training pictures chosen at random: images (count, 1, 28, 28), labels (count,)."""
    data, chance = load_fashion_mnist("train"), torch.Generator().manual_seed(0)
    chosen = data.select(torch.randint(len(data), (count,), generator=chance))
    details = compute_details(chosen.images)
    noise = choose_noise(model, chosen.labels, details, CANDIDATES, chance)
    return sample_images(model, chosen.labels, details, noise), chosen.labels


@torch.inference_mode()
def reconstruct(model: ConditionalVAE, images: Tensor, labels: Tensor) -> Tensor:
    batches = zip(images.split(500), labels.split(500), strict=True)
    return torch.cat([model(some, named, compute_details(some)) for some, named in batches])


RECIPE = Recipe(
    name="vae",
    model=ConditionalVAE,
    arguments={"width": 16, "latent_size": 24},
    data="fashion_mnist",
    settings={"steps": 10000, "batch_size": 64, "lr": 3e-3, "average": 0.998, "spread": 0.25},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
