"""The translator of lesson 12: drawn human heads to cat heads and back, without pairs."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.datasets import Augmentation, ColourJitter, RandomErase, RandomShift, Unpaired, chain, make_loader
from cnngen_course.galleries import load_heads
from cnngen_course.metrics import compute_frechet, compute_vgg_features
from cnngen_course.models.unet import PatchDiscriminator, TwoWay
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, Opponent
from cnngen_course.objectives.cycle import Cycle, compute_error
from cnngen_course.pretrained import Metric, load_vgg
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def make_objective(
    cycle: float,
    identity: float,
    lr: float = 1e-3,
    noise: float = 0.0,
    smooth: float = 0.0,
    penalty: DifferencePenalty = DifferencePenalty(0.1, every=4),  # noqa: B008  (frozen)
    augment: Augmentation | None = None,
) -> Cycle:
    """Return the game of two kinds; ``augment`` changes every picture that the discriminators see."""
    game = Adversarial("relativistic", penalty, augment)
    opponents = (Opponent(PatchDiscriminator(width=32, depth=3), game, lr) for _ in range(2))
    return Cycle(*opponents, cycle=cycle, identity=identity, noise=noise, smooth=smooth)


def train(model: nn.Module, settings: dict[str, Any]) -> None:
    """Train twice: first for the shapes of the other kind, then to leave the grain behind.

    Moved, recoloured and partly covered pictures keep the first discriminators from learning the few heads by heart.
    New ones hardly learn behind moved pictures (after 300 steps score 0.50 to 0.52; 0.95 to 0.98 without), so those of
    the second part see whole pictures. There, noise on the way back and a price on roughness work against grain.
    """
    clean_steps = max(1, round(settings["clean_share"] * settings["steps"]))
    play(model, settings, make_rough(settings), steps=settings["steps"], lr=settings["lr"])
    play(model, settings, make_clean(settings), steps=clean_steps, lr=settings["clean_lr"])


def make_rough(settings: dict[str, Any]) -> Cycle:
    augment = chain(ColourJitter(), RandomShift(6), RandomErase(20))
    return make_objective(settings["cycle"], settings["identity"], settings["lr"], augment=augment)


def make_clean(settings: dict[str, Any]) -> Cycle:
    return make_objective(
        settings["clean_cycle"],
        settings["identity"],
        settings["clean_lr"],
        settings["noise"],
        settings["smooth"],
        DifferencePenalty(settings["clean_penalty"], every=2),  # what sees everything must be held back more
    )


def play(model: nn.Module, settings: dict[str, Any], objective: Cycle, **options: Any) -> None:
    """Train for one of the two parts; the options are those of ``fit``."""
    humans, cats = (load_heads(kind, "train").pixels for kind in ("humans", "cats"))
    loader = make_loader(Unpaired(humans, cats), settings["batch_size"])
    precision, average = pick_precision(), settings["average"]
    fit(model, objective, loader, momentum=0.5, average=average, precision=precision, **options)


@torch.inference_mode()
def translate(network: nn.Module, images: Tensor) -> Tensor:
    """Translate any number of pictures (N, 3, H, W), fifty at a time."""
    return torch.cat([network(batch) for batch in images.split(50)])


def measure(model: nn.Module, count: int | None) -> dict[str, Metric]:
    """Measure on held-out heads: how far from the other kind before and after, and what is lost there and back.

    Distances are Fréchet distances of VGG16's relu2_2, averaged over all places (128 features). All
    held-out heads are used whatever ``count`` says: that many features need more pictures than that.
    """
    vgg = load_vgg()
    humans, cats = (load_heads(kind, "test").images for kind in ("humans", "cats"))
    new_cats, new_humans = translate(model.there, humans), translate(model.back, cats)
    answers = [compute_vgg_features(vgg, images) for images in (humans, cats, new_humans, new_cats)]
    n = len(humans)
    return {
        "frechet_untranslated": Metric(compute_frechet(answers[1], answers[0]), n),
        "frechet_cats": Metric(compute_frechet(answers[1], answers[3]), n),
        "frechet_humans": Metric(compute_frechet(answers[0], answers[2]), n),
        "cycle_humans": Metric(compute_error(translate(model.back, new_cats), humans).item(), n),
        "cycle_cats": Metric(compute_error(translate(model.there, new_humans), cats).item(), n),
    }


RECIPE = Recipe(
    name="head_translator",
    model=TwoWay,
    arguments={"channels": 3, "widths": [32, 64, 128]},
    data="heads",
    settings={
        "steps": 16000,
        "clean_share": 0.15625,
        "batch_size": 8,
        "lr": 1e-3,
        "average": 0.998,
        "cycle": 3.0,
        "clean_cycle": 1.0,
        "identity": 1.0,
        "noise": 0.1,
        "clean_lr": 5e-4,
        "clean_penalty": 1.0,
        "smooth": 20.0,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
