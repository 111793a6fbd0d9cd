"""The translator of heads: drawn human heads to cat heads and back, without pairs, each through a code."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.augmentation import RandomErase, RandomShift, chain
from cnngen_course.datasets import Unpaired, make_loader
from cnngen_course.galleries import load_heads
from cnngen_course.metrics import compute_frechet, compute_vgg_features
from cnngen_course.models.bottleneck import BottleneckTwoWay, CodeDiscriminator
from cnngen_course.models.unet import PatchDiscriminator, TwoWay
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, Opponent
from cnngen_course.objectives.cycle import Cycle, compute_error, translate
from cnngen_course.objectives.reconstruction import Reconstruction
from cnngen_course.pretrained import Metric, load_vgg
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def train(model: TwoWay, settings: dict[str, Any]) -> None:
    """Train twice: each network learns to draw its own kind from codes, then both play for the other kind's heads.

    All heads look to the right, and none is mirrored: a drawing that may look either way takes twice the codes.
    """
    steps, precision, average = settings["steps"], pick_precision(), settings["average"]
    draw_steps = max(1, round(settings["draw_share"] * steps))
    humans, cats = (load_heads(kind, "train").pixels for kind in ("humans", "cats"))
    for network, heads in ((model.there, cats), (model.back, humans)):
        loader = make_loader(Unpaired(heads, heads, mirrored=False), settings["draw_batch_size"])
        options = {"lr": settings["draw_lr"], "average": average, "precision": precision}
        fit(network, Reconstruction("absolute"), loader, steps=draw_steps, **options)
    loader = make_loader(Unpaired(humans, cats, mirrored=False), settings["batch_size"])
    options = {"lr": settings["lr"], "momentum": 0.5, "average": average, "precision": precision}
    fit(model, make_objective(settings), loader, steps=steps, **options)


def make_objective(settings: dict[str, Any]) -> Cycle:
    """Return the game: patches are judged behind moved and partly covered pictures, codes behind noise."""

    def shake(codes: Tensor) -> Tensor:
        return codes + settings["code_noise"] * torch.randn_like(codes)

    augment = chain(RandomShift(6), RandomErase(20))
    patches = Adversarial("relativistic", DifferencePenalty(settings["penalty"], every=4), augment)
    codes = Adversarial("relativistic", DifferencePenalty(settings["code_penalty"], every=4), shake)
    first, second = (Opponent(PatchDiscriminator(width=32, depth=3), patches) for _ in range(2))
    judges = Opponent(CodeDiscriminator(), codes), Opponent(CodeDiscriminator(), codes)
    return Cycle(first, second, cycle=settings["cycle"], identity=settings["identity"], judges=judges)


def measure(model: TwoWay, count: int | None) -> dict[str, Metric]:
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
    model=BottleneckTwoWay,
    arguments={"channels": 3, "code_size": 48, "redraws": 3},
    data="heads",
    settings={
        "steps": 5000,
        "batch_size": 8,
        "lr": 1e-3,
        "average": 0.998,
        "cycle": 3.0,
        "identity": 10.0,
        "penalty": 0.4,
        "code_penalty": 0.1,
        "code_noise": 0.17,
        "draw_share": 2.0,
        "draw_batch_size": 16,
        "draw_lr": 2e-3,
    },
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
