"""The training loop of every network in this course, and what it trains.

``train`` is the loop: fetch a batch, learn from it, look how far it is, repeat. It knows nothing of pictures and
nothing of networks. What one step does is up to a ``Trainee``: one network with its objective (``fit``, below), or two
that play against each other (``adversarial_training.fit_adversarial``).

An objective is called with the model and a batch and returns named values, among them ``"loss"``; see ``objectives/``.
"""

import copy
import math
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from cnngen_course.checkpoints import (
    CheckpointError,
    RewindableLoader,
    describe,
    find_stateful,
    load_checkpoint,
    save_checkpoint,
    spare_random_numbers,
)


class Objective(Protocol):
    """What a network is trained for: model and batch in, named scalars out, among them ``"loss"``."""

    def __call__(self, model: Any, batch: Any, /) -> dict[str, Tensor]: ...


Evaluate = Callable[[Any], dict[str, float]]
Schedule = Callable[[int], float]  # factor of the learning rate, by the number of steps done


@dataclass
class History:
    """What happened in a training.

    Attributes:
        steps: the values of each step, by name.
        evaluations: what was measured, with ``"step"`` and the ``"seconds"`` of training until then.
        seconds: that the steps took; measuring and looking do not count.
        warnings: what looked wrong, in words.
        reached: whether the preset quality was reached; None if none was asked for or nothing was measured.
        interrupted: whether it was stopped from outside.
    """

    steps: list[dict[str, float]] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    reached: bool | None = None
    interrupted: bool = False

    def curve(self, name: str, smooth: int = 1) -> list[float]:
        """Return one value a step, each the mean of the last ``smooth`` steps."""
        values = [step[name] for step in self.steps]
        return [sum(values[max(0, i + 1 - smooth) : i + 1]) / min(smooth, i + 1) for i in range(len(values))]

    def state_dict(self) -> dict[str, Any]:
        # Tables of the steps that have the same names: a tenth of the size of a dictionary a step, and as exact.
        tables = [
            (list(names), torch.tensor([list(step.values()) for step in steps], dtype=torch.double))
            for names, steps in groupby(self.steps, key=tuple)
        ]
        return {**vars(self), "steps": tables}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state, interrupted=False)
        self.steps = [dict(zip(names, row, strict=True)) for names, rows in state["steps"] for row in rows.tolist()]


