"""Pausing a training and going on exactly where it was: a file with everything, and a loader that knows its place."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why and what to do."""


def save_checkpoint(path: Path, settings: dict[str, Any], state: dict[str, Any]) -> None:
    """Write tensors, numbers and text, nested as they like; a crash while writing leaves the earlier file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    torch.save({"format": FORMAT, "settings": settings, "state": state}, beside)
    os.replace(beside, path)


def load_checkpoint(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the state that was saved; only tensors, numbers and text are read, so that no file can run code.

    Raises:
        CheckpointError: the file is damaged, or of a run with other ``settings``.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        written = content["format"], content["settings"]
    except Exception as error:  # torch has many words for a broken file
        raise CheckpointError(
            f"The checkpoint {path.name} is damaged ({type(error).__name__}). Delete it to start anew."
        ) from error
    if written != (FORMAT, settings):
        raise CheckpointError(
            f"The checkpoint {path.name} is of another run: {written[1]} where this one has {settings}. "
            "Use its settings, another file, or delete it to start anew."
        )
    return content["state"]


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
