"""The generator of lessons 00 and 08: a class and 64 random numbers for a piece of clothing, trained as a game."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.adversarial_training import fit_adversarial
from cnngen_course.datasets import RandomErase, RandomShift, load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_features, compute_frechet, compute_label_consistency
from cnngen_course.models.gan import Discriminator, Generator
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, sample_images
from cnngen_course.pretrained import Metric, load_pretrained
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import compute_diversity, compute_kernel_distance, compute_precision_recall


def train(model: nn.Module, settings: dict[str, Any]) -> None:
    # After some minutes the discriminator knows the real pictures too well, and sandals lose their variety: the penalty
    # keeps it from growing steep, the augmentation from learning them by heart.
    fit_adversarial(
        model,
        Discriminator(),
        Adversarial("relativistic", DifferencePenalty(settings["penalty"]), sometimes_change),
        make_loader(load_fashion_mnist("train"), settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


def sometimes_change(images: Tensor) -> Tensor:
    """Shift and cover a third of the pictures: were most of them changed, the generator would draw such pictures."""
    changed = RandomErase(8)(RandomShift(2)(images))
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 1 / 3
    return torch.where(chosen, changed, images)


def measure(model: nn.Module, count: int | None) -> dict[str, Metric]:
    test, judge = load_fashion_mnist("test").select(slice(count)), load_pretrained("judge")
    images = sample_images(model, test.labels, random=torch.Generator().manual_seed(0))
    real, generated = compute_features(judge, test.images), compute_features(judge, images)
    precision, recall = compute_precision_recall(real, generated)
    values = {
        "frechet": compute_frechet(real, generated),
        "kernel_distance": compute_kernel_distance(real, generated).value,
        "precision": precision.value,
        "recall": recall.value,
        "label_consistency": compute_label_consistency(judge, images, test.labels).value,
        "diversity": compute_diversity(test.images, test.labels, images, test.labels).mean,
    }
    return {name: Metric(value, len(test)) for name, value in values.items()}


RECIPE = Recipe(
    name="generator",
    model=Generator,
    arguments={"latent_size": 64, "width": 12, "class_count": 10},
    data="fashion_mnist",
    settings={"steps": 22000, "batch_size": 64, "lr": 2e-3, "penalty": 0.3, "average": 0.999},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
