"""Four ways to learn drawing, compared fairly: the same data, about as many weights that draw, the same time.

Each ``Contestant`` gets a class and draws a piece of clothing. How many steps each may train is a fixed number that
takes about a minute of one processor thread, so that a run repeats; the seconds really spent are kept beside it. The
outcomes of three seeds lie in ``data/comparison``; ``python course.py rebuild comparison`` runs them anew. A fifth way,
``NEWCOMERS``, comes in the last lesson and keeps to the same rules.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic

import torch
from torch import Tensor, nn

from cnngen_course.adversarial_training import fit_adversarial
from cnngen_course.blocks import count_weights
from cnngen_course.datasets import ImageSet, load_fashion_mnist, make_loader
from cnngen_course.experiments.stored import load_record
from cnngen_course.images import to_pixels
from cnngen_course.metrics import (
    compute_features,
    compute_frechet,
    compute_label_consistency,
    compute_sharpness,
)
from cnngen_course.models.denoiser import Denoiser
from cnngen_course.models.gan import Discriminator, Generator
from cnngen_course.models.pixelcnn import PixelCNN
from cnngen_course.models.vae import Condition, ConditionalDecoder, ConditionalVAE, compute_details
from cnngen_course.objectives import adversarial, flow, likelihood, variational
from cnngen_course.pretrained import Network, load_judge
from cnngen_course.runtime import pick_precision, seed_everything
from cnngen_course.set_metrics import compute_diversity, compute_kernel_distance, compute_precision_recall
from cnngen_course.training import Objective, fit

SEEDS = (0, 1, 2)
MEASURED = 2000  # pictures behind each number
KEPT = 100  # pictures kept of each training, ten of every class
POINTS = 60  # of the stored curve of the loss
DETAIL_MEAN, DETAIL_SPREAD = [0.465, 0.608], [0.147, 0.163]  # of size and brightness in the training set


class Contestant(Generic[Network]):
    """A model, its objective and its way of drawing, behind the same three calls.

    Attributes:
        title: for people.
        steps: that take about a minute of one thread of the machine on which the outcomes were made.
        batch_size: that this way of learning likes.
    """

    title: str
    steps: int
    batch_size: int

    def build(self) -> Network:
        """Return the untrained model."""
        raise NotImplementedError

    def train(self, model: Network, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        """Train the model in place; return one loss a step (of different meaning for each contestant)."""
        raise NotImplementedError

    def draw(self, model: Network, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw one picture a label: (N,) -> (N, 1, 28, 28) in [-1, 1]."""
        raise NotImplementedError

    def count_drawing(self, model: Network) -> int:
        """Return how many weights the part has that draws."""
        return count_weights(model)

    def fit(
        self, model: Network, objective: Objective, data: ImageSet, steps: int, lr: float, progress: bool
    ) -> list[float]:
        history = fit(
            model,
            objective,
            make_loader(data, self.batch_size),
            steps=steps,
            lr=lr,
            average=pick_average(steps, 0.99),
            precision=pick_precision(),
            progress=progress,
        )
        return history.curve("loss")


