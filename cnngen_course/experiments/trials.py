"""Short trainings that differ in one thing: which block, which activation, which learning rate, how many pictures?

A ``Trial`` says what to train, ``run`` trains it and returns a ``Log``. The logs of all ``SERIES`` lie in
``data/optimisation``; ``python course.py rebuild optimisation`` runs them anew. On another machine the last digits and
the seconds differ, and what the lesson says of them stays.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from cnngen_course.augmentation import RandomShift, random_flip
from cnngen_course.blocks import ACTIVATIONS, BLOCKS, count_multiply_adds, count_weights
from cnngen_course.datasets import load_fashion_mnist, make_loader
from cnngen_course.experiments.stored import encode_parts, load_parts, split_record
from cnngen_course.images import to_pixels
from cnngen_course.metrics import compute_psnr
from cnngen_course.models.autoencoder import Decoder, Encoder
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import Classification, compute_accuracy
from cnngen_course.objectives.reconstruction import Reconstruction
from cnngen_course.paths import read_data
from cnngen_course.runtime import pick_precision
from cnngen_course.training import History, Objective, TrainingDiverged, find_device, fit, take

WEIGHTS = {"classify": 72_000, "draw": 120_000}  # of each network of a task, whatever its blocks
LATENT_SIZE = 32
MEASURED = 2000  # test pictures behind each score
DRAWN = 10  # pictures kept at each evaluation, one of every class
POINTS = 60  # of a stored curve of the loss
WORST_LOSS = math.log(10)  # of a classifier that gives each of ten classes the same chance


@dataclass(frozen=True)
class Trial:
    """What to train, and how.

    Attributes:
        task: "classify" clothes, or "draw" them from ``LATENT_SIZE`` numbers that an encoder whispers.
        block: a name in ``blocks.BLOCKS``.
        width: channels of the first stage; by default such that the network has about ``WEIGHTS`` weights.
        depth: blocks a stage (of the classifier).
        schedule: a name in ``SCHEDULES``.
        average: decay of a running average of the weights, which is then what is measured.
        pictures: how many training pictures there are.
        augment: whether they are mirrored and shifted at random.
        evaluations: how often the score is measured.
    """

    task: str = "classify"
    block: str = "vgg"
    width: int | None = None
    depth: int = 1
    activation: str = "relu"
    normalise: bool = True
    lr: float = 1e-2
    schedule: str = "warm-up and cosine"
    average: float | None = None
    pictures: int = 60_000
    augment: bool = False
    steps: int = 300
    batch_size: int = 32
    seed: int = 0
    evaluations: int = 1


@dataclass(frozen=True)
class Log:
    """What happened in a trial.

    Attributes:
        losses: (P,) means of stretches of the training loss.
        ends: (P,) the steps with which those stretches end.
        steps, scores: (E,) at each evaluation: steps taken, and the share of test pictures named rightly, or the
            decibels (PSNR) of redrawn ones.
        step_seconds: processor time of one step; that of the quickest tenth, which a busy machine disturbs least.
        weights: how many the network has (the part that draws, without its encoder).
        multiply_adds: of that network, for one picture.
        pixels: (E, DRAWN, 1, 28, 28) uint8, redrawn test pictures at each evaluation; empty for a classifier.
    """

    losses: Tensor
    ends: Tensor
    steps: Tensor
    scores: Tensor
    step_seconds: float
    weights: int
    multiply_adds: int
    pixels: Tensor

    @property
    def seconds(self) -> Tensor:
        """The processor time (E,) spent on training until each evaluation."""
        return self.steps * self.step_seconds

    def find_score(self, seconds: float) -> float:
        """Return the score after so many seconds of training, in a line between the evaluations around them."""
        if not self.seconds[0] <= seconds <= self.seconds[-1] + 1e-6:
            first, last = self.seconds[0].item(), self.seconds[-1].item()
            raise ValueError(f"{seconds:.1f} s is not between the evaluations, at {first:.1f} to {last:.1f} s")
        return float(np.interp(seconds, self.seconds.numpy(), self.scores.numpy()))

    @property
    def verdict(self) -> str:
        """Return "diverged", "stuck" or "learns", by the training loss of a classifier."""
        if not torch.isfinite(self.losses).all() or self.losses[-1] > 1.1 * WORST_LOSS:
            return "diverged"
        return "stuck" if self.losses[-1] > 0.85 * WORST_LOSS else "learns"


def warm_up(share: float) -> float:
    """Return the factor of the first tenth: up in a line from (nearly) nothing."""
    return min(1.0, 10 * share + 0.01)


SCHEDULES: dict[str, Callable[[float], float]] = {  # factor of the learning rate, by the share of steps that are done
    "constant": lambda share: 1.0,
    "steps down": lambda share: 1.0 if share < 0.5 else 0.1 if share < 0.8 else 0.01,
    "cosine": lambda share: 0.5 + 0.5 * math.cos(math.pi * share),
    "warm-up": warm_up,
    "warm-up and cosine": lambda share: warm_up(share) * (0.5 + 0.5 * math.cos(math.pi * share)),
    "up and down": lambda share: min(share / 0.4, (1 - share) / 0.6),
}


def build(trial: Trial) -> nn.Sequential:
    """Return the trial's untrained network: pictures to logits, or pictures to pictures."""
    width = trial.width or find_width(trial.task, trial.block, trial.depth)
    if trial.task == "draw":
        return nn.Sequential(Encoder(1, 12, LATENT_SIZE), Decoder(1, width, LATENT_SIZE, block=trial.block))
    if trial.task != "classify":
        raise ValueError(f'task is "classify" or "draw", got {trial.task!r}')
    widths = (width, 2 * width)
    body = Classifier(4, 10, widths, trial.depth, trial.block, activation=trial.activation, normalise=trial.normalise)
    return nn.Sequential(nn.PixelUnshuffle(2), body)  # (N, 1, 28, 28) -> (N, 4, 14, 14): a quarter of the places


