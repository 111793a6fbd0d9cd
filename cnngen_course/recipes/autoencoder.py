"""The autoencoder of the lesson on upsampling: sixteen numbers for a picture."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_psnr, compute_ssim
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.objectives.reconstruction import Reconstruction
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def train(model: Autoencoder, settings: dict[str, Any]) -> None:
    # No mirroring: all shoes of this set point left, and sixteen numbers are too few to waste one on the side.
    data = load_fashion_mnist("train")
    fit(
        model,
        Reconstruction("squared"),
        make_loader(data, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: Autoencoder, count: int | None) -> dict[str, Metric]:
    images = load_fashion_mnist("test").select(slice(count)).images
    copies = reconstruct(model, images)
    return {
        "psnr": Metric(compute_psnr(copies, images).mean().item(), len(images)),
        "ssim": Metric(compute_ssim(copies, images).mean().item(), len(images)),
    }


@torch.inference_mode()
def reconstruct(model: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([model(batch) for batch in images.split(500)])


RECIPE = Recipe(
    name="autoencoder",
    model=Autoencoder,
    arguments={"width": 16, "latent_size": 16},
    data="fashion_mnist",
    settings={"steps": 10000, "batch_size": 64, "lr": 4e-3, "average": 0.998},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
