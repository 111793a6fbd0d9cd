"""Pausing a training and going on exactly where it was: a file with everything, and a loader that knows its place."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

FORMAT = 2


class CheckpointError(ValueError):
    """A checkpoint cannot be used or written; the message says why and what to do."""


def save_checkpoint(path: Path, settings: dict[str, Any], state: dict[str, Any]) -> None:
    """Write tensors, numbers and text, nested as they like; a crash while writing leaves the earlier file whole.

    Raises:
        CheckpointError: the file cannot be written, e.g. on a full disk.
    """
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"format": FORMAT, "settings": settings, "state": state}, beside)
        os.replace(beside, path)
    except (OSError, RuntimeError) as error:  # torch's own writer raises RuntimeError where the disk is full
        beside.unlink(missing_ok=True)
        raise CheckpointError(
            f"The checkpoint {path.name} could not be written: is the disk full, or the folder read-only? "
            f"An earlier one is still whole, and the network keeps what it has learned. ({error})"
        ) from error


def load_checkpoint(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the state that was saved; only tensors, numbers and text are read, so that no file can run code.

    Raises:
        CheckpointError: the file is damaged, or of a run with other ``settings``.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        form, written, state = content["format"], content["settings"], content["state"]
    except Exception as error:  # torch has many words for a broken file
        raise CheckpointError(
            f"The checkpoint {path.name} is damaged ({type(error).__name__}). Delete it to start anew."
        ) from error
    if form != FORMAT:
        raise CheckpointError(
            f"The checkpoint {path.name} is of another version of the course. Delete it to start anew."
        )
    if written != settings:
        names = [name for name in settings | written if written.get(name) != settings.get(name)]
        differences = ", ".join(f"{name} {written.get(name)} where this one has {settings.get(name)}" for name in names)
        raise CheckpointError(
            f"The checkpoint {path.name} is of another run: {differences}. "
            "Use its settings, another file, or delete it to start anew."
        )
    return state


class RewindableLoader:
    """A loader that knows its place, so that a later run goes on with the very next batch.

    It holds for loaders that choose their order by PyTorch's random numbers when they start over, as a ``DataLoader``
    does. The batches before the place are fetched once more and dropped.
    """

    def __init__(self, loader: Iterable[tuple[Tensor, ...]]) -> None:
        self.loader = loader
        self.start = self.now = get_random_state()  # where this pass began, and after the last marked batch
        self.done = self.skip = 0  # batches of this pass: used so far, and to be dropped first

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        if self.skip:
            yield from self._go_on()
        self.start, self.done = get_random_state(), 0
        yield from self.loader

    def _go_on(self) -> Iterator[tuple[Tensor, ...]]:
        set_random_state(self.start)
        batches = iter(self.loader)
        while self.skip:
            next(batches)
            self.skip -= 1
        set_random_state(self.now)
        yield from batches

    def mark(self) -> None:
        """Note that the last batch has been used."""
        self.done += 1
        self.now = get_random_state()

    def state_dict(self) -> dict[str, Any]:
        return {"start": self.start, "now": self.now, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.start, self.now, self.done = state["start"], state["now"], state["done"]
        self.skip = self.done
        set_random_state(self.now)


def get_random_state() -> list[Tensor]:
    """Return the state of PyTorch's random numbers: the CPU's, then each GPU's."""
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])]


def set_random_state(state: list[Tensor]) -> None:
    torch.set_rng_state(state[0])
    for index, gpu in enumerate(state[1:]):
        torch.cuda.set_rng_state(gpu, index)


@contextmanager
def spare_random_numbers() -> Iterator[None]:
    """Whatever the block draws at random, what comes after goes on as if it had not been there."""
    state = get_random_state()
    try:
        yield
    finally:
        set_random_state(state)


def find_stateful(part: object, path: str = "") -> dict[str, Any]:
    """Return whatever learns or remembers inside an objective, by its path, e.g. ``{"opponent": ...}``.

    That is each part with ``state_dict`` and ``load_state_dict``, but for networks with frozen weights.
    """
    if isinstance(part, nn.Module) and not any(weight.requires_grad for weight in part.parameters()):
        return {}
    if hasattr(part, "state_dict") and hasattr(part, "load_state_dict"):
        return {path or "itself": part}
    found: dict[str, Any] = {}
    for name, inner in list_parts(part).items():
        found |= find_stateful(inner, f"{path}.{name}".lstrip("."))
    return found


def list_parts(part: object) -> dict[str, object]:
    """Return what an object or a list is made of, by name; nothing of functions, classes and tensors."""
    if isinstance(part, tuple | list):
        return {str(place): inner for place, inner in enumerate(part)}
    if isinstance(part, dict):
        return {str(name): inner for name, inner in part.items()}
    if isinstance(part, Tensor | nn.Module | type) or hasattr(part, "__qualname__"):
        return {}
    return dict(getattr(part, "__dict__", {}))


def describe(part: object) -> str:
    """Put an objective into words, to tell one run from another: its class, its numbers, sums of its tensors.

    What ``find_stateful`` finds is named only: it may change from step to step.
    """
    if isinstance(part, Tensor):
        return f"{type(part).__name__}({tuple(part.shape)}, sum {part.double().sum().item():.9g})"
    if isinstance(known := getattr(part, "__name__", None), str):  # of a function or a class
        return known
    name = type(part).__name__
    if isinstance(part, nn.Module) or (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
        return name
    if isinstance(part, torch.Generator):
        return f"{name}(state {hash(part.get_state().numpy().tobytes())})"
    if isinstance(part, tuple | list | dict) or getattr(part, "__dict__", None):
        return f"{name}({', '.join(f'{key}={describe(inner)}' for key, inner in list_parts(part).items())})"
    return repr(part) if isinstance(part, int | float | str | None) else name
