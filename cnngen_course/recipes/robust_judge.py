"""A small judge that learned from attacked pictures; ``plain_judge`` is its twin that never met one."""

from typing import Any

import torch
from torch import nn

from cnngen_course.attacks import LEVEL, attack_stepwise, make_aim
from cnngen_course.datasets import RandomShift, load_fashion_mnist, make_loader, random_flip
from cnngen_course.models.quick_classifier import QuickClassifier
from cnngen_course.objectives.classification import compute_accuracy
from cnngen_course.objectives.robust import RobustClassification
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

ATTACKED = 1000  # test pictures on which the attack is measured
TEST_LEVELS = 8  # grey levels that the measured attack may change


def train(model: nn.Module, settings: dict[str, Any]) -> None:
    data = load_fashion_mnist("train").with_augmentation(random_flip, RandomShift(1))
    fit(
        model,
        RobustClassification(settings["levels"] * LEVEL, settings["clean"]),
        make_loader(data, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        weight_decay=settings["weight_decay"],
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: nn.Module, count: int | None) -> dict[str, Metric]:
    """Return the accuracy on honest test pictures, and on attacked ones (PGD, 10 steps, 8 grey levels)."""
    test = load_fashion_mnist("test").select(slice(count))
    few = test.select(slice(ATTACKED))
    random = torch.Generator().manual_seed(0)
    changed = attack_stepwise(make_aim(model, few.labels), few.images, TEST_LEVELS * LEVEL, random=random)
    return {
        "accuracy": Metric(compute_accuracy(model, test.images, test.labels), len(test)),
        "attacked_accuracy": Metric(compute_accuracy(model, changed, few.labels), len(few)),
    }


RECIPE = Recipe(
    name="robust_judge",
    model=QuickClassifier,
    arguments={},
    data="fashion_mnist",
    settings={
        "steps": 5000,
        "batch_size": 128,
        "lr": 4e-3,
        "weight_decay": 0.02,
        "average": 0.995,
        "levels": 8,
        "clean": 0.0,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
