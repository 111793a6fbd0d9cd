"""The network that repaints a picture in one pass, in any of its styles or in a mixture of two."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.datasets import Crops, make_loader
from cnngen_course.galleries import cut_photos, load_comics, load_painting, load_photos
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

CUT, CUTS = 96, 24  # pixels and number of the squares cut from the drawings
PAPER = 0.85  # of [-1, 1]; lighter pixels of a drawing are bare paper
STEPS = 40  # of repainting the squares that are measured
PAIRS = 2  # photographs repainted in each style


def cut_comics(paper: float) -> list[Tensor]:
    """Return squares of the drawings, (3, 96, 96) in [-1, 1], of which at most the share ``paper`` is bare paper."""
    squares = Crops([comic.pixels for comic in load_comics("train")], CUT, scale=(CUT / 200, 0.7))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cuts = torch.cat([squares.__getitems__(range(len(squares)))[0] for _ in range(3)])
    bare = (cuts.amin(dim=1) > PAPER).float().mean(dim=(1, 2))  # (N,)
    return list(cuts[bare <= paper][:CUTS])


def cut_ink() -> list[Tensor]:
    """Return squares of the drawings without their colours."""
    return [square.mean(dim=0, keepdim=True).expand(3, -1, -1) for square in cut_comics(0.5)]


def cut_blueprints() -> list[Tensor]:
    """Return the drawings as light lines on blue paper: what was white is blue, what was black is nearly white."""
    blue, light = (torch.tensor(colour).view(3, 1, 1) for colour in ([-0.85, -0.45, 0.25], [0.9, 0.95, 1.0]))
    return [blue + (light - blue) * (1 - square) / 2 for square in cut_ink()]


STYLES: dict[str, Callable[[], list[Tensor]]] = {  # style 0 of the network is "as it is", these follow
    "starry night": partial(load_painting, "The starry night"),
    "café terrace": partial(load_painting, "Café terrace at night"),
    "sunlit road": partial(load_painting, "The painter on the road to Tarascon"),
    "woodblock": partial(load_painting, "Waves"),
    "comic": partial(cut_comics, 0.3),
    "ink": cut_ink,
    "blueprint": cut_blueprints,
}


def make_styles(vgg: VGGFeatures) -> list[Style]:
    return [Style(vgg, load_pictures()) for load_pictures in STYLES.values()]


def train(model: nn.Module, settings: dict[str, Any]) -> None:
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


def measure(model: nn.Module, count: int | None) -> dict[str, Metric]:
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
    arguments={"style_count": len(STYLES) + 1, "width": 32, "depth": 5},
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
