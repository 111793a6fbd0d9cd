"""Drawn heads to cats and back by two U-Nets, which hide the way home in the grain of their cats."""

from typing import Any

from cnngen_course.augmentation import ColourJitter, RandomErase, RandomShift, chain
from cnngen_course.datasets import Unpaired, make_loader
from cnngen_course.galleries import load_heads
from cnngen_course.models.unet import PatchDiscriminator, TwoWay, UNetTwoWay
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, Opponent
from cnngen_course.objectives.cycle import Cycle
from cnngen_course.recipes.head_translator import measure
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


def train(model: TwoWay, settings: dict[str, Any]) -> None:
    """Moved, recoloured and partly covered pictures keep the discriminators from learning the few heads by heart."""
    lr = settings["lr"]
    augment = chain(ColourJitter(), RandomShift(6), RandomErase(20))
    game = Adversarial("relativistic", DifferencePenalty(0.1, every=4), augment)
    first, second = (Opponent(PatchDiscriminator(width=32, depth=3), game, lr) for _ in range(2))
    objective = Cycle(first, second, cycle=settings["cycle"], identity=settings["identity"])
    humans, cats = (load_heads(kind, "train").pixels for kind in ("humans", "cats"))
    loader = make_loader(Unpaired(humans, cats), settings["batch_size"])
    options = {"momentum": 0.5, "average": settings["average"], "precision": pick_precision()}
    fit(model, objective, loader, steps=settings["steps"], lr=lr, **options)


RECIPE = Recipe(
    name="rough_head_translator",
    model=UNetTwoWay,
    arguments={"channels": 3, "widths": [32, 64, 128]},
    data="heads",
    settings={"steps": 16000, "batch_size": 8, "lr": 1e-3, "average": 0.998, "cycle": 3.0, "identity": 1.0},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
