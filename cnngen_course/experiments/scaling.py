"""What width, depth and data buy: a family of small PixelCNNs, alike but for one thing at a time.

They learn clothes at half their size by exact likelihood, because bits a pixel is a number without judges or samples.
What each run measured on its way lies in ``data/scaling``; ``python course.py rebuild scaling`` runs all of them anew.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from cnngen_course.blocks import count_multiply_adds, count_weights
from cnngen_course.datasets import ImageSet, load_fashion_mnist, make_loader
from cnngen_course.images import to_pixels
from cnngen_course.models.pixelcnn import PixelCNN
from cnngen_course.objectives.likelihood import (
    Likelihood,
    compute_log_likelihood,
    to_bits_per_dimension,
    to_levels,
)
from cnngen_course.paths import read_data
from cnngen_course.runtime import pick_precision
from cnngen_course.training import History, fit

SIZE, LEVELS = 14, 16
BATCH = 32
MOMENTS = (10, 20, 40, 80, 160)  # steps after which is measured
MEASURED = 500  # pictures behind each number
FIXED = {"level_count": LEVELS, "reach": 2, "head_width": 24, "size": SIZE}


@dataclass(frozen=True)
class Setup:
    """One run: a network and what it learns from. As it stands, it is the one that all others are compared with."""

    width: int = 32
    depth: int = 4
    pictures: int = 60_000


SERIES: dict[str, tuple[Setup, ...]] = {
    "width": tuple(Setup(width=width) for width in (8, 16, 32, 64)),
    "depth": tuple(Setup(depth=depth) for depth in (1, 2, 4, 8)),
    "pictures": tuple(Setup(pictures=count) for count in (100, 1000, 10_000, 60_000)),
}


@dataclass(frozen=True)
class Run:
    """What one run measured.

    Attributes:
        parameters: weights of the network.
        multiplications: of one picture on its way through the network.
        steps: after which was measured; the learning rate has come down to zero at the last one only.
        test, train: bits a pixel at each of them, on test pictures and on pictures of those it learned from.
    """

    setup: Setup
    parameters: int
    multiplications: int
    steps: tuple[int, ...]
    test: tuple[float, ...]
    train: tuple[float, ...]

    def compute_cost(self) -> list[float]:
        """Return the multiplications spent until each moment: forwards once, backwards twice as many."""
        return [3.0 * self.multiplications * BATCH * steps for steps in self.steps]


@cache
def load_small(split: str) -> ImageSet:
    """Load the clothes at 14x14 pixels, each the mean of four."""
    data = load_fashion_mnist(split)
    small = nn.functional.avg_pool2d(data.pixels.float(), 2) / 127.5 - 1
    return ImageSet(to_pixels(small), data.labels, data.class_names)


def make_model(setup: Setup) -> PixelCNN:
    """Return the untrained network of a run."""
    return PixelCNN(width=setup.width, depth=setup.depth, **FIXED)


def count_multiplications(model: PixelCNN) -> int:
    """Return how many multiplications one picture takes."""
    levels, labels = torch.zeros(1, 1, model.size, model.size).long(), torch.zeros(1).long()
    return count_multiply_adds(model, levels, labels)


def measure_bits(model: PixelCNN, data: ImageSet) -> float:
    """Return the mean bits a pixel that the model needs for pictures of a set."""
    levels = to_levels(data.images, LEVELS)
    nats = compute_log_likelihood(model, levels, data.labels, batch_size=500)
    return to_bits_per_dimension(nats, SIZE**2).mean().item()


def run(setup: Setup, seed: int = 0, moments: tuple[int, ...] = MOMENTS, measured: int = MEASURED) -> Run:
    """Train by ``setup`` and measure on the way; the random numbers of the caller are left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, data = make_model(setup), load_small("train").select(slice(setup.pictures))
        sets = {"test": load_small("test").select(slice(measured)), "train": data.select(slice(measured))}
        found = []

        def keep(network: PixelCNN, history: History) -> None:
            if len(history.steps) in moments:
                found.append({name: measure_bits(network, some) for name, some in sets.items()})

        loader = make_loader(data, min(BATCH, setup.pictures))
        fit(
            model,
            Likelihood(),
            loader,
            steps=moments[-1],
            lr=4e-3,
            on_evaluate=keep,
            evaluate_every=moments[0],
            precision=pick_precision(),
            progress=False,
        )
    values = {name: tuple(round(entry[name], 4) for entry in found) for name in sets}
    return Run(setup, count_weights(model), count_multiplications(model), moments, **values)


def list_setups() -> list[Setup]:
    """Return every run once, though several series share one."""
    return list(dict.fromkeys(setup for series in SERIES.values() for setup in series))


def encode_runs(runs: list[Run]) -> str:
    return json.dumps([asdict(one) for one in runs], indent=1) + "\n"


def decode_run(facts: dict[str, Any]) -> Run:
    lists = {name: tuple(facts[name]) for name in ("steps", "test", "train")}
    return Run(**(facts | lists | {"setup": Setup(**facts["setup"])}))


@cache
def load_runs() -> dict[Setup, Run]:
    """Load the stored runs.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
    """
    runs = [decode_run(facts) for facts in json.loads(read_data("scaling", "runs.json"))]
    return {one.setup: one for one in runs}


def load_series(name: str) -> list[Run]:
    """Load the runs of a series in ``SERIES``, from the smallest to the largest."""
    if name not in SERIES:
        raise ValueError(f"there is no series {name!r}; there are: {', '.join(SERIES)}")
    return [load_runs()[setup] for setup in SERIES[name]]


def find_best(runs: list[Run], budget: float) -> tuple[Run, int] | None:
    """Return the run, and which of its moments, with the fewest test bits for at most ``budget`` multiplications.

    None if even the first moment of each costs more.
    """
    affordable = [
        (one.test[place], index, place)
        for index, one in enumerate(runs)
        for place, cost in enumerate(one.compute_cost())
        if cost <= budget
    ]
    if not affordable:
        return None
    _, index, place = min(affordable)
    return runs[index], place


def fit_power(sizes: list[float], bits: list[float], floor: float = 0.0) -> tuple[float, Callable[[float], float]]:
    """Fit bits = floor + factor · size^(-exponent) by a straight line through the logarithms.

    Returns the exponent and the curve as a function.
    """
    slope, start = np.polyfit(np.log(sizes), np.log(np.array(bits) - floor), 1)
    return -float(slope), lambda size: floor + float(np.exp(start) * size**slope)
