"""The repairer of clothes: damaged pictures of 28 x 28 in, whole ones out."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.masks import sample_masks
from cnngen_course.metrics import compute_hole_psnr
from cnngen_course.models.unet import Inpainter
from cnngen_course.objectives.inpainting import Inpainting
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

TEST_COUNT = 2000
DAMAGE = (("mixed", 1500), ("free_form", 1000), ("centre", 500))  # kind and number of the masks to learn from


def train(model: Inpainter, settings: dict[str, Any]) -> None:
    fit(
        model,
        Inpainting(sample_training_masks(28), power=settings["power"]),
        make_loader(load_fashion_mnist("train"), settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


def sample_training_masks(size: int) -> Tensor:
    """Return masks of all kinds, most of them free-form, (3000, 1, size, size); other seeds than in any test."""
    return torch.cat([sample_masks(kind, count, size, 1000 + seed) for seed, (kind, count) in enumerate(DAMAGE)])


def measure(model: Inpainter, count: int | None) -> dict[str, Metric]:
    images = load_fashion_mnist("test").images[: count or TEST_COUNT]
    return measure_holes(model, images)


def measure_holes(model: nn.Module, images: Tensor) -> dict[str, Metric]:
    """Measure the repair of centre holes and of free-form damage, in decibels of the missing pixels alone."""
    metrics = {}
    for kind in ("centre", "free_form"):
        known = sample_masks(kind, len(images), images.shape[3])
        metrics[f"psnr_{kind}"] = Metric(compute_hole_psnr(repair(model, images, known), images, known), len(images))
    return metrics


@torch.inference_mode()
def repair(model: nn.Module, images: Tensor, known: Tensor) -> Tensor:
    """Repair any number of pictures, a hundred at a time."""
    batches = zip(images.split(100), known.split(100), strict=True)
    return torch.cat([model(*batch) for batch in batches])


RECIPE = Recipe(
    name="inpainter",
    model=Inpainter,
    arguments={"channels": 1, "widths": [32, 64, 128], "kind": "plain", "corrects": True},
    data="fashion_mnist",
    settings={"steps": 10000, "batch_size": 32, "lr": 3e-3, "average": 0.998, "power": 2},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