class PixelLoss(Contestant[ConditionalDecoder]):
    """Class, size and brightness in, the picture of least squared error out: nothing is left to chance but these."""

    title, steps, batch_size = "pixel loss", 800, 64

    def build(self) -> ConditionalDecoder:
        return ConditionalDecoder(Condition(10, DETAIL_MEAN, DETAIL_SPREAD), width=19)

    def train(self, model: ConditionalDecoder, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        return self.fit(model, variational.PixelError(), data, steps, 3e-3, progress)

    @torch.inference_mode()
    def draw(self, model: ConditionalDecoder, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        parts = zip(labels.split(500), choose_details(labels, generator).split(500), strict=True)
        return torch.cat([model(*part) for part in parts])


class VAE(Contestant[ConditionalVAE]):
    """The same decoder with a latent vector: filled by an encoder while it learns, drawn at random afterwards."""

    title, steps, batch_size = "VAE", 770, 64

    def build(self) -> ConditionalVAE:
        return ConditionalVAE(width=16, latent_size=24)

    def train(self, model: ConditionalVAE, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        losses = self.fit(model, variational.Variational(0.25), data, steps, 3e-3, progress)
        some = data.select(slice(10_000))
        variational.fit_prior(model, some.images, some.labels)
        return losses

    def draw(self, model: ConditionalVAE, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.randn(len(labels), model.latent_size, generator=generator)
        return variational.sample_images(model, labels, choose_details(labels, generator), noise)

    def count_drawing(self, model: ConditionalVAE) -> int:
        return count_weights(model.decoder)


class Autoregression(Contestant[PixelCNN]):
    """The probability of each pixel given those before it; drawn pixel by pixel."""

    title, steps, batch_size = "PixelCNN", 520, 32

    def build(self) -> PixelCNN:
        return PixelCNN(level_count=16, width=36, depth=6, reach=2, head_width=64).to(memory_format=torch.channels_last)

    def train(self, model: PixelCNN, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        return self.fit(model, likelihood.Likelihood(), data, steps, 3e-3, progress)

    def draw(self, model: PixelCNN, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        parts = [likelihood.sample_levels(model, some, generator=generator) for some in labels.split(250)]
        return likelihood.to_grey(torch.cat(parts), model.level_count)

    def compute_bits(self, model: PixelCNN, test: ImageSet) -> float:
        """Return the mean bits a pixel of test pictures."""
        levels = likelihood.to_levels(test.images, model.level_count)
        logs = likelihood.compute_log_likelihood(model, levels, test.labels)
        return likelihood.to_bits_per_dimension(logs, levels[0].numel()).mean().item()


class GAN(Contestant[Generator]):
    """Class and noise in; what is good, a discriminator learns at the same time."""

    title, steps, batch_size = "GAN", 1130, 32

    def build(self) -> Generator:
        return Generator()

    def train(self, model: Generator, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        objective = adversarial.Adversarial("relativistic", adversarial.DifferencePenalty(0.1))
        history = fit_adversarial(
            model,
            Discriminator(),
            objective,
            make_loader(data, self.batch_size),
            steps=steps,
            lr=2e-3,
            average=pick_average(steps, 0.995),
            precision=pick_precision(),
            progress=progress,
        )
        return history.curve("generator_loss")

    def draw(self, model: Generator, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return adversarial.sample_images(model, labels, generator=generator)


class Flow(Contestant[Denoiser]):
    """Class and noise in; the noise is moved to a picture in twenty steps, with guidance."""

    title, steps, batch_size = "flow", 950, 64

    def build(self) -> Denoiser:
        return Denoiser(width=40, depth=2)

    def train(self, model: Denoiser, data: ImageSet, steps: int, progress: bool = False) -> list[float]:
        return self.fit(model, flow.FlowMatching(), data, steps, 2e-3, progress)

    def draw(self, model: Denoiser, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        precision = pick_precision()
        return flow.sample_images(model, labels, steps=20, guidance=2.0, generator=generator, precision=precision)


CONTESTANTS: dict[str, Contestant[Any]] = {
    "pixel": PixelLoss(),
    "vae": VAE(),
    "pixelcnn": Autoregression(),
    "gan": GAN(),
}
NEWCOMERS: dict[str, Contestant[Any]] = {"flow": Flow()}
EVERYONE = CONTESTANTS | NEWCOMERS


def pick_average(steps: int, highest: float) -> float:
    """Return the decay of the weights' running average: less in short runs, which would still remember their start."""
    return max(0.0, min(highest, 1 - 5 / steps))


@cache
def load_details() -> tuple[tuple[Tensor, ...], Tensor]:
    """Return where in the training set each class is, and size and brightness of all its pictures (60000, 2)."""
    train = load_fashion_mnist("train")
    members = tuple((train.labels == label).nonzero()[:, 0] for label in range(10))
    return members, torch.cat([compute_details(part.images) for part in split_set(train, 5000)])


def split_set(data: ImageSet, size: int) -> list[ImageSet]:
    return [data.select(slice(start, start + size)) for start in range(0, len(data), size)]


def choose_details(labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return size and brightness (N, 2) of a random training picture of each wanted class."""
    members, details = load_details()
    places = torch.rand(len(labels), generator=generator)
    chosen = [
        members[label][int(place * len(members[label]))]
        for label, place in zip(labels.tolist(), places.tolist(), strict=True)
    ]
    return details[torch.stack(chosen)]


@dataclass(frozen=True)
class Outcome:
    """What came of one training.

    Attributes:
        contestant: a name in ``EVERYONE``.
        steps, seconds: of training; seconds of processor time.
        weights: of the part that draws.
        metrics: each with ``MEASURED`` pictures: frechet, kernel_distance, precision, recall, label_consistency,
            diversity, sharpness (as a share of the real pictures'); sampling_seconds of 16 pictures; and
            bits_per_dimension where the model knows a likelihood.
        losses: the curve of training, thinned to ``POINTS``.
        pixels: (N, 1, 28, 28) uint8, one picture of each class after the other, over and over.
    """

    contestant: str
    seed: int
    steps: int
    seconds: float
    weights: int
    metrics: dict[str, float]
    losses: list[float]
    pixels: Tensor


def run(name: str, seed: int, steps: int | None = None, measured: int = MEASURED, kept: int = KEPT) -> Outcome:
    """Train a contestant from scratch, measure what it draws, and keep some of its pictures.

    Args:
        steps: of training; all that it is entitled to if not given.
        measured: pictures behind each number.
        kept: pictures to keep.
    """
    contestant = EVERYONE[name]
    steps = steps or contestant.steps
    seed_everything(seed)
    model = contestant.build()
    start = time.process_time()
    losses = contestant.train(model, load_fashion_mnist("train"), steps)
    seconds = time.process_time() - start
    model.eval()
    test = load_fashion_mnist("test").select(slice(measured))
    images = contestant.draw(model, test.labels, torch.Generator().manual_seed(seed))
    metrics = measure(images, test) | {"sampling_seconds": time_sampling(contestant, model)}
    if isinstance(contestant, Autoregression):
        metrics["bits_per_dimension"] = contestant.compute_bits(model, test)
    shown = contestant.draw(model, torch.arange(10).repeat(-(-kept // 10))[:kept], torch.Generator().manual_seed(seed))
    curve = [part.mean().item() for part in torch.tensor(losses).tensor_split(min(POINTS, len(losses)))]
    weights = contestant.count_drawing(model)
    return Outcome(name, seed, steps, round(seconds, 1), weights, metrics, curve, to_pixels(shown))


def measure(images: Tensor, test: ImageSet) -> dict[str, float]:
    """Measure drawn pictures of the test set's labels against the test set, as in the lesson on quality."""
    judge = load_judge()
    real, drawn = compute_features(judge, test.images), compute_features(judge, images)
    precision, recall = compute_precision_recall(real, drawn)
    return {
        "frechet": compute_frechet(real, drawn),
        "kernel_distance": compute_kernel_distance(real, drawn).value,
        "precision": precision.value,
        "recall": recall.value,
        "label_consistency": compute_label_consistency(judge, images, test.labels, drawn).value,
        "diversity": compute_diversity(test.images, test.labels, images, test.labels).mean,
        "sharpness": (compute_sharpness(images).mean() / compute_sharpness(test.images).mean()).item(),
    }


def time_sampling(contestant: Contestant[Any], model: nn.Module, count: int = 16) -> float:
    """Return the seconds that ``count`` pictures take, the second time: the first one loads what it needs."""
    labels = torch.arange(count) % 10
    for _ in range(2):
        start = time.perf_counter()
        contestant.draw(model, labels)
    return time.perf_counter() - start


@cache
def load_outcome(name: str, seed: int = 0) -> Outcome:
    """Return a stored outcome.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
        ValueError: there is no such contestant or seed.
    """
    if name not in EVERYONE or seed not in SEEDS:
        raise ValueError(f"there are {', '.join(EVERYONE)} with the seeds {SEEDS}, got {name!r} and {seed}")
    return load_record(Outcome, "comparison", f"{name}_{seed}.npz")


def collect(metric: str, contestants: Iterable[str] = tuple(CONTESTANTS)) -> dict[str, list[float]]:
    """Return a metric of every contestant that has it, one value a seed."""
    outcomes = {name: [load_outcome(name, seed) for seed in SEEDS] for name in contestants}
    return {
        name: [outcome.metrics[metric] for outcome in runs]
        for name, runs in outcomes.items()
        if metric in runs[0].metrics
    }
