"""The generator of clothes: a class and 64 random numbers for a piece of clothing, trained as a game."""

from typing import Any

import torch
from torch import nn

from cnngen_course.adversarial_training import fit_adversarial
from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_features, compute_frechet, compute_label_consistency
from cnngen_course.models.gan import Generator, NamingDiscriminator
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, sample_images
from cnngen_course.pretrained import Metric, load_judge
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import compute_diversity, compute_kernel_distance, compute_precision_recall
from cnngen_course.training import History


def train(model: Generator, settings: dict[str, Any]) -> None:
    train_set, judge = load_fashion_mnist("train"), load_judge()
    some = train_set.select(slice(5000))
    real = compute_features(judge, some.images)

    def evaluate(generator: nn.Module) -> dict[str, float]:
        return {"frechet": compute_frechet(real, compute_features(judge, sample_images(generator, some.labels)))}

    def report(generator: nn.Module, history: History) -> None:
        recent = history.steps[-200:]
        score = sum(step["score_real"] for step in recent) / len(recent)
        print(f"\n{history.evaluations[-1]}, score of real pictures {score:.3f}")

    fit_adversarial(
        model,
        NamingDiscriminator(),
        Adversarial("relativistic", DifferencePenalty(settings["penalty"]), naming=settings["naming"]),
        make_loader(train_set, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        decay=settings["decay"],
        average=settings["average"],
        precision=pick_precision(),
        evaluate=evaluate,
        evaluate_every=2000,
        on_evaluate=report,
    )


def measure(model: Generator, count: int | None) -> dict[str, Metric]:
    test, judge = load_fashion_mnist("test").select(slice(count)), load_judge()
    images = sample_images(model, test.labels, generator=torch.Generator().manual_seed(0))
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
    settings={
        "steps": 14000,
        "batch_size": 64,
        "lr": 1e-3,
        "decay": 0.0,
        "penalty": 0.1,
        "naming": 0.5,
        "average": 0.999,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
