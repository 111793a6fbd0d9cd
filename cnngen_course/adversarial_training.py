"""The adversarial loop: two networks, each with its own optimizer, learn in turns from the same batches.

Like ``training.fit`` it knows nothing of pictures; what the two are trained for is in ``objectives/adversarial.py``.
It runs in one process, on the fastest device.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.optim.lr_scheduler import LambdaLR
from tqdm.auto import tqdm

from cnngen_course.checkpoints import RewindableLoader, load_checkpoint, save_checkpoint
from cnngen_course.objectives.adversarial import Adversarial
from cnngen_course.runtime import pick_device
from cnngen_course.training import Evaluate, History, TrainingDiverged, make_average, take

PATIENCE = 200  # steps of too little variety before it is called a collapse
LEAST_DIVERSITY = 0.3  # of what the real pictures of the same batch vary by
SHOWN = ("score_real", "score_generated", "diversity")  # beside the progress bar


@dataclass
class AdversarialHistory(History):
    """What happened. A step holds both losses, both scores, the diversity, and the pictures per second.

    Attributes:
        warnings: what looked wrong, in words.
        reached: whether the preset quality was reached; None if none was asked for or nothing was measured.
    """

    warnings: list[str] = field(default_factory=list)
    reached: bool | None = None


def fit_adversarial(
    generator: nn.Module,
    discriminator: nn.Module,
    objective: Adversarial,
    loader: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    lr: float = 2e-3,
    discriminator_lr: float | None = None,
    decay: float = 0.35,
    average: float | None = None,
    evaluate: Evaluate | None = None,
    evaluate_every: int | None = None,
    until: dict[str, float] | None = None,
    on_evaluate: Callable[[nn.Module, AdversarialHistory], None] | None = None,
    checkpoint: Path | None = None,
    precision: str = "no",
    progress: bool = True,
) -> AdversarialHistory:
    """Train both networks in place for ``steps`` batches, or until a preset quality, and return what happened.

    The learning rate warms up over 100 steps, is held, and falls to a twentieth towards the end. Stopping early
    (Ctrl-C, or the stop button of JupyterLab) lets the step end and keeps what has been trained.

    Args:
        generator: called with latents (N, ``latent_size``), a number it knows itself, and labels (N,).
        discriminator: called with images and labels; returns logits (N,).
        objective: what each of the two minimises.
        loader: yields ``(images, labels)``; starts again when it is exhausted.
        lr: highest learning rate of Adam, for both networks.
        discriminator_lr: another one for the discriminator (Heusel et al., 2017).
        decay: share of the steps over which the learning rate falls. In our long runs pictures got worse again by it:
            hold the rate there (0.0), and leave the settling to the average of the weights.
        average: decay of a running average of the generator's weights, e.g. 0.998, which replaces them at the end.
        evaluate: measures the (averaged) generator every ``evaluate_every`` steps and at the end. Whatever it draws
            at random, the training goes on as if it had not been there.
        until: the highest value wanted of each evaluated name, e.g. ``{"frechet": 1.0}``; training ends once all are
            reached, and says at its end whether they were.
        on_evaluate: called after each evaluation, e.g. to draw a live picture.
        checkpoint: a file to write at each evaluation, at an interruption and at the end. If it exists, training goes
            on from it, on a CPU to exactly the weights that it would have reached without the pause.
        precision: "no" (32 bits) or "bf16"; ``runtime.pick_precision()`` knows what pays on this machine.

    Raises:
        TrainingDiverged: a loss became NaN or infinite; the network it belongs to does not take that step.
        CheckpointError: the checkpoint is damaged, or of a run with other settings.
        ValueError: the loader gives no batch, or ``until`` names what is not evaluated.
    """
    if until and not evaluate:
        raise ValueError(f"until={until} needs evaluate=..., which measures it")
    settings = {"steps": steps, "lr": lr, "discriminator_lr": discriminator_lr or lr, "decay": decay}
    settings |= {"average": average, "precision": precision}
    settings |= {"loss": objective.loss, "penalty": repr(objective.penalty), "naming": objective.naming}
    game = Game(generator, discriminator, objective, RewindableLoader(loader), settings, precision)
    if checkpoint and checkpoint.exists():
        game.load_state_dict(load_checkpoint(checkpoint, settings))
    history = game.history

    def save() -> None:
        if checkpoint:
            save_checkpoint(checkpoint, settings, game.state_dict())

    def pause_to_evaluate() -> None:
        with game.pause() as measured:
            entry = {"step": len(history.steps), "seconds": round(game.seconds, 2)} | evaluate(measured)
            history.reached = is_reached(until, entry) if until else None
            history.evaluations.append(entry)
            if on_evaluate:
                on_evaluate(measured, history)
        save()

    left = 0 if history.reached else steps - len(history.steps)
    bar = tqdm(total=steps, initial=len(history.steps), disable=not progress, unit="step", mininterval=0.5)
    try:
        for batch in take(game.loader, left):
            with finish_before_interrupt():
                game.play(batch)
            say_once(history, find_collapse(history))
            bar.set_postfix({name: f"{history.steps[-1][name]:.2f}" for name in SHOWN}, refresh=False)
            bar.update()
            if evaluate and evaluate_every and len(history.steps) % evaluate_every == 0:
                pause_to_evaluate()
                if history.reached:
                    break
        if evaluate and not (history.evaluations and history.evaluations[-1]["step"] == len(history.steps)):
            pause_to_evaluate()
        elif left:
            save()
    except KeyboardInterrupt:
        history.interrupted = True
        save()
        print(f"Stopped after {len(history.steps)} of {steps} steps; what was trained so far is kept.")
    finally:
        bar.close()
        game.end()
    if until:
        print(describe_goal(until, history))
    return history


class Game:
    """Both networks and all that changes while they are trained. ``play`` is one step."""

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Adversarial,
        loader: RewindableLoader,
        settings: dict[str, Any],
        precision: str,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.objective, self.loader = objective, loader
        self.history, self.seconds = AdversarialHistory(), 0.0
        self.home, self.device = next(generator.parameters()).device, pick_device()
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bf16")
        for network in (generator, discriminator):  # channels last: convolutions of few channels are faster so
            network.train().to(self.device, memory_format=torch.channels_last)
        schedule = WarmupHoldDecay(settings["steps"], settings["decay"])
        self.learners = {
            "generator": Learner(generator, settings["lr"], schedule),
            "discriminator": Learner(discriminator, settings["discriminator_lr"], schedule),
        }
        self.averaged = make_average(generator, settings["average"])

    def play(self, batch: tuple[Tensor, Tensor]) -> None:
        """The discriminator learns from real and generated pictures, then the generator from its answer."""
        start = time.perf_counter()
        real, labels = (part.to(self.device) for part in batch)
        latents = torch.randn(len(real), self.generator.latent_size).to(self.device)
        with self.autocast:
            generated = self.generator(latents, labels)
            step = len(self.history.steps)
            values = self.objective.compute_discriminator_loss(self.discriminator, real, generated, labels, step)
        self._learn("discriminator", values.pop("loss"))
        with frozen(self.discriminator):  # it hands the gradient on and keeps none of it
            with self.autocast:
                values |= self.objective.compute_generator_loss(self.discriminator, real, generated, labels)
            self._learn("generator", values.pop("loss"))
        if self.averaged:
            self.averaged.update_parameters(self.generator)
        values["diversity"] = compute_spread(generated.detach(), labels) / compute_spread(real, labels)
        entry = {name: value.item() for name, value in values.items()}
        seconds = time.perf_counter() - start
        self.seconds += seconds
        self.history.steps.append(entry | {"images_per_second": len(real) / seconds})
        self.loader.mark()

    def _learn(self, player: str, loss: Tensor) -> None:
        if not math.isfinite(loss.item()):  # before the step: a loss of NaN must not reach the weights
            raise TrainingDiverged(self._explain_divergence(player, loss.item()))
        loss.backward()
        self.learners[player].step()

    def _explain_divergence(self, player: str, loss: float) -> str:
        rates = " and ".join(f"{learner.lr:.2g} for the {name}" for name, learner in self.learners.items())
        last = [f"{step['score_real']:.3g} / {step['score_generated']:.3g}" for step in self.history.steps[-5:]]
        return (
            f"The {player}'s loss became {loss} at step {len(self.history.steps) + 1} (last scores, real / generated: "
            f"{', '.join(last) or 'none'}; learning rates now {rates}). Usual reasons: a learning rate is too high "
            "(try a quarter for both), the discriminator grew too steep (add or raise the gradient penalty), or the "
            "data hold NaN."
        )

    @contextmanager
    def pause(self) -> Iterator[nn.Module]:
        """Give the generator that counts, in evaluation mode; random numbers drawn meanwhile are not missed later."""
        measured = self.averaged.module if self.averaged else self.generator
        measured.eval()
        gpus = [torch.cuda.current_device()] if self.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(gpus):
            yield measured
        self.generator.train()

    def end(self) -> None:
        """Put the averaged weights into the generator, and both networks back to where they were."""
        if self.averaged and self.history.steps:
            self.generator.load_state_dict(self.averaged.module.state_dict())
        for network in (self.generator, self.discriminator):
            network.eval().to(self.home, memory_format=torch.contiguous_format)

    def state_dict(self) -> dict[str, Any]:
        history = self.history
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged else {},
            "learners": {name: learner.state_dict() for name, learner in self.learners.items()},
            "loader": self.loader.state_dict(),
            "seconds": self.seconds,
            # One table for all steps: a tenth of the size of a dictionary a step, and as exact.
            "names": list(history.steps[0]) if history.steps else [],
            "steps": torch.tensor([list(step.values()) for step in history.steps], dtype=torch.double),
            "evaluations": history.evaluations,
            "warnings": history.warnings,
            "reached": history.reached,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        if self.averaged:
            self.averaged.load_state_dict(state["averaged"])
        for name, learner in self.learners.items():
            learner.load_state_dict(state["learners"][name])
        self.loader.load_state_dict(state["loader"])
        self.seconds = state["seconds"]
        self.history.steps = [dict(zip(state["names"], row, strict=True)) for row in state["steps"].tolist()]
        self.history.evaluations = state["evaluations"]
        self.history.warnings = state["warnings"]
        self.history.reached = state["reached"]


class Learner:
    """The optimizer and the schedule of one network."""

    def __init__(self, network: nn.Module, lr: float, schedule: Callable[[int], float]) -> None:
        # No momentum (first beta 0): the other network moves too, so yesterday's direction misleads.
        self.optimizer = torch.optim.Adam(network.parameters(), lr=lr, betas=(0.0, 0.99), fused=True)
        self.schedule = LambdaLR(self.optimizer, schedule)

    @property
    def lr(self) -> float:
        return self.optimizer.param_groups[0]["lr"]

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "steps_done": self.schedule.last_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.last_epoch = state["steps_done"]


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


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Spare the gradients of the network's own weights, a third of the work of going back through it."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


@contextmanager
def finish_before_interrupt() -> Iterator[None]:
    """Put off Ctrl-C to the end of the block: half a step would leave one network ahead, with no exact way on."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # only the main thread hears Ctrl-C
        return
    heard: list[tuple] = []
    signal.signal(signal.SIGINT, lambda *details: heard.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if heard:
        handler(*heard[0])


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


def find_collapse(history: AdversarialHistory) -> str | None:
    """Return what to say if the generated batches have long varied far less than the real ones, else None."""
    recent = [step["diversity"] for step in history.steps[-PATIENCE:]]
    if len(recent) < PATIENCE or max(recent) > LEAST_DIVERSITY:
        return None
    mean = sum(recent) / PATIENCE
    return (
        f"This looks like mode collapse: in the {PATIENCE} steps up to step {len(history.steps)} the generated "
        f"pictures of a class varied {mean:.0%} as much as the real ones (never more than {max(recent):.0%}). "
        "What often helps: a gradient penalty, a lower learning rate, a larger batch, minibatch deviation."
    )


def say_once(history: AdversarialHistory, warning: str | None) -> None:
    if warning and not history.warnings:
        history.warnings.append(warning)
        print(warning)


def is_reached(until: dict[str, float], evaluation: dict[str, float]) -> bool:
    missing = set(until) - set(evaluation)
    if missing:
        raise ValueError(f"until asks for {', '.join(missing)}, but what is evaluated is {', '.join(evaluation)}")
    return all(evaluation[name] <= highest for name, highest in until.items())


def describe_goal(until: dict[str, float], history: AdversarialHistory) -> str:
    """Say plainly whether the preset quality was reached, and how near the training came."""
    if not history.evaluations:
        return "The preset quality was not measured: the training stopped before its first evaluation."
    verdict = "reached" if history.reached else "not reached"
    last = history.evaluations[-1]
    parts = []
    for name, highest in until.items():
        best = min(history.evaluations, key=lambda evaluation: evaluation[name])
        near = "" if history.reached else f", best {best[name]:.3g} at step {best['step']:,}"
        parts.append(f"{name} is {last[name]:.3g} (wanted: at most {highest:.3g}{near})")
    return f"Preset quality {verdict} at step {last['step']:,}, after {last['seconds']:.0f} s: {'; '.join(parts)}."
