"""The head translator after the first part of its training only: lesson 12 finds the way home in its grain."""

from dataclasses import replace
from typing import Any

from torch import nn

from cnngen_course.recipes import head_translator
from cnngen_course.recipes.recipe import main


def train(model: nn.Module, settings: dict[str, Any]) -> None:
    objective = head_translator.make_rough(settings)
    head_translator.play(model, settings, objective, steps=settings["steps"], lr=settings["lr"])


SETTINGS = ("steps", "batch_size", "lr", "average", "cycle", "identity")
RECIPE = replace(
    head_translator.RECIPE,
    name="rough_head_translator",
    settings={name: head_translator.RECIPE.settings[name] for name in SETTINGS},
    train=train,
)

if __name__ == "__main__":
    main(RECIPE)
