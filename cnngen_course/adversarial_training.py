"""The adversarial game: two networks, each with its own optimizer, learn in turns from the same batches.

The loop is ``training.train``; what the two are trained for is in ``objectives/adversarial.py``. Here is what one step
does, and what can go wrong. It runs in one process, on the fastest device.
"""

import math
import time
from collections.abc import Iterable
from typing import Any, Unpack

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from cnngen_course.objectives.adversarial import Adversarial, frozen, get_latent_size
from cnngen_course.runtime import pick_device
from cnngen_course.training import (
    History,
    Learner,
    Schedule,
    Trainee,
    TrainingDiverged,
    Watching,
    check_settings,
    find_device,
    train,
)

PATIENCE = 200  # steps of too little variety before it is called a collapse
LEAST_DIVERSITY = 0.3  # of what the real pictures of the same batch vary by


def fit_adversarial(
    generator: nn.Module,
    discriminator: nn.Module,
    objective: Adversarial,
    loader: Iterable[tuple[Tensor, ...]],
    *,
    steps: int,
    lr: float = 2e-3,
    discriminator_lr: float | None = None,
    decay: float = 0.35,
    schedule: Schedule | None = None,
    average: float | None = None,
    precision: str = "no",
    **watching: Unpack[Watching],
) -> History:
    """Train both networks in place for ``steps`` batches, or until a preset quality, and return what happened.

    A step's values are both losses, both scores, the diversity (where a batch shows one), and the pictures per second.

    Args:
        generator: called with latents (N, ``latent_size``), a number it knows itself, and labels (N,).
        discriminator: called with images and labels; returns logits (N,).
        objective: what each of the two minimises.
        loader: yields ``(images, labels)``; starts again when it is exhausted.
        lr: highest learning rate of Adam, for both networks.
        discriminator_lr: another one for the discriminator (Heusel et al., 2017).
        decay: share of the steps over which the learning rate falls. In our long runs pictures got worse again by it:
            hold the rate there (0.0), and leave the settling to the average of the weights.
        schedule: factor of both learning rates, by the number of steps done. By default it warms up over 100 steps, is
            held, and falls to a twentieth over the last ``decay`` of the steps.
        average: decay of a running average of the generator's weights, e.g. 0.998, which replaces them at the end.
        precision: "no" (32 bits) or "bf16"; ``runtime.pick_precision()`` knows what pays on this machine.
        watching: ``evaluate``, ``evaluate_every``, ``until``, ``on_step``, ``on_evaluate``, ``checkpoint``,
            ``checkpoint_every``, ``progress``: see ``training.train``. All are given the generator.

    Raises:
        TrainingDiverged: a loss became NaN or infinite; the network it belongs to does not take that step.
        CheckpointError: the checkpoint cannot be written, is damaged, or of a run with other settings.
        ValueError: a setting makes no sense, the loader gives no batch, or ``until`` names what is not evaluated.
    """
    for rate in (lr, discriminator_lr):
        if rate is not None:
            check_settings(steps=steps, lr=rate, average=average, precision=precision)
    if not 0 <= decay <= 1:
        raise ValueError(f"decay={decay}: it is a share of the steps, from 0 to 1")
    schedule = schedule or WarmupHoldDecay(steps, decay)
    discriminator_lr = lr if discriminator_lr is None else discriminator_lr
    settings = {"steps": steps, "lr": float(lr), "discriminator_lr": float(discriminator_lr), "schedule": schedule}
    settings |= {"average": average, "precision": precision}
    return train(Game(generator, discriminator, objective, settings, schedule), loader, steps, **watching)


