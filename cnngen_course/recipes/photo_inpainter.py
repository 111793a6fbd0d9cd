"""The repairer of colour photographs: it corrects the soap film instead of painting the whole hole."""

from typing import Any

from cnngen_course.datasets import Crops, make_loader
from cnngen_course.galleries import cut_squares, load_photos
from cnngen_course.masks import sample_masks
from cnngen_course.metrics import compute_hole_psnr
from cnngen_course.models.unet import Inpainter
from cnngen_course.objectives.inpainting import Inpainting
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.inpainter import measure_holes, sample_training_masks
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.restoration import FILLS
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

SIZE = 64


def train(model: Inpainter, settings: dict[str, Any]) -> None:
    photos = [photo.pixels for photo in load_photos("train")]
    fit(
        model,
        Inpainting(sample_training_masks(SIZE), power=settings["power"]),
        make_loader(Crops(photos, SIZE), settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: Inpainter, count: int | None) -> dict[str, Metric]:
    """Measure as for clothes, and how much better free-form damage is repaired than by the best classical way."""
    images = cut_squares("test")[:count]
    metrics = measure_holes(model, images)
    known = sample_masks("free_form", len(images), SIZE)
    best = max(compute_hole_psnr(fill(images, known), images, known) for fill in FILLS.values())
    return metrics | {"gain_free_form": Metric(metrics["psnr_free_form"].value - best, len(images))}


RECIPE = Recipe(
    name="photo_inpainter",
    model=Inpainter,
    arguments={"channels": 3, "widths": [32, 64, 128, 128], "kind": "plain", "corrects": True},
    data="photos",
    settings={"steps": 6000, "batch_size": 16, "lr": 2e-3, "average": 0.998, "power": 2},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