class TrainingDiverged(RuntimeError):
    """The loss is no longer a number. The message says when and what usually helps; ``history`` ends there."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


class Trainee(ABC):
    """What ``train`` trains: a network that counts, whoever learns with it, and a ``history``.

    Args:
        network: the one that is averaged, measured, and handed to whoever watches; it lies on ``device`` already.
        objective: what it is trained for.
        settings: what two runs must have in common for one to go on from the other's checkpoint; among them are
            ``average`` and ``precision``.
        home: where the network goes back to at the end.

    Attributes:
        parts: all that changes in a training, by name: what a checkpoint holds. A subclass adds its learners.
        shown: names of the values beside the progress bar.
    """

    shown: tuple[str, ...] = ("loss",)

    def __init__(
        self, network: nn.Module, objective: object, settings: dict[str, Any], home: torch.device, device: torch.device
    ) -> None:
        self.network, self.objective, self.home, self.device = network, objective, home, device
        self.settings, self.history = describe(settings | {"objective": objective}), History()
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=settings["precision"] == "bf16")
        self.averaged = make_average(network, settings["average"])
        self.parts: dict[str, Any] = {"network": network, "history": self.history}
        self.parts |= {"average": self.averaged} if self.averaged else {}
        self.parts |= {f"objective.{path}": part for path, part in find_stateful(objective).items()}

    @abstractmethod
    def play(self, batch: Any) -> None:
        """Take one step and enter its values into the history."""

    @contextmanager
    def pause(self) -> Iterator[nn.Module]:
        """Give the network that counts, ready to be measured; ``play`` goes on afterwards."""
        measured = self.averaged.module if self.averaged else self.network
        yield measured.eval()

    def end(self) -> None:
        """Put the weights that count into the network, and everything back to where it was."""
        if self.averaged and self.history.steps:
            self.network.load_state_dict(self.averaged.module.state_dict())
        self.network.eval().to(self.home)

    def state_dict(self) -> dict[str, Any]:
        now = describe({"objective": self.objective})
        changed = [name for name in now if now[name] != self.settings.get(name)]
        if changed:
            words = ", ".join(f"{name} was {self.settings.get(name)} and is {now[name]}" for name in changed)
            raise CheckpointError(
                f"The objective keeps something from step to step that no checkpoint can save: {words}. "
                "Give what changes a state_dict and a load_state_dict, or train without checkpoint=."
            )
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


class Watching(TypedDict, total=False):
    """What ``fit`` and ``fit_adversarial`` hand on to ``train``; it says what they mean."""

    evaluate: Evaluate | None
    evaluate_every: int | None
    until: dict[str, float] | None
    on_step: Callable[[Any, History], None] | None
    on_evaluate: Callable[[Any, History], None] | None
    checkpoint: Path | None
    checkpoint_every: int | None
    progress: bool


def train(
    trainee: Trainee,
    loader: Iterable[tuple[Tensor, ...]],
    steps: int,
    *,
    evaluate: Evaluate | None = None,
    evaluate_every: int | None = None,
    until: dict[str, float] | None = None,
    on_step: Callable[[Any, History], None] | None = None,
    on_evaluate: Callable[[Any, History], None] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int | None = None,
    progress: bool = True,
) -> History:
    """Train for ``steps`` batches, or until a preset quality, and return what happened.

    Stopping early (Ctrl-C, or the stop button of JupyterLab) lets the step end and keeps what has been trained.

    Args:
        loader: yields batches; starts again when it is exhausted.
        evaluate: measures the network that counts (the average of the weights, where there is one) every
            ``evaluate_every`` steps and at the end. Whatever it or the next two draw at random, the training goes on
            as if they had not been there.
        until: the highest value wanted of each evaluated name, e.g. ``{"frechet": 1.0}``; training ends once all are
            reached, and says at its end whether they were.
        on_step: called with the network and the history after each step.
        on_evaluate: the same after each evaluation, e.g. to draw a live picture; it needs no ``evaluate``.
        checkpoint: a file to write after the first step, every ``checkpoint_every`` steps, around each evaluation, when
            stopped and at the end. If it exists, training goes on from it, on a CPU to exactly the weights that it
            would have reached without the pause.

    Raises:
        TrainingDiverged: a loss became NaN or infinite; that step is not taken.
        CheckpointError: the checkpoint cannot be written, is damaged, or of a run with other settings.
        ValueError: the loader gives no batch, or ``until`` names what is not evaluated.
    """
    check_watching(loader, evaluate, until, evaluate_every=evaluate_every, checkpoint_every=checkpoint_every)
    history, loader, looking = trainee.history, RewindableLoader(loader), False
    file = Checkpoint(checkpoint, trainee, loader)

    def is_due(every: int | None) -> bool:
        return every is not None and len(history.steps) > 0 and len(history.steps) % every == 0

    def look() -> None:
        nonlocal looking
        looking = True
        file.save()  # whatever happens to the measurement, what was trained is not lost
        with trainee.pause() as network, spare_random_numbers(), torch.no_grad():
            entry = {"step": len(history.steps), "seconds": round(history.seconds, 2)}
            entry |= measure(evaluate, network) if evaluate else {}
            history.reached = is_reached(until, entry) if until else None
            history.evaluations.append(entry)
            if on_evaluate:
                on_evaluate(network, history)
        file.save()
        looking = False

    try:
        file.load()
        before: dict[str, float] = history.evaluations[-1] if history.evaluations else {"step": 0}
        history.reached = is_reached(until, before) if until and set(until) <= set(before) else None
        if is_due(evaluate_every) and before["step"] < len(history.steps):
            look()
        done, left = len(history.steps), 0 if history.reached else steps - len(history.steps)
        bar = tqdm(total=steps, initial=done, disable=not progress, unit="step", mininterval=0.5)
        with bar:
            for batch in take(loader, left):
                with finish_before_interrupt():
                    start = time.perf_counter()
                    trainee.play(batch)
                    history.seconds += time.perf_counter() - start
                    loader.mark()
                bar.set_postfix({name: f"{history.steps[-1][name]:.4g}" for name in trainee.shown}, refresh=False)
                bar.update()
                if on_step:
                    with spare_random_numbers():
                        on_step(trainee.network, history)
                if is_due(evaluate_every):
                    look()
                elif is_due(checkpoint_every) or len(history.steps) == done + 1:  # what can't be saved is told at once
                    file.save()
                if history.reached:
                    break
        looked = history.evaluations and history.evaluations[-1]["step"] == len(history.steps)
        if (evaluate or on_evaluate) and not looked:
            look()
        elif left:
            file.save()
    except KeyboardInterrupt:
        history.interrupted = True
        file.save()
        print(f"Stopped after {len(history.steps)} of {steps} steps; what was trained so far is kept.")
        if (evaluate or on_evaluate) and history.steps and not history.evaluations and not looking:
            look()  # a lesson's next cell asks for the last evaluation
    finally:
        trainee.end()
    if until:
        print(describe_goal(until, history))
    return history


def fit(
    model: nn.Module,
    objective: Objective,
    loader: Iterable[tuple[Tensor, ...]],
    *,
    steps: int,
    lr: float = 1e-3,
    schedule: Schedule | None = None,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    average: float | None = None,
    precision: str = "no",
    **watching: Unpack[Watching],
) -> History:
    """Train ``model`` in place for ``steps`` batches and return what happened.

    Args:
        model: any network; trained on the fastest device by Accelerate, then returned to where it was.
        objective: returns ``{"loss": ..., ...}`` for a model and a batch.
        loader: yields batches; starts again when it is exhausted.
        lr: highest learning rate of AdamW.
        schedule: factor of the learning rate, by the number of steps done. By default it warms up over the first
            steps and falls to zero along a cosine.
        momentum: the first beta of AdamW; less where an opponent moves the goal.
        average: decay of a running average of the weights, e.g. 0.998, which replaces the weights at the end.
        precision: "no" (32 bits) or "bf16"; ``runtime.pick_precision()`` knows what pays on this machine.
        watching: ``evaluate``, ``evaluate_every``, ``until``, ``on_step``, ``on_evaluate``, ``checkpoint``,
            ``checkpoint_every``, ``progress``: see ``train``. What learns inside the objective (an ``Opponent``) is
            saved in the checkpoint, too.

    Raises:
        TrainingDiverged: the loss became NaN or infinite; the step that follows it is not taken.
        CheckpointError: the checkpoint cannot be written, is damaged, or of a run with other settings; or the
            objective keeps something from step to step that it cannot save.
        ValueError: a setting makes no sense, the loader gives no batch, or there is a ``checkpoint`` and more than
            one process.
    """
    check_settings(steps=steps, lr=lr, average=average, precision=precision)
    if isinstance(objective, type):
        raise TypeError(f"objective={objective.__name__} is a class: write {objective.__name__}(), with its settings")
    schedule = schedule or WarmupCosine(steps)
    settings = {
        "steps": steps,
        "lr": float(lr),
        "schedule": schedule,
        "weight_decay": weight_decay,
        "momentum": momentum,
    }
    settings |= {"average": average, "precision": precision}
    from accelerate import Accelerator  # here, not above: importing it takes a second

    accelerator = Accelerator()  # device and processes; one precision a process would be too few for a notebook
    if accelerator.num_processes > 1:
        if watching.get("checkpoint"):
            raise ValueError(f"checkpoint= is for one process, here are {accelerator.num_processes}")
        loader = accelerator.prepare(loader)  # gives each process its share
        watching["progress"] = watching.get("progress", True) and accelerator.is_main_process
    return train(Solo(model, objective, settings, accelerator, schedule), loader, steps, **watching)


class Solo(Trainee):
    """One network that learns from an objective."""

    def __init__(
        self, model: nn.Module, objective: Objective, settings: dict[str, Any], accelerator: Any, schedule: Schedule
    ) -> None:
        home = find_device(model)
        optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=settings["lr"],
            betas=(settings["momentum"], 0.99),
            weight_decay=settings["weight_decay"],
            fused=True,
        )
        self.model, optimizer = accelerator.prepare(model, optimizer)  # on several processes: wrapped
        super().__init__(accelerator.unwrap_model(self.model), objective, settings, home, accelerator.device)
        self.compute_values, self.learner = objective, Learner(optimizer, schedule)
        self.parts["learner"] = self.learner

    def play(self, batch: Any) -> None:
        self.model.train()
        if not isinstance(batch, tuple | list):
            kind = type(batch).__name__
            raise TypeError(f"A batch is a tuple of tensors, e.g. (images, labels); this loader yields a {kind}")
        batch = tuple(part.to(self.device) for part in batch)
        with self.autocast:
            values = self.compute_values(self.model, batch)
        check_values(values)
        self.history.steps.append({name: value.item() for name, value in values.items()})
        if not math.isfinite(self.history.steps[-1]["loss"]):  # before the step: NaN must not reach the weights
            raise TrainingDiverged(self._explain_divergence(), self.history)
        self.learner.learn(values["loss"])
        if self.averaged:
            self.averaged.update_parameters(self.network)

    def _explain_divergence(self) -> str:
        losses = self.history.curve("loss")[-5:]
        return (
            f"The loss became {losses[-1]} at step {len(self.history.steps)} (last losses: "
            f"{', '.join(f'{loss:.3g}' for loss in losses)}; learning rate now {self.learner.lr:.2g}). Usual reasons: "
            "the learning rate is too high (try a tenth), the data hold NaN, or a logarithm, a root or a division met "
            "zero, in this step or in the gradient of the one before."
        )


class Learner:
    """An optimizer and the schedule of its learning rate."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Schedule) -> None:
        self.optimizer, self.schedule = optimizer, LambdaLR(optimizer, schedule)

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self.optimizer.param_groups[0]["lr"]

    def learn(self, loss: Tensor) -> None:
        """Take one step down the gradient of the loss, a scalar."""
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "steps_done": self.schedule.last_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.last_epoch = state["steps_done"]