class Game(Trainee):
    """Both networks and all that changes while they are trained; the generator is the one that counts."""

    shown = ("score_real", "score_generated")

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Adversarial,
        settings: dict[str, Any],
        schedule: Schedule,
    ) -> None:
        home, device = find_device(generator), pick_device()
        for network in (generator, discriminator):  # channels last: convolutions of few channels are faster so
            network.to(device).to(memory_format=torch.channels_last)
        super().__init__(generator, objective, settings, home, device)
        self.generator, self.discriminator, self.game = generator, discriminator, objective
        self.learners = {
            "generator": make_learner(generator, settings["lr"], schedule),
            "discriminator": make_learner(discriminator, settings["discriminator_lr"], schedule),
        }
        self.parts |= {"discriminator": discriminator}
        self.parts |= {f"learner of the {name}": learner for name, learner in self.learners.items()}

    def play(self, batch: tuple[Tensor, Tensor]) -> None:
        """The discriminator learns from real and generated pictures, then the generator from its answer."""
        start = time.perf_counter()
        for network in (self.generator, self.discriminator):
            network.train()
        real, labels = (part.to(self.device) for part in batch)
        latents = torch.randn(len(real), get_latent_size(self.generator)).to(self.device)
        with self.autocast:
            generated = self.generator(latents, labels)
            step = len(self.history.steps)
            values = self.game.compute_discriminator_loss(self.discriminator, real, generated, labels, step)
        self._learn("discriminator", values.pop("loss"))
        with frozen(self.discriminator):  # it hands the gradient on and keeps none of it
            with self.autocast:
                values |= self.game.compute_generator_loss(self.discriminator, real, generated, labels)
            self._learn("generator", values.pop("loss"))
        if self.averaged:
            self.averaged.update_parameters(self.generator)
        spread = compute_spread(real, labels)
        if spread > 0:  # else no two pictures of a class, and nothing to compare
            values["diversity"] = compute_spread(generated.detach(), labels) / spread
        entry = {name: value.item() for name, value in values.items()}
        self.history.steps.append(entry | {"images_per_second": len(real) / (time.perf_counter() - start)})
        say_once(self.history, find_collapse(self.history))

    def _learn(self, player: str, loss: Tensor) -> None:
        if not math.isfinite(loss.item()):  # before the step: a loss of NaN must not reach the weights
            raise TrainingDiverged(self._explain_divergence(player, loss.item()), self.history)
        self.learners[player].learn(loss)

    def _explain_divergence(self, player: str, loss: float) -> str:
        rates = " and ".join(f"{learner.lr:.2g} for the {name}" for name, learner in self.learners.items())
        last = [f"{step['score_real']:.3g} / {step['score_generated']:.3g}" for step in self.history.steps[-5:]]
        return (
            f"The {player}'s loss became {loss} at step {len(self.history.steps) + 1} (last scores, real / generated: "
            f"{', '.join(last) or 'none'}; learning rates now {rates}). Usual reasons: a learning rate is too high "
            "(try a quarter for both), the discriminator grew too steep (add or raise the gradient penalty), or the "
            "data hold NaN."
        )

    def end(self) -> None:
        super().end()
        self.discriminator.eval().to(self.home)
        for network in (self.generator, self.discriminator):
            network.to(memory_format=torch.contiguous_format)


def make_learner(network: nn.Module, lr: float, schedule: Schedule) -> Learner:
    # No momentum (first beta 0): the other network moves too, so yesterday's direction misleads.
    return Learner(torch.optim.Adam(network.parameters(), lr=lr, betas=(0.0, 0.99), fused=True), schedule)


class WarmupHoldDecay:
    """Factor of the learning rate: up in a line over 100 steps, held, then down in a line to 0.05 at the end.

    Args:
        steps: of the whole run.
        decay: share of them over which the rate falls.
    """

    def __init__(self, steps: int, decay: float = 0.35) -> None:
        self.steps = steps
        self.warmup = max(1, min(100, steps // 10))
        self.decay = round((1 - decay) * steps)

    def __call__(self, step: int) -> float:
        if step < self.decay:
            return min(1.0, (step + 1) / self.warmup)
        return 1 - 0.95 * (step - self.decay) / max(1, self.steps - self.decay)


def compute_spread(images: Tensor, labels: Tensor) -> Tensor:
    """Return how much the pictures of a class differ: the standard deviation about the mean of their class.

    ``images`` is (N, ...), ``labels`` (N,); the result is a scalar in the unit of the images.
    """
    values = images.float().flatten(1)
    members = one_hot(labels).float()  # (N, classes)
    counts = members.sum(dim=0)
    means = members.T @ values / counts.clamp(min=1)[:, None]  # (classes, values)
    freedom = max(1, len(values) - int(counts.count_nonzero()))
    return ((values - members @ means).square().sum() / (freedom * values.shape[1])).sqrt()


def find_collapse(history: History) -> str | None:
    """Return what to say if the generated batches have long varied far less than the real ones, else None."""
    recent = [step["diversity"] for step in history.steps[-PATIENCE:] if "diversity" in step]
    if len(recent) < PATIENCE or max(recent) > LEAST_DIVERSITY:
        return None
    mean = sum(recent) / PATIENCE
    return (
        f"This looks like mode collapse: in the {PATIENCE} steps up to step {len(history.steps)} the generated "
        f"pictures of a class varied {mean:.0%} as much as the real ones (never more than {max(recent):.0%}). "
        "What often helps: a gradient penalty, a lower learning rate, a larger batch, minibatch deviation."
    )


def say_once(history: History, warning: str | None) -> None:
    if warning and not history.warnings:
        history.warnings.append(warning)
        print(warning)
