"""The judge: a residual classifier of Fashion-MNIST whose features measure every generator of the course."""

from typing import Any

from cnngen_course.augmentation import RandomErase, RandomShift, random_flip
from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import Classification, compute_accuracy
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def train(model: Classifier, settings: dict[str, Any]) -> None:
    data = load_fashion_mnist("train").with_augmentation(random_flip, RandomShift(2), RandomErase(8))
    fit(
        model,
        Classification(label_smoothing=0.05),
        make_loader(data, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        weight_decay=settings["weight_decay"],
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: Classifier, count: int | None) -> dict[str, Metric]:
    test = load_fashion_mnist("test").select(slice(count))
    return {"accuracy": Metric(compute_accuracy(model, test.images, test.labels), len(test))}


RECIPE = Recipe(
    name="judge",
    model=Classifier,
    arguments={"widths": [32, 64, 96], "depth": 1, "block": "residual", "feature_count": 64},
    data="fashion_mnist",
    settings={"steps": 9000, "batch_size": 128, "lr": 3e-3, "weight_decay": 0.05, "average": 0.998},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