class Checkpoint:
    """The file that a training is saved in and goes on from; does nothing without a path."""

    def __init__(self, path: Path | None, trainee: Trainee, loader: RewindableLoader) -> None:
        self.path, self.trainee, self.loader = path and Path(path), trainee, loader

    def save(self) -> None:
        if self.path:
            state = {"trainee": self.trainee.state_dict(), "loader": self.loader.state_dict()}
            save_checkpoint(self.path, self.trainee.settings, state)

    def load(self) -> None:
        """Go on from the file, if there is one."""
        if not self.path or not self.path.exists():
            return
        state = load_checkpoint(self.path, self.trainee.settings)
        untrained = copy.deepcopy(self.trainee.state_dict())
        try:
            self.trainee.load_state_dict(state["trainee"])
        except (KeyError, RuntimeError, ValueError) as error:
            self.trainee.load_state_dict(untrained)  # one part may have fitted
            raise CheckpointError(
                f"The checkpoint {self.path.name} belongs to another network. Use another file, or delete it to start "
                f"anew. ({error})"
            ) from error
        self.loader.load_state_dict(state["loader"])  # last: it sets the random numbers


def take(loader: Iterable[tuple[Tensor, ...]], steps: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield ``steps`` batches, going through the loader as often as that needs."""
    done = 0
    while done < steps:
        before = done
        for batch in loader:
            yield batch
            done += 1
            if done == steps:
                return
        if done == before:
            raise ValueError(
                "The loader gives no batch"
                + (
                    " any more: a generator runs once only; hand over a list or a DataLoader."
                    if done
                    else ": the set is smaller than one batch, or it is a generator that is used up."
                )
            )


def find_device(model: nn.Module) -> torch.device:
    """Return where a network lives.

    Raises:
        ValueError: it has no weights, so that there is nothing to train.
    """
    weights = next(model.parameters(), None)
    if weights is None:
        raise ValueError(f"The network ({type(model).__name__}) has no weights: there is nothing to train.")
    return weights.device


def check_watching(
    loader: object, evaluate: Evaluate | None, until: dict[str, float] | None, **every: int | None
) -> None:
    """Refuse what ``train`` cannot work with, in words."""
    if until and not evaluate:
        raise ValueError(f"until={until} needs evaluate=..., which measures it")
    for name, steps in every.items():
        if steps is not None and steps < 1:
            raise ValueError(f"{name}={steps}: it is a number of steps, at least 1")
    if isinstance(loader, Dataset):
        raise TypeError("The loader is a set of pictures, not of batches: hand over make_loader(data, batch_size)")


def measure(evaluate: Evaluate, network: nn.Module) -> dict[str, float]:
    """Return what was measured of a network, as plain numbers that a checkpoint can hold."""
    measured = evaluate(network)
    if not isinstance(measured, dict):
        raise TypeError(f"evaluate returns a dictionary of names and numbers, got {measured!r}")
    return {name: float(value) for name, value in measured.items()}


def check_settings(*, steps: int, lr: float, average: float | None, precision: str) -> None:
    """Refuse settings that make no sense, in words."""
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps={steps}: a training takes a whole number of steps, at least one")
    if not lr > 0:
        raise ValueError(f"lr={lr}: a learning rate is above 0")
    if average is not None and not 0 <= average < 1:
        raise ValueError(f"average={average}: the decay is a number from 0 to below 1, e.g. 0.99")
    if precision not in ("no", "bf16"):
        raise ValueError(f'precision={precision!r}: there are "no" (32 bits) and "bf16"')


def check_values(values: object) -> None:
    """Refuse what is no answer of an objective, in words."""
    if not isinstance(values, dict) or "loss" not in values:
        found = f"the names {', '.join(values)}" if isinstance(values, dict) else f"a {type(values).__name__}"
        raise TypeError(f'An objective returns a dictionary with a "loss"; this one gave {found}')
    plain = [f"{name} is a {type(value).__name__}" for name, value in values.items() if not isinstance(value, Tensor)]
    if plain:
        raise TypeError(f"An objective's values are tensors; here {', '.join(plain)}: wrap it in torch.tensor()")
    many = [f"{name} of shape {tuple(value.shape)}" for name, value in values.items() if value.numel() != 1]
    if many:
        raise ValueError(f"An objective's values are one number each; this one gave {', '.join(many)}: take the mean?")
    if not values["loss"].requires_grad:
        raise ValueError(
            "No gradient leads from the loss to any weight: are all weights frozen (requires_grad_), was the loss "
            "detached, or was it computed under torch.no_grad()?"
        )


def make_average(model: nn.Module, decay: float | None) -> AveragedModel | None:
    """Return a running average of the weights (and of the batch norm's statistics), or None without a decay."""
    if decay is None:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


class WarmupCosine:
    """Factor of the learning rate: up in a line over the first 10% (at most 500 steps), then down a cosine to 0."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.warmup = max(1, min(500, steps // 10))

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        return 0.5 + 0.5 * math.cos(math.pi * (step - self.warmup) / max(1, self.steps - self.warmup))


@contextmanager
def finish_before_interrupt() -> Iterator[None]:
    """Put off Ctrl-C to the end of the block: after half a step there is no exact way on."""
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


def is_reached(until: dict[str, float], evaluation: dict[str, float]) -> bool:
    """Say whether each value named in ``until`` is at most as high as wanted."""
    missing = set(until) - set(evaluation)
    if missing:
        raise ValueError(f"until asks for {', '.join(missing)}, but what is evaluated is {', '.join(evaluation)}")
    return all(evaluation[name] <= highest for name, highest in until.items())


def describe_goal(until: dict[str, float], history: History) -> str:
    """Say plainly whether the preset quality was reached, and how near the training came."""
    if not history.evaluations:
        return "The preset quality was not measured: the training stopped before its first evaluation."
    verdict = "reached" if history.reached else "not reached"
    last = history.evaluations[-1]
    parts = []
    for name, highest in until.items():
        best = min((entry for entry in history.evaluations if name in entry), key=itemgetter(name))
        near = "" if history.reached else f", best {best[name]:.3g} at step {best['step']:,}"
        parts.append(f"{name} is {last[name]:.3g} (wanted: at most {highest:.3g}{near})")
    return f"Preset quality {verdict} at step {last['step']:,}, after {last['seconds']:.0f} s: {'; '.join(parts)}."
