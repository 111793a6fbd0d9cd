"""The colourist: outlines in, pictures in colour out; it obeys dabs of colour where there are some."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.augmentation import RandomRotate, RandomShift, chain, random_flip
from cnngen_course.datasets import Pairs, make_loader
from cnngen_course.galleries import load_emoji_pairs
from cnngen_course.metrics import compute_psnr
from cnngen_course.models.unet import PatchDiscriminator, UNet
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, Opponent
from cnngen_course.objectives.translation import Translation, colour, dab_fairly
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit

DABS = 10  # in the measurement with hints


def turn_half(images: Tensor) -> Tensor:
    """Turn half of the pictures a little: all of them would make every line soft."""
    chosen = torch.rand(len(images)) < 0.5
    return torch.where(chosen[:, None, None, None], RandomRotate(20)(images), images)


def load_pairs(split: str) -> Pairs:
    """Load outlines of one channel and the same emoji in colour, served mirrored, moved and turned alike."""
    outlines, colours = load_emoji_pairs(split)
    return Pairs(outlines.pixels[:, :1], colours.pixels, chain(random_flip, RandomShift(4), turn_half))


def train(model: UNet, settings: dict[str, Any]) -> None:
    game = Adversarial("relativistic", DifferencePenalty(0.1, every=4))
    opponent = Opponent(PatchDiscriminator(3, 1, width=32, depth=2), game, settings["lr"] / 2)
    fit(
        model,
        Translation(opponent, settings["weight"], settings["most_dabs"], settings["recolour"]),
        make_loader(load_pairs("train"), settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        weight_decay=settings["weight_decay"],
        momentum=0.5,
        average=settings["average"],
        precision=pick_precision(),
    )


def measure(model: UNet, count: int | None) -> dict[str, Metric]:
    """Measure mean absolute errors on held-out emoji, and what share they are of the uncoloured outline's error."""
    pairs = load_pairs("test")
    outlines, pictures = (both[:count] for both in Pairs(pairs.sources, pairs.targets).__getitems__(range(len(pairs))))
    drawn = {"": colour(model, outlines), "_ten_dabs": colour(model, outlines, dab_fairly(pictures, DABS))}
    bare = (outlines - pictures).abs().mean().item()
    values = {"l1_outline": bare}
    for name, images in drawn.items():
        error = (images - pictures).abs().mean().item()
        values |= {f"l1{name}": error, f"share{name}": error / bare}
        values[f"psnr{name}"] = compute_psnr(images, pictures).mean().item()
    return {name: Metric(value, len(pictures)) for name, value in values.items()}


RECIPE = Recipe(
    name="colourist",
    model=UNet,
    arguments={"in_channels": 5, "out_channels": 3, "widths": [32, 64, 96, 96, 96]},
    data="emoji_pairs",
    settings={
        "steps": 8000,
        "batch_size": 16,
        "lr": 2e-3,
        "weight_decay": 0.01,
        "average": 0.998,
        "weight": 60.0,
        "most_dabs": 12,
        "recolour": 0.2,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
