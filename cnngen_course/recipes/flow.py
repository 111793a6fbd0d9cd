"""The network that turns noise into clothing along straight lines, by order of a class or without one."""

from typing import Any

import torch
from torch import nn

from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.metrics import compute_features, compute_frechet, compute_label_consistency
from cnngen_course.models.denoiser import Denoiser
from cnngen_course.objectives.flow import FlowMatching, sample_images
from cnngen_course.pretrained import Metric, load_judge
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import compute_diversity
from cnngen_course.training import History, fit

COUNT = 5000  # pictures behind each number: drawing as many takes a minute or two
STEPS = 20
GUIDANCE = 2.0


def train(model: Denoiser, settings: dict[str, Any]) -> None:
    train_set, test, judge = load_fashion_mnist("train"), load_fashion_mnist("test"), load_judge()
    some = test.select(slice(500))
    real = compute_features(judge, some.images)

    def evaluate(denoiser: nn.Module) -> dict[str, float]:
        images = sample_images(denoiser, some.labels, steps=10, guidance=GUIDANCE, precision=pick_precision())
        return {"frechet": compute_frechet(real, compute_features(judge, images))}

    def report(denoiser: nn.Module, history: History) -> None:
        print(f"\n{history.evaluations[-1]}")

    fit(
        model,
        FlowMatching(settings["drop"]),
        make_loader(train_set, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
        evaluate=evaluate,
        evaluate_every=2500,
        on_evaluate=report,
    )


def measure(model: Denoiser, count: int | None) -> dict[str, Metric]:
    """Measure with guidance, and the distance and the share of right classes without."""
    test, judge = load_fashion_mnist("test").select(slice(count or COUNT)), load_judge()
    real = compute_features(judge, test.images)
    values: dict[str, float] = {}
    for guidance, ending in ((GUIDANCE, ""), (1.0, "_unguided")):
        random = torch.Generator().manual_seed(0)
        images = sample_images(
            model, test.labels, steps=STEPS, guidance=guidance, generator=random, precision=pick_precision()
        )
        features = compute_features(judge, images)
        values |= {
            f"frechet{ending}": compute_frechet(real, features),
            f"label_consistency{ending}": compute_label_consistency(judge, images, test.labels, features).value,
            f"diversity{ending}": compute_diversity(test.images, test.labels, images, test.labels).mean,
        }
    return {name: Metric(value, len(test)) for name, value in values.items()}


RECIPE = Recipe(
    name="flow",
    model=Denoiser,
    arguments={"width": 64, "depth": 3, "class_count": 10, "channels": 1},
    data="fashion_mnist",
    settings={"steps": 5000, "batch_size": 64, "lr": 2e-3, "average": 0.999, "drop": 0.1},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
