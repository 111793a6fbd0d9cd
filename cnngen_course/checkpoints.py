"""Pausing a training and going on exactly where it was: a file with everything, and a loader that knows its place."""

import hashlib
import inspect
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FORMAT = 2
PLAIN = bool, int, float, str, type(None)


class CheckpointError(ValueError):
    """A checkpoint cannot be used or written; the message says why and what to do."""


def save_checkpoint(path: Path, settings: dict[str, str], state: dict[str, Any]) -> None:
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
        with suppress(OSError):
            beside.unlink()
        raise CheckpointError(
            f"The checkpoint {path.name} could not be written: is the disk full, or the folder read-only? "
            f"An earlier one is still whole, and the network keeps what it has learned. ({error})"
        ) from error


def load_checkpoint(path: Path, settings: dict[str, str]) -> dict[str, Any]:
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
            f"The checkpoint {path.name} belongs to another version of the course. Delete it to start anew."
        )
    if written != settings:
        names = [name for name in settings | written if written.get(name) != settings.get(name)]
        differences = "; ".join(f"{name} is {written.get(name)}, here it is {settings.get(name)}" for name in names)
        raise CheckpointError(
            f"The checkpoint {path.name} belongs to another run: {differences}. "
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
            if next(batches, None) is None:
                raise CheckpointError(
                    "The checkpoint belongs to a run with more batches; this loader ends before them."
                )
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
    """Return the state of PyTorch's random numbers: the CPU's, then each GPU's (or that of a Mac's)."""
    if torch.backends.mps.is_available():
        return [torch.get_rng_state(), torch.mps.get_rng_state()]
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])]


def set_random_state(state: list[Tensor]) -> None:
    torch.set_rng_state(state[0])
    for index, gpu in enumerate(state[1:]):
        if torch.backends.mps.is_available():
            torch.mps.set_rng_state(gpu)
            continue
        torch.cuda.set_rng_state(gpu, index)


@contextmanager
def spare_random_numbers() -> Iterator[None]:
    """Whatever the block draws at random, what comes after goes on as if it had not been there."""
    state = get_random_state()
    try:
        yield
    finally:
        set_random_state(state)


def find_stateful(part: object) -> dict[str, Any]:
    """Return whatever learns or remembers inside an objective, by its path, e.g. ``{"opponent": ...}``.

    That is each part with ``state_dict`` and ``load_state_dict``, but for networks without a weight to train.
    """
    return {path or "itself": inner for path, inner in walk(part) if is_stateful(inner)}


def describe(part: object) -> dict[str, str]:
    """Put settings or an objective into words by their paths: classes, numbers, sums of tensors, code of functions.

    Two runs with the same words are taken for the same. What ``find_stateful`` finds is named only: it may change from
    step to step. Attributes and what a function closes over are seen, three levels deep; global variables are not.
    """
    return {path: write(inner) for path, inner in walk(part) if not isinstance(inner, dict | list | tuple)}


def walk(part: object, path: str = "", depth: int = 0, seen: tuple[int, ...] = ()) -> Iterator[tuple[str, object]]:
    """Yield an object and what it is made of, each with its path; no part of what is stateful."""
    if id(part) in seen:
        return
    yield path, part
    if depth < 4 and not is_stateful(part):
        for name, inner in list_parts(part).items():
            yield from walk(inner, f"{path}.{name}".lstrip("."), depth + 1, (*seen, id(part)))


def is_stateful(part: object) -> bool:
    if isinstance(part, nn.Module):
        return any(weight.requires_grad for weight in part.parameters())
    return not isinstance(part, type) and hasattr(part, "state_dict") and hasattr(part, "load_state_dict")


def list_parts(part: object) -> dict[str, object]:
    """Return what an object, a list or a function is made of, by name."""
    if isinstance(part, tuple | list):
        return {str(place): inner for place, inner in enumerate(part)}
    if isinstance(part, dict):
        return {str(name): inner for name, inner in part.items()}
    if isinstance(part, partial):
        return {"function": part.func, "arguments": part.args, **part.keywords}
    if isinstance(part, MethodType):
        return {"self": part.__self__}
    if isinstance(part, FunctionType):
        return dict(inspect.getclosurevars(part).nonlocals)
    if isinstance(part, nn.Module):
        kept = {name: inner for name, inner in vars(part).items() if isinstance(inner, PLAIN) and name[0] != "_"}
        return kept | dict(part.state_dict()) | {"training": None}
    if isinstance(part, Tensor | type | ModuleType | np.ndarray):
        return {}
    return dict(getattr(part, "__dict__", {}))


def write(part: object) -> str:
    """Put one part into words that are the same in each run of the same code."""
    if isinstance(part, float):
        return repr(float(part))  # NumPy's numbers are the same ones
    if isinstance(part, PLAIN):
        return repr(part)
    if isinstance(part, Tensor | np.ndarray):
        values = torch.as_tensor(part).double()
        return f"{type(part).__name__} {tuple(part.shape)} of sum {values.sum().item():.9g}"
    if isinstance(part, torch.Generator):
        return f"Generator in state {digest(part.get_state().numpy().tobytes())}"
    if isinstance(part, FunctionType):
        return f"{part.__name__} of code {digest(read_code(part.__code__))}"
    return getattr(part, "__name__", None) or type(part).__name__


def read_code(code: CodeType) -> bytes:
    constants = [read_code(one) if isinstance(one, CodeType) else repr(one).encode() for one in code.co_consts]
    return b"".join([code.co_code, repr(code.co_names).encode(), *constants])


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
