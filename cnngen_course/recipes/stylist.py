"""The network that repaints a picture in one pass, in any of its styles or in a mixture of two."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import Crops, make_loader
from cnngen_course.galleries import STYLES, cut_photos, load_photos
from cnngen_course.models.stylist import Stylist
from cnngen_course.models.vgg import VGGFeatures
from cnngen_course.objectives.style import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    Style,
    Stylising,
    compute_content_distance,
    repaint,
)
from cnngen_course.pretrained import Metric, load_vgg
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

STEPS = 40  # of repainting the squares that are measured
PAIRS = 2  # photographs repainted in each style


def make_styles(vgg: VGGFeatures) -> list[Style]:
    return [Style(vgg, load_pictures()) for load_pictures in STYLES.values()]


def train(model: Stylist, settings: dict[str, Any]) -> None:
    """Train in two parts: boldly, until each style has found its strokes, then with more regard to the content."""
    vgg = load_vgg()
    photos = [photo.pixels for photo in load_photos("train")]
    styles = make_styles(vgg)
    bold = round(settings["bold_share"] * settings["steps"])
    for steps, strength in ((bold, settings["bold_strength"]), (settings["steps"] - bold, settings["strength"])):
        fit(
            model,
            Stylising(vgg, styles, strength),
            make_loader(Crops(photos, settings["size"]), settings["batch_size"]),
            steps=steps,
            lr=settings["lr"],
            average=settings["average"],
            precision=pick_precision(),
        )


@torch.inference_mode()
def compute_distances(vgg: VGGFeatures, painted: Tensor, images: Tensor, style: Style) -> tuple[Tensor, Tensor]:
    """Return how far painted pictures are from what they show and from how they should be painted: (N,) and (N,)."""
    answers, wanted = vgg(painted, STYLE_LAYERS), vgg(images, [CONTENT_LAYER])
    content = compute_content_distance(answers[CONTENT_LAYER], wanted[CONTENT_LAYER])
    return content, style.compute_distance(answers)


def measure(model: Stylist, count: int | None) -> dict[str, Metric]:
    """Measure both ways on unseen photographs, the mean of all styles: the network, and repainting in 40 steps.

    ``style_photo`` is how far the photographs are from the styles before anything is done, ``copy_error`` the mean
    squared error of the style "as it is".
    """
    vgg, images = load_vgg(), cut_photos("test")[:count]
    found: dict[str, list[Tensor]] = {"photo": [], "network": [], "repaint": []}
    for number, style in enumerate(make_styles(vgg), start=1):
        with torch.inference_mode():
            painted = model(images, torch.full((len(images),), number))
        few = images[PAIRS * (number - 1) : PAIRS * number]
        for name, pair in {"photo": (images, images), "network": (painted, images)}.items():
            found[name].append(torch.stack(compute_distances(vgg, *pair, style)))
        *_, repainted = repaint(vgg, few, style, steps=STEPS)
        found["repaint"].append(torch.stack(compute_distances(vgg, repainted, few, style)))
    means = {name: torch.cat(values, dim=1) for name, values in found.items()}  # (2, pictures) each
    with torch.inference_mode():
        copied = model(images, torch.zeros(len(images), dtype=torch.int64))
    ways = ("network", "repaint")
    return {
        "style_photo": Metric(means["photo"][1].mean().item(), means["photo"].shape[1]),
        **{f"content_{way}": Metric(means[way][0].mean().item(), means[way].shape[1]) for way in ways},
        **{f"style_{way}": Metric(means[way][1].mean().item(), means[way].shape[1]) for way in ways},
        "copy_error": Metric((copied - images).square().mean().item(), len(images)),
    }


RECIPE = Recipe(
    name="stylist",
    model=Stylist,
    arguments={"style_count": 1 + len(STYLES), "width": 32, "depth": 5},  # style 0 leaves the picture as it is
    data="photos",
    settings={
        "steps": 4200,
        "bold_share": 0.643,
        "bold_strength": 10.0,
        "strength": 4.0,
        "batch_size": 4,
        "size": 96,
        "lr": 1e-3,
        "average": 0.995,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
