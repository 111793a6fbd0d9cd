"""The PixelCNN: the probability of a picture of clothing, and pictures drawn from it."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_features, compute_frechet, compute_label_consistency, compute_share
from cnngen_course.models.pixelcnn import PixelCNN
from cnngen_course.objectives.likelihood import (
    Likelihood,
    compute_class_posterior,
    compute_log_likelihood,
    sample_levels,
    to_bits_per_dimension,
    to_grey,
    to_levels,
)
from cnngen_course.pretrained import Metric, load_judge
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def train(model: PixelCNN, settings: dict[str, Any]) -> None:
    fit(
        model.to(memory_format=torch.channels_last),
        Likelihood(),
        make_loader(load_fashion_mnist("train"), settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: PixelCNN, count: int | None) -> dict[str, Metric]:
    """Likelihood on all test pictures, Bayes' rule on the first 1,000, draws of 2,000 pictures, 200 of each class."""
    test = load_fashion_mnist("test").select(slice(count))
    levels = to_levels(test.images, model.level_count)
    bits = to_bits_per_dimension(compute_log_likelihood(model, levels, test.labels), levels[0].numel())
    few = min(1000, len(test))
    named = compute_class_posterior(model, levels[:few]).argmax(dim=1)
    right = compute_share(int((named == test.labels[:few]).sum()), few)

    judge, labels = load_judge(), torch.arange(10).repeat(200)[:count]
    images = draw(model, labels)
    real = load_fashion_mnist("test").images[: len(images)]
    distance = compute_frechet(compute_features(judge, real), compute_features(judge, images))
    return {
        "bits_per_dimension": Metric(bits.mean().item(), len(test)),
        "accuracy": Metric(right.value, right.n),
        "label_consistency": Metric(compute_label_consistency(judge, images, labels).value, len(images)),
        "frechet": Metric(distance, len(images)),
    }


def draw(model: PixelCNN, labels: Tensor) -> Tensor:
    """Return one drawn picture a label, always the same ones: (N,) -> (N, 1, 28, 28) in [-1, 1]."""
    chance = torch.Generator().manual_seed(0)
    drawn = [sample_levels(model, some, generator=chance) for some in labels.split(250)]
    return to_grey(torch.cat(drawn), model.level_count)


RECIPE = Recipe(
    name="pixelcnn",
    model=PixelCNN,
    arguments={"level_count": 16, "width": 40, "depth": 6, "reach": 2, "head_width": 64},
    data="fashion_mnist",
    settings={"steps": 20000, "batch_size": 32, "lr": 3e-3, "average": 0.999},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
