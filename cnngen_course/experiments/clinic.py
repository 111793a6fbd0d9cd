"""The failure clinic: small adversarial trainings with one planted fault each, and the measurements to find it by.

Every case trains the same two tiny networks on the same three kinds of clothes. ``FAULTS`` says what differs. ``GAMES``
are two trainings of the course's own generator, kept moment by moment. All of these runs are stored in
``data/clinic``; ``python course.py rebuild clinic`` runs them anew. On another machine pixels differ, symptoms stay.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor, nn

from cnngen_course.adversarial_training import fit_adversarial
from cnngen_course.datasets import ImageSet, load_fashion_mnist, make_loader
from cnngen_course.experiments.stored import encode_parts, load_parts
from cnngen_course.images import to_pixels
from cnngen_course.models.gan import Discriminator, Generator
from cnngen_course.objectives.adversarial import LOSSES, Adversarial, DifferencePenalty, sample_images
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import find_nearest
from cnngen_course.training import History

CLASSES = (1, 8, 9)  # trousers, bags, ankle boots: easy to tell apart
MOMENTS = (0, 25, 50, 100, 200, 400, 700, 1000)  # steps after which pictures are kept
SHOWN = 16  # pictures kept at each moment
BATCH = 32
MIXED = 512  # pictures of each kind for the check in mixed batches
THINNED = 10  # steps behind each stored point of a curve
CURVES = ("discriminator_loss", "generator_loss", "score_real", "score_generated", "diversity", "gradient")
CHECKS = ("mixed_real", "mixed_generated", "unseen_real", "nearest")


@dataclass(frozen=True)
class Setup:
    """How a run is trained; as it stands, it is healthy.

    Attributes:
        lr, discriminator_lr: learning rates of Adam.
        penalty: weight of the gradient penalty.
        head_start: steps that the discriminator learns alone before the game begins.
        discriminator_every: the discriminator learns only in each so manieth step.
        train_size: how many real pictures there are to learn from; 0 for all.
        lowest: the value of black in the real pictures; the generator's is -1.
        slope: of the discriminator's LeakyReLU below zero; 0 is a plain ReLU.
        batch_norm: whether the discriminator normalises each batch by its own mean and deviation.
        shuffled: whether each batch of real pictures is a mixture of the classes; else it holds one class alone.
        clear: whether the generator's gradients are set back to zero after each step.
        adam: whether the generator learns by Adam, else by plain gradient descent, which does not rescale gradients.
    """

    loss: str = "non_saturating"
    lr: float = 2e-3
    discriminator_lr: float = 2e-3
    penalty: float = 0.3
    head_start: int = 0
    discriminator_every: int = 1
    train_size: int = 0
    lowest: float = -1.0
    slope: float = 0.2
    batch_norm: bool = False
    shuffled: bool = True
    clear: bool = True
    adam: bool = True
    steps: int = MOMENTS[-1]


@dataclass(frozen=True)
class Run:
    """What was kept of a training.

    Attributes:
        curves: one value a step of each of ``CURVES``; ``diversity`` is relative to the real pictures, ``gradient``
            is the length of the gradient that the generator learned from.
        moments: the steps after which pictures were kept.
        pixels: (moments, SHOWN, 1, 28, 28) uint8, drawn from the same latents at each moment.
        real: (SHOWN, 1, 28, 28) uint8, real pictures as the discriminator was given them.
        checks: one value a moment of each of ``CHECKS``. The mixed scores are those of real and generated pictures in
            one batch. ``nearest`` is how far generated pictures lie from the nearest real one of the training, as a
            share of how far other real pictures do: 0 for copies, about 1 for new pictures.
    """

    curves: dict[str, Tensor]
    moments: tuple[int, ...]
    pixels: Tensor
    real: Tensor
    checks: dict[str, list[float]] = field(default_factory=dict)


@cache
def load_three_classes(split: str) -> ImageSet:
    """Return the trousers, bags and ankle boots of Fashion-MNIST."""
    data = load_fashion_mnist(split)
    return data.select(torch.isin(data.labels, torch.tensor(CLASSES)))


class Sketcher(nn.Module):
    """Random vectors (N, latent_size) -> images (N, 1, 28, 28) in [-1, 1], by linear layers alone, which is quick."""

    def __init__(self, latent_size: int = 16, width: int = 128) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.layers = nn.Sequential(
            nn.Linear(latent_size, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, 2 * width, bias=False),
            nn.BatchNorm1d(2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, 784),
            nn.Tanh(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)


class Critic(nn.Module):
    """Pictures (N, 1, 28, 28) -> one logit a picture, (N,): high for "real"."""

    def __init__(self, width: int = 128, slope: float = 0.2, batch_norm: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 2 * width),
            nn.BatchNorm1d(2 * width) if batch_norm else nn.Identity(),
            nn.LeakyReLU(slope),
            nn.Linear(2 * width, width),
            nn.BatchNorm1d(width) if batch_norm else nn.Identity(),
            nn.LeakyReLU(slope),
            nn.Linear(width, 1),
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(images)[:, 0]


class Patient:
    """The two networks of a run, their optimizers, and one turn of each player."""

    def __init__(self, setup: Setup, seed: int = 0) -> None:
        self.setup = setup
        torch.manual_seed(seed)
        self.generator, self.discriminator = Sketcher(), Critic(slope=setup.slope, batch_norm=setup.batch_norm)
        self.learner = self.make_learner(self.generator, setup.lr, setup.adam)
        self.discriminator_learner = self.make_learner(self.discriminator, setup.discriminator_lr)
        self.game, self.penalty = LOSSES[setup.loss], DifferencePenalty(setup.penalty)
        train = load_three_classes("train")
        chosen = torch.randperm(len(train))[: setup.train_size or None]
        self.train = train.select(chosen)
        everything = torch.arange(len(self.train))
        classes = [everything[self.train.labels == label] for label in self.train.labels.unique()]
        self.members = [everything] if setup.shuffled else classes  # of which a batch is drawn
        self.real_spread = self.rescale(self.train.images).std(dim=0).mean()
        self.latents = torch.randn(SHOWN, self.generator.latent_size)

    @staticmethod
    def make_learner(network: nn.Module, lr: float, adam: bool = True) -> torch.optim.Optimizer:
        if adam:
            return torch.optim.Adam(network.parameters(), lr, betas=(0.0, 0.99), fused=True)
        return torch.optim.SGD(network.parameters(), lr)

    def fetch(self) -> Tensor:
        """Return a batch of real pictures in the run's range of values."""
        members = self.members[int(torch.randint(len(self.members), ()))]
        return self.rescale(self.train.select(members[torch.randint(len(members), (BATCH,))]).images)

    def rescale(self, images: Tensor) -> Tensor:
        return (images + 1) / 2 * (1 - self.setup.lowest) + self.setup.lowest

    def draw(self) -> Tensor:
        return self.generator(torch.randn(BATCH, self.generator.latent_size))

    def teach_discriminator(self, real: Tensor, generated: Tensor, step: int, learn: bool = True) -> dict[str, Tensor]:
        real_logits, generated_logits = self.discriminator(real), self.discriminator(generated.detach())
        loss = plain = self.game.compute_discriminator_loss(real_logits, generated_logits)
        if self.setup.penalty and step % self.penalty.every == 0:
            pairs = ((real, real_logits), (generated, generated_logits))
            slopes = [self.penalty.compute(self.discriminator, images, None, logits) for images, logits in pairs]
            loss = plain + self.setup.penalty * (slopes[0] + slopes[1])
        if learn:
            loss.backward()
            self.discriminator_learner.step()
            self.discriminator_learner.zero_grad()
        scores = real_logits.sigmoid().mean(), generated_logits.sigmoid().mean()
        return {"discriminator_loss": plain, "score_real": scores[0], "score_generated": scores[1]}

    def teach_generator(self, generated: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        loss = self.game.compute_generator_loss(None, self.discriminator(generated))
        loss.backward()
        self.discriminator.requires_grad_(True)
        gradients = [weight.grad for weight in self.generator.parameters() if weight.grad is not None]
        gradient = torch.cat([grad.flatten() for grad in gradients]).norm()
        self.learner.step()
        if self.setup.clear:
            self.learner.zero_grad()
        return {"generator_loss": loss, "gradient": gradient}

    def play(self, step: int) -> dict[str, float]:
        """One turn of the discriminator, then one of the generator."""
        real, generated = self.fetch(), self.draw()
        values = self.teach_discriminator(real, generated, step, step % self.setup.discriminator_every == 0)
        values |= self.teach_generator(generated)
        values["diversity"] = generated.std(dim=0).mean() / self.real_spread
        return {name: value.item() for name, value in values.items()}

    def judge_mixed(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean scores of real and of generated pictures, half and half in the same batches of BATCH."""
        latents = torch.randn(MIXED, self.generator.latent_size, generator=torch.Generator().manual_seed(0))
        count = min(MIXED, len(seen))
        real, generated = seen[torch.arange(MIXED) % count], self.generator(latents)
        batches = zip(real.split(BATCH // 2), generated.split(BATCH // 2), strict=True)
        logits = torch.stack([self.discriminator(torch.cat(pair)) for pair in batches])  # still in training mode
        scores = logits.sigmoid()
        return scores[:, : BATCH // 2].mean(), scores[:, BATCH // 2 :].mean()

    @torch.no_grad()
    def check(self) -> tuple[Tensor, dict[str, float]]:
        """Return the pictures of the fixed latents, and the checks."""
        self.generator.eval()
        images = self.generator(self.latents)
        unseen = self.rescale(load_three_classes("test").select(slice(64)).images)
        seen = self.rescale(self.train.images[:2000])
        mixed = self.judge_mixed(seen)
        distances = [find_nearest(some, seen)[1].mean() for some in (images, unseen)]
        values = (
            *mixed,
            self.discriminator(unseen).sigmoid().mean(),
            distances[0] / distances[1],
        )
        self.generator.train()
        return to_pixels(images), {name: value.item() for name, value in zip(CHECKS, values, strict=True)}


def run(setup: Setup, seed: int = 0) -> Run:
    """Train by ``setup`` and return what the clinic keeps; the random numbers of the caller are left alone."""
    with torch.random.fork_rng(devices=[]):
        patient = Patient(setup, seed)
        for step in range(setup.head_start):
            patient.teach_discriminator(patient.fetch(), patient.draw(), step)
        kept, rows = [patient.check()], []
        moments = [moment for moment in MOMENTS if moment <= setup.steps]
        for step in range(setup.steps):
            rows.append(patient.play(step))
            if step + 1 in moments:
                kept.append(patient.check())
        real = to_pixels(patient.rescale(patient.train.images[:SHOWN]))
    curves = {name: torch.tensor([row[name] for row in rows]) for name in CURVES}
    checks = {name: [values[name] for _, values in kept] for name in CHECKS}
    return Run(curves, tuple(moments), torch.stack([pixels for pixels, _ in kept]), real, checks)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: how it was planted, what it looks like, and what mends it."""

    broken: Setup
    fixed: Setup
    cause: str
    symptom: str
    fix: str


FAULTS = {
    "wrong range": Fault(
        Setup(lowest=0.0),
        Setup(),
        "The real pictures were scaled to [0, 1], the generator's tanh draws in [-1, 1].",
        "The real pictures, as the discriminator gets them, have a grey ground. The generated ones copy that.",
        "Scale the real pictures to the range that the generator draws in.",
    ),
    "mode collapse": Fault(
        Setup(discriminator_every=25, discriminator_lr=1e-2),
        Setup(),
        "The discriminator took one large step in each 25, and the generator ran to what it liked best just then.",
        "Whatever the latent, nearly the same picture comes out, and some steps later another one.",
        "Let the discriminator learn a little in every step, so that it can answer.",
    ),
    "missing zero_grad": Fault(
        Setup(clear=False),
        Setup(),
        "The generator's gradients were never set back to zero, so each step repeats all earlier ones.",
        "The generator's gradient grows from step to step, a hundred times and more.",
        "Call zero_grad() after (or before) every step.",
    ),
    "vanishing gradient": Fault(
        Setup(loss="saturating", head_start=300, penalty=0.0, adam=False, lr=0.1),
        Setup(head_start=300, penalty=0.0, adam=False, lr=0.1),
        "The saturating loss against a discriminator with 300 steps of head start, and plain gradient descent.",
        "The discriminator is sure of everything, and next to no gradient is left for the generator.",
        "Use the non-saturating loss, which is steep just where the discriminator is sure.",
    ),
    "memorising": Fault(
        Setup(train_size=8),
        Setup(),
        "There were only eight real pictures to learn from.",
        "Generated pictures are copies of training pictures, and the discriminator doubts real ones it has not seen.",
        "Learn from more pictures (here 18,000), or show the discriminator augmented ones.",
    ),
    "learning rates out of balance": Fault(
        Setup(lr=2e-5),
        Setup(),
        "The generator's learning rate was a hundredth of the discriminator's.",
        "The discriminator wins and the generator's gradient is large, and yet its pictures hardly change.",
        "Give both the same rate, then change one by small factors.",
    ),
    "dead discriminator": Fault(
        Setup(slope=0.0, discriminator_lr=0.1),
        Setup(),
        "Plain ReLUs met a learning rate of 0.1: the weights were thrown to where no ReLU answers any more.",
        "Every picture gets the same score, and the generator's gradient is exactly zero.",
        "LeakyReLU, which always lets some gradient through, and a smaller learning rate.",
    ),
    "batch norm leak": Fault(
        Setup(batch_norm=True, shuffled=False, penalty=0.0),
        Setup(shuffled=False, penalty=0.0),
        "The discriminator had batch normalisation, and each batch of real pictures held one class: the batch's own "
        "statistics told it that they were real.",
        "The discriminator is sure while real and generated batches are apart, but not in a mixed batch.",
        "No batch normalisation in the discriminator (and shuffle the pictures). The mended run leaves out only that.",
    ),
}
CASES = dict(zip("ABCDEFGH", FAULTS, strict=True))


@dataclass(frozen=True)
class Sign:
    """What a run with a certain fault must show: a number between ``low`` and ``high``.

    ``against`` is what to say, with that number, where it does not.
    """

    measure: Callable[[Run], float]
    low: float
    high: float
    against: str

    def is_shown(self, run: Run) -> bool:
        return self.low <= self.measure(run) <= self.high


def compute_end(name: str) -> Callable[[Run], float]:
    """Return what measures the mean of a curve's last 50 steps."""
    return lambda run: run.curves[name][-50:].mean().item()


def compute_gap(run: Run) -> float:
    """Return how much higher real pictures score than generated ones at the end, in batches of their own."""
    return compute_end("score_real")(run) - compute_end("score_generated")(run)


def compute_mixed_gap(run: Run) -> float:
    """Return the same in mixed batches, the mean of the last three moments."""
    return (sum(run.checks["mixed_real"][-3:]) - sum(run.checks["mixed_generated"][-3:])) / 3


def compute_mixed_share(run: Run) -> float:
    """Return which share of the difference in batches apart is left in mixed ones."""
    return compute_mixed_gap(run) / max(compute_gap(run), 1e-3)


def compute_movement(run: Run) -> float:
    """Return how much the pictures change from one moment to the next, after the first 50 steps, in grey levels."""
    moments = run.pixels[2:].float()
    return (moments[1:] - moments[:-1]).abs().mean().item()


def compute_ground(run: Run) -> float:
    """Return the grey level (0 to 255) of the real pictures' corners."""
    return run.real[:, :, 0, 0].float().mean().item()


def compute_nearness(run: Run) -> float:
    return run.checks["nearest"][-1]


def compute_latent_spread(run: Run) -> float:
    """Return how much the pictures of one moment differ, as a share of what real ones do; the mean of all moments."""
    return (run.pixels[1:].float().std(dim=1).mean() / run.real.float().std(dim=0).mean()).item()


def compute_median_gradient(run: Run) -> float:
    return run.curves["gradient"].median().item()


SIGNS = {
    "wrong range": (Sign(compute_ground, 60, 255, "the real pictures would have a grey ground; it is {:.0f} of 255"),),
    "mode collapse": (
        Sign(compute_latent_spread, 0, 0.4, "all latents would give one picture; these vary {:.0%} as much as real"),
        Sign(compute_end("gradient"), 1e-3, 10, "the generator's gradient would be of an ordinary size; it is {:.2g}"),
    ),
    "missing zero_grad": (
        Sign(compute_end("gradient"), 20, 1e9, "the gradient would have piled up a hundredfold; it ends at {:.2g}"),
    ),
    "vanishing gradient": (
        Sign(compute_gap, 0.8, 1, "the discriminator would be sure of everything; its scores are only {:.2f} apart"),
        Sign(compute_median_gradient, 0, 0.001, "hardly any gradient would be left; its median is {:.2g}"),
    ),
    "memorising": (
        Sign(
            compute_nearness,
            0,
            0.9,
            "pictures would be copies of training pictures; they lie {:.2f} times as far from them as new real ones",
        ),
    ),
    "learning rates out of balance": (
        Sign(compute_gap, 0.3, 1, "one player would win clearly; the scores are {:.2f} apart"),
        Sign(compute_end("gradient"), 0.05, 10, "the gradient would be of an ordinary size; it ends at {:.2g}"),
        Sign(
            compute_movement, 0, 20, "the pictures would hardly change; from moment to moment they do by {:.0f} of 255"
        ),
    ),
    "dead discriminator": (
        Sign(compute_end("gradient"), 0, 1e-9, "the gradient would be exactly zero; it ends at {:.2g}"),
        Sign(compute_gap, -0.02, 0.02, "every picture would get one and the same score; they are {:.2f} apart"),
    ),
    "batch norm leak": (
        Sign(compute_gap, 0.3, 1, "it would be sure as long as batches are apart; its scores differ by only {:.2f}"),
        Sign(
            compute_mixed_share, -1, 0.5, "a mixed batch would end most of that; {:.0%} of the difference is left there"
        ),
    ),
}


def find_contradiction(run: Run, diagnosis: str) -> str | None:
    """Return the sentence that speaks against a diagnosis, with the run's number, or None if all its signs are there.

    Raises:
        ValueError: no fault has this name.
    """
    if diagnosis not in SIGNS:
        raise ValueError(f"{diagnosis!r} is no diagnosis of this clinic; there are: {', '.join(SIGNS)}")
    for sign in SIGNS[diagnosis]:
        if not sign.is_shown(run):
            return f"With {diagnosis}, {sign.against.format(sign.measure(run))}."
    return None


GAMES = {
    "non-saturating, no penalty": Adversarial("non_saturating"),
    "relativistic, gradient penalty": Adversarial("relativistic", DifferencePenalty(0.3)),
}
GAME_MOMENTS = (0, 25, 50, 100, 200, 300, 400, 600, 800, 1000, 1200)
GAME_LABELS = torch.arange(10).repeat(3)


def play_game(name: str) -> Run:
    """Train the course's own generator by one of ``GAMES`` and keep what it drew on the way."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator, data = Generator(), Discriminator(), load_fashion_mnist("train")
        kept: dict[int, Tensor] = {}

        def keep(model: nn.Module, history: History) -> None:
            if len(history.steps) in GAME_MOMENTS:
                images = sample_images(model, GAME_LABELS, generator=torch.Generator().manual_seed(1))
                kept[len(history.steps)] = to_pixels(images)

        keep(generator, History())
        history = fit_adversarial(
            generator,
            discriminator,
            GAMES[name],
            make_loader(data, BATCH),
            steps=GAME_MOMENTS[-1],
            on_step=keep,
            precision=pick_precision(),
            progress=False,
        )
    curves = {curve: torch.tensor(history.curve(curve)) for curve in CURVES if curve in history.steps[0]}
    return Run(curves, GAME_MOMENTS, torch.stack([kept[moment] for moment in GAME_MOMENTS]), data.pixels[:30])


def list_runs() -> dict[str, Setup | str]:
    """Return every run that is stored, by the name of its file: a clinic's set-up, or the name of a game."""
    healed = {f"{case}_fixed": FAULTS[name].fixed for case, name in CASES.items() if FAULTS[name].fixed != Setup()}
    broken = {case: FAULTS[name].broken for case, name in CASES.items()}
    games = {f"game_{index}": name for index, name in enumerate(GAMES)}
    return {"healthy": Setup(), **broken, **healed, **games}


def encode_run(result: Run) -> bytes:
    """Return a run as a file in memory; the curves are kept as means of ten steps, which is as fine as a plot shows."""
    curves = {name: values.view(-1, THINNED).mean(dim=1) for name, values in result.curves.items()}
    checks = {f"check_{name}": torch.tensor(values) for name, values in result.checks.items()}
    return encode_parts({"pixels": result.pixels, "real": result.real} | curves | checks)


@cache
def load_run(file: str) -> Run:
    """Load a stored run by the name of its file, see ``list_runs``.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
    """
    parts, _ = load_parts("clinic", f"{file}.npz")
    curves = {name: parts[name].repeat_interleave(THINNED) for name in CURVES if name in parts}
    checks = {name: parts[f"check_{name}"].tolist() for name in CHECKS if f"check_{name}" in parts}
    moments = GAME_MOMENTS if file.startswith("game") else MOMENTS
    return Run(curves, moments, parts["pixels"], parts["real"], checks)


def load_fixed(case: str) -> Run:
    """Load the run in which the fault of a case has been mended."""
    return load_run(f"{case}_fixed" if f"{case}_fixed" in list_runs() else "healthy")