@cache
def find_width(task: str, block: str, depth: int) -> int:
    """Return the width, a multiple of 2, with which a network comes nearest to ``WEIGHTS`` weights."""

    def miss(width: int) -> int:
        with torch.device("meta"):  # shapes without numbers
            network = build(Trial(task, block, width, depth))
        return abs(count_weights(pick_counted(network)) - WEIGHTS[task])

    return min(range(4, 100, 2), key=miss)


def pick_counted(network: nn.Sequential) -> nn.Module:
    """Return what weights are counted of: the whole classifier, or the decoder alone."""
    return network[1]


@cache
def find_shown() -> Tensor:
    """Return where the first test picture of each class is."""
    labels = load_fashion_mnist("test").labels
    return torch.stack([(labels == label).nonzero()[0, 0] for label in range(10)])


def make_batches(trial: Trial) -> Iterator[tuple[Tensor, ...]]:
    """Yield the trial's training batches."""
    data = load_fashion_mnist("train").select(slice(trial.pictures))
    if trial.augment:
        data = data.with_augmentation(random_flip, RandomShift(2))
    return take(make_loader(data, min(trial.batch_size, trial.pictures)), trial.steps)


@torch.no_grad()
def measure(trial: Trial, model: nn.Module) -> tuple[float, Tensor]:
    """Return the score on test pictures, and the pictures that were redrawn (DRAWN, 1, 28, 28) if any."""
    test = load_fashion_mnist("test")
    if trial.task == "classify":
        some = test.select(slice(MEASURED))
        return compute_accuracy(model, some.images, some.labels), torch.empty(0, dtype=torch.uint8)
    images, shown = test.select(slice(MEASURED // 2)).images, test.select(find_shown()).images
    redrawn, drawn = (model(pictures.to(find_device(model))).cpu() for pictures in (images, shown))
    return compute_psnr(redrawn, images).mean().item(), to_pixels(drawn)


def run(trial: Trial) -> Log:
    """Train anew as the trial says. A loss that is no number ends the training; the log shows it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        model = build(trial)
        objective = Classification() if trial.task == "classify" else Reconstruction()
        return train(trial, model, objective)


def train(trial: Trial, model: nn.Sequential, objective: Objective) -> Log:
    """Train the network as the trial says, and keep the time and the score."""
    clock, rows = [time.process_time()], []

    def keep(network: nn.Module, history: History) -> None:
        rows.append((len(history.steps), *measure(trial, network)))

    try:
        history = fit(
            model,
            objective,
            make_batches(trial),
            steps=trial.steps,
            lr=trial.lr,
            schedule=lambda step: SCHEDULES[trial.schedule](step / trial.steps),
            weight_decay=0.02,
            average=trial.average,
            precision=pick_precision(),
            evaluate_every=trial.steps // trial.evaluations,
            on_evaluate=keep,
            on_step=lambda *_: clock.append(time.process_time()),
            progress=False,
        )
    except TrainingDiverged as failure:
        history = failure.history
        keep(model, history)
    return make_log(model, history.curve("loss"), clock, rows)


def make_log(
    model: nn.Sequential, losses: list[float], clock: list[float], rows: list[tuple[int, float, Tensor]]
) -> Log:
    counted = pick_counted(model)
    inputs = torch.zeros(1, LATENT_SIZE) if isinstance(counted, Decoder) else torch.zeros(1, 4, 14, 14)
    places = torch.arange(1, len(losses) + 1).tensor_split(min(POINTS, len(losses)))
    values = torch.tensor(losses)
    return Log(
        losses=torch.stack([values[part - 1].mean() for part in places]),
        ends=torch.stack([part[-1] for part in places]),
        steps=torch.tensor([step for step, _, _ in rows]),
        scores=torch.tensor([score for _, score, _ in rows]),
        step_seconds=float(np.quantile(np.diff(clock), 0.1)),  # a step after an evaluation has that, too
        weights=count_weights(counted),
        multiply_adds=count_multiply_adds(counted, inputs),
        pixels=torch.stack([pixels for _, _, pixels in rows]),
    )


SEEDS = (0, 1)  # of the race
RATES = (1e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1.0)
SIZES = (600, 6_000, 60_000)  # 1, 10 and 100% of the pictures
RACE = Trial(lr=5e-3, schedule="warm-up", average=0.97, steps=480, evaluations=4)
DEEP = replace(RACE, depth=4, steps=200, lr=3e-3, evaluations=2)


def name_grid(activation: str, lr: float, normalise: bool) -> str:
    """Return the name of a trial in the series "rates"."""
    return f"{activation}, {lr:g}, {'normalised' if normalise else 'bare'}"


def list_series() -> dict[str, dict[str, Trial]]:
    """Return every stored trial by the name of its series and its own."""
    grid = Trial(width=12, depth=2, schedule="constant", steps=80)
    drawing = replace(RACE, task="draw", lr=3e-3, steps=360, evaluations=5)
    learning = Trial(block="residual", steps=480)
    return {
        "blocks": {
            f"{block}, seed {seed}": replace(RACE, block=block, seed=seed) for seed in SEEDS for block in BLOCKS
        },
        "depth": {
            f"{block}, {'normalised' if normalise else 'bare'}": replace(DEEP, block=block, normalise=normalise)
            for normalise in (True, False)
            for block in ("vgg", "residual")
        },
        "drawing": {block: replace(drawing, block=block) for block in BLOCKS},
        "rates": {
            name_grid(activation, lr, normalise): replace(grid, activation=activation, lr=lr, normalise=normalise)
            for normalise in (True, False)
            for activation in ACTIVATIONS
            for lr in RATES
        },
        "schedules": {
            f"{schedule}, {lr:g}": Trial(block="residual", schedule=schedule, lr=lr, steps=240, evaluations=4)
            for lr in (3e-3, 3e-2)
            for schedule in SCHEDULES
        },
        "pictures": {
            f"{size}, {'augmented' if augment else 'plain'}": replace(learning, pictures=size, augment=augment)
            for augment in (False, True)
            for size in SIZES
        },
    }


def encode_logs(logs: dict[str, Log]) -> bytes:
    """Return the logs of a series as the bytes of an ``.npz`` file."""
    facts = {}
    for name, log in logs.items():
        curves, facts[name] = split_record(log)
        facts[name] |= {key: shorten(values) for key, values in curves.items() if key != "pixels"}
    return encode_parts({name: log.pixels for name, log in logs.items()}, facts)


def shorten(values: Tensor) -> list[float]:
    """Return numbers as they are stored: five digits are more than a plot shows."""
    return [float(f"{value:.5g}") for value in values.tolist()]


@cache
def load_logs(series: str) -> dict[str, Log]:
    """Return the stored logs of a series by the names of its trials, see ``list_series``.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
        ValueError: there is no such series.
    """
    if series not in list_series():
        raise ValueError(f"there is no series {series!r}; there are: {', '.join(list_series())}")
    pixels, facts = load_parts("optimisation", f"{series}.npz")
    return {name: read_log(parts, pixels[name]) for name, parts in facts.items()}


def read_log(parts: dict[str, Any], pixels: Tensor) -> Log:
    tensors = {key: torch.tensor(value) for key, value in parts.items() if isinstance(value, list)}
    whole = {key: tensors[key].long() for key in ("ends", "steps")}
    return Log(**parts | tensors | whole | {"pixels": pixels})


def sweep_rate(model: nn.Module, objective: Objective, batches: Iterable[tuple[Tensor, ...]], rates: Tensor) -> Tensor:
    """Return the training loss (N,) at each learning rate, one step a rate, from small to large (Smith, 2015).

    The model is trained in place and of no use afterwards. Once the loss is no number, the rest are NaN.
    """
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=0.02, fused=True)
    losses = torch.full((len(rates),), torch.nan)
    for place, (lr, batch) in enumerate(zip(rates.tolist(), batches, strict=False)):
        optimizer.param_groups[0]["lr"] = lr
        loss = objective(model, batch)["loss"]
        losses[place] = loss.detach()
        if not torch.isfinite(loss):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def measure_compile(rounds: int = 12) -> dict[str, float]:
    """Return what ``torch.compile`` gives a training step of the race's residual network: seconds of a step without
    and with it (the quickest of rounds that take turns), and the seconds that compiling took. Needs a C++ compiler.
    """
    images, labels = torch.randn(128, 1, 28, 28), torch.arange(128) % 10
    model, objective = build(replace(RACE, block="residual")), Classification()
    compiled = cast(nn.Module, torch.compile(model))

    def step(network: nn.Module) -> float:
        start = time.perf_counter()
        objective(network, (images, labels))["loss"].backward()
        model.zero_grad()
        return time.perf_counter() - start

    step(model)
    first = step(compiled)
    pairs = [(step(model), step(compiled)) for _ in range(rounds)]
    plain, faster = (min(times) for times in zip(*pairs, strict=True))
    return {"plain": plain, "compiled": faster, "compiling": first - faster}


def load_compile() -> dict[str, float]:
    """Return the stored outcome of ``measure_compile``."""
    return json.loads(read_data("optimisation", "compile.json"))


def find_equal_time() -> float:
    """Return the seconds after which the quickest network of the race had taken all of its steps."""
    return min(log.seconds[-1].item() for log in load_logs("blocks").values())


def find_scores_at(block: str, seconds: float) -> list[float]:
    """Return the accuracy of each seed after so many seconds."""
    return [load_logs("blocks")[f"{block}, seed {seed}"].find_score(seconds) for seed in SEEDS]


def compute_grid(normalise: bool) -> Tensor:
    """Return the accuracy in % of every activation (rows) at every rate (columns) in the stored series."""
    logs = load_logs("rates")
    return torch.tensor(
        [[100 * logs[name_grid(name, rate, normalise)].scores[-1].item() for rate in RATES] for name in ACTIVATIONS]
    )
