"""What every recipe has in common: a network, a way to train it, a way to measure it, and a command line."""

import argparse
import difflib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from cnngen_course.paths import WEIGHTS
from cnngen_course.pretrained import Metric, Network, load_pretrained, load_provenance, save_trained
from cnngen_course.runtime import seed_everything


@dataclass(frozen=True)
class Recipe(Generic[Network]):
    """How one file of weights comes to be.

    Attributes:
        name: of the module and of the weights file.
        model: class of the network.
        arguments: what it is built with.
        data: name of the data set.
        settings: what ``train`` needs: steps, batch_size, lr, ...
        train: trains the network in place, given the network and the settings.
        measure: returns the test metrics of the network, given how many test pictures to use (None: all).
    """

    name: str
    model: type[Network]
    arguments: dict[str, Any]
    data: str
    settings: dict[str, Any]
    train: Callable[[Network, dict[str, Any]], None]
    measure: Callable[[Network, int | None], dict[str, Metric]]
    seed: int = 0

    def run(self, folder: Path = WEIGHTS, test_count: int | None = None, **changed: Any) -> Network:
        """Train from scratch, measure, and save weights and provenance into ``folder``.

        Args:
            test_count: test pictures to measure on; all if not given.
            changed: settings that differ from the recipe's.

        Raises:
            TypeError: the recipe has no such setting.
        """
        for unknown in changed.keys() - self.settings.keys():
            near = difflib.get_close_matches(unknown, self.settings, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(self.settings)}"
            raise TypeError(f"the recipe {self.name!r} has no setting {unknown!r}; {advice}")
        settings = self.settings | changed
        seed_everything(self.seed)
        model = self.model(**self.arguments)
        start = time.perf_counter()
        self.train(model, settings)
        training = {"seed": self.seed, **settings, "seconds": round(time.perf_counter() - start)}
        model.cpu().eval().half().float()  # what the file will hold is what must be measured
        save_trained(
            model,
            self.name,
            arguments=self.arguments,
            training=training,
            data=self.data,
            metrics=self.measure(model, test_count),
            folder=folder,
        )
        return load_pretrained(self.name, self.model, folder=folder)


def main(recipe: Recipe[Any]) -> None:
    """The command line of a recipe: train and save, or ``--smoke`` to prove in seconds that it runs."""
    parser = argparse.ArgumentParser(description=f"Train data/weights/{recipe.name}.safetensors anew.")
    parser.add_argument("--smoke", action="store_true", help="a few steps into a temporary folder; nothing is kept")
    smoke = parser.parse_args().smoke
    if smoke:
        with tempfile.TemporaryDirectory() as folder:
            recipe.run(Path(folder), test_count=200, steps=5)
            print(load_provenance(recipe.name, Path(folder))["metrics"])
        print(f"{recipe.name}: the recipe runs from end to end.")
    else:
        recipe.run()
        print(load_provenance(recipe.name))
