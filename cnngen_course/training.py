"""The training loop: one plain loop for every network and objective of the course.

It knows nothing of pictures. An objective is called with the model and a batch and returns named values,
among them ``"loss"``; see ``objectives/``.
"""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from cnngen_course.checkpoints import RewindableLoader, load_checkpoint, save_checkpoint

Objective = Callable[[nn.Module, tuple[Tensor, ...]], dict[str, Tensor]]
Evaluate = Callable[[nn.Module], dict[str, float]]


class TrainingDiverged(RuntimeError):
    """The loss is no longer a number; the message says when and what usually helps."""


@dataclass
class History:
    """What happened in a training: one entry a step in ``steps``, one an evaluation in ``evaluations``."""

    steps: list[dict[str, float]] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False

    def curve(self, name: str, smooth: int = 1) -> list[float]:
        """Return one value a step, each the mean of the last ``smooth`` steps."""
        values = [step[name] for step in self.steps]
        return [sum(values[max(0, i + 1 - smooth) : i + 1]) / min(smooth, i + 1) for i in range(len(values))]

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "evaluations": self.evaluations}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps, self.evaluations = state["steps"], state["evaluations"]


def fit(
    model: nn.Module,
    objective: Objective,
    loader: Iterable[tuple[Tensor, ...]],
    *,
    steps: int,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    momentum: float = 0.9,
    average: float | None = None,
    evaluate: Evaluate | None = None,
    evaluate_every: int | None = None,
    monitor: str | None = None,
    on_evaluate: Callable[[nn.Module, History], None] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 100,
    precision: str = "no",
    progress: bool = True,
) -> History:
    """Train ``model`` in place for ``steps`` batches and return what happened.

    The learning rate warms up over the first steps and falls to zero along a cosine. Stopping early
    (Ctrl-C, or the stop button of JupyterLab) keeps what has been trained: the weights of the best evaluation so
    far if there is a ``monitor``, else the current ones.

    Args:
        model: any network; trained on the fastest device by Accelerate, then returned to where it was.
        objective: returns ``{"loss": ..., ...}`` for a model and a batch.
        loader: yields batches; starts again when it is exhausted.
        lr: highest learning rate of AdamW.
        momentum: its first beta; less where an opponent moves the goal.
        average: decay of a running average of the weights, e.g. 0.998, which replaces the weights at the end.
        evaluate: measures the (averaged) model on other data every ``evaluate_every`` steps and at the end.
        monitor: name of the evaluated value whose lowest point decides which weights are kept.
        on_evaluate: called after each evaluation, e.g. to draw a live picture.
        checkpoint: a file to write every ``checkpoint_every`` steps and at the end. If it exists, training goes on
            from it, on a CPU to exactly the weights that it would have reached without the pause. For one process,
            and for an objective that keeps nothing from step to step.
        precision: "no" (32 bits) or "bf16"; ``runtime.pick_precision()`` knows what pays on this machine.

    Raises:
        TrainingDiverged: the loss became NaN or infinite; the step that follows it is not taken.
        CheckpointError: the checkpoint is damaged, or of a run with other settings.
        ValueError: the loader gives no batch, there is a ``monitor`` but nothing is evaluated, or there is a
            ``checkpoint`` and more than one process.
    """
    if monitor and not evaluate:
        raise ValueError(f"monitor={monitor!r} needs evaluate=..., which measures it")
    from accelerate import Accelerator  # here, not above: importing it takes a second

    home = next(model.parameters()).device
    accelerator = Accelerator()  # device and processes; one precision a process would be too few for a notebook
    autocast = torch.autocast(accelerator.device.type, torch.bfloat16, enabled=precision == "bf16")
    betas = momentum, 0.99
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=betas, weight_decay=weight_decay, fused=True)
    if checkpoint and accelerator.num_processes > 1:
        raise ValueError(f"checkpoint= is for one process, here are {accelerator.num_processes}")
    loader = RewindableLoader(loader) if checkpoint else accelerator.prepare(loader)
    model, optimizer = accelerator.prepare(model, optimizer)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, WarmupCosine(steps))
    network = accelerator.unwrap_model(model)
    averaged = make_average(network, average)
    history, best = History(), Best(monitor)
    parts = {"model": network, "optimizer": optimizer, "schedule": schedule, "loader": loader, "best": best}
    parts |= {"history": history} | ({"averaged": averaged} if averaged else {})
    settings = {"steps": steps, "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "average": average}
    settings |= {"precision": precision}
    if checkpoint and checkpoint.exists():
        state = load_checkpoint(checkpoint, settings)
        for name, part in parts.items():
            part.load_state_dict(state[name])

    def save() -> None:
        if checkpoint:
            save_checkpoint(checkpoint, settings, {name: part.state_dict() for name, part in parts.items()})

    def pause_to_evaluate() -> None:
        measured = averaged.module if averaged else network
        measured.eval()
        with torch.no_grad():
            history.evaluations.append({"step": len(history.steps)} | evaluate(measured))
        best.consider(history.evaluations[-1], measured)
        if on_evaluate:
            on_evaluate(measured, history)

    model.train()
    left, quiet = steps - len(history.steps), not progress or not accelerator.is_main_process
    bar = tqdm(total=steps, initial=len(history.steps), disable=quiet, unit="step", mininterval=0.5)
    try:
        for batch in take(loader, left):
            if checkpoint:  # a loader that knows its place knows no device
                batch = tuple(part.to(accelerator.device) for part in batch)
            with autocast:
                values = objective(model, batch)
            record(history, values, optimizer)  # before the step: a loss of NaN must not reach the weights
            accelerator.backward(values["loss"])
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            if averaged:
                averaged.update_parameters(network)
            bar.set_postfix({"loss": f"{history.steps[-1]['loss']:.4f}"}, refresh=False)
            bar.update()
            if evaluate and evaluate_every and len(history.steps) % evaluate_every == 0 and len(history.steps) < steps:
                pause_to_evaluate()
                model.train()
            if checkpoint:
                loader.mark()
                if len(history.steps) % checkpoint_every == 0:
                    save()
        if evaluate and left:
            pause_to_evaluate()
        if left:
            save()
    except KeyboardInterrupt:
        history.interrupted = True
        print(f"Stopped after {len(history.steps)} of {steps} steps; what was trained so far is kept.")
    finally:
        bar.close()
    if averaged and history.steps:
        network.load_state_dict(averaged.module.state_dict())
    best.restore(network)
    network.eval().to(home)
    return history


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
            raise ValueError("The loader gives no batch: the set is smaller than one batch.")


def record(history: History, values: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Enter one step into the history; stop with an explanation if the loss is not a number."""
    entry = {name: value.item() for name, value in values.items()}
    history.steps.append(entry)
    if not math.isfinite(entry["loss"]):
        last = [f"{step['loss']:.3g}" for step in history.steps[-5:]]
        raise TrainingDiverged(
            f"The loss became {entry['loss']} at step {len(history.steps)} (last losses: {', '.join(last)}; "
            f"learning rate now {optimizer.param_groups[0]['lr']:.2g}). Usual reasons: the learning rate is too high "
            "(try a tenth), the data hold NaN, or a logarithm or division met zero."
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


class Best:
    """Remembers the weights at the lowest value of ``monitor``; does nothing without one."""

    def __init__(self, monitor: str | None) -> None:
        self.monitor = monitor
        self.value = math.inf
        self.weights: dict[str, Tensor] | None = None

    def consider(self, evaluation: dict[str, float], model: nn.Module) -> None:
        if self.monitor and evaluation[self.monitor] < self.value:
            self.value = evaluation[self.monitor]
            self.weights = copy.deepcopy(model.state_dict())

    def restore(self, model: nn.Module) -> None:
        if self.weights is not None:
            model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value, self.weights = state["value"], state["weights"]
