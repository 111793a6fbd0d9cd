"""Finding out what a statement of a lesson did to the variables, and writing that down as JSON and tensors.

``cnngen_course.desk.moments`` reads it; there stands what can be written down.
"""

import base64
import dis
import inspect
import json
import math
import random
import types
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from cnngen_course.desk.moments import (
    OWN,
    PLAIN,
    Book,
    MisfitError,
    Place,
    is_own,
    list_attributes,
    list_children,
    load_class,
)

LARGE = 4_000_000  # bytes; of a larger tensor a sample is compared
TABLE = 16  # values; from so many on, lists of numbers are kept as tensors
HIDDEN = {"In", "Out", "exit", "quit", "get_ipython", "open"}


class CannotKeepError(TypeError):
    """A value is of a kind that is not written down."""


def hash_tensor(values: Tensor) -> tuple:
    size = values.numel() * values.element_size()
    marks: tuple = (tuple(values.shape), values.dtype, values.requires_grad)
    if size > LARGE:  # a few hundred MB after each statement would take minutes
        some = values.detach().flatten()[:: max(1, values.numel() // 100_000)] if values.is_contiguous() else values[:1]
        version = 0 if values.is_inference() else values._version
        marks, values = (*marks, values.data_ptr(), version), some
    return *marks, zlib.crc32(values.detach().contiguous().flatten().view(torch.uint8).numpy())


def is_node(value: object) -> bool:
    """Say whether a value can change while it stays the same object."""
    kinds = (list, tuple, dict, set, Tensor, nn.Module, np.ndarray, torch.Generator, Path)
    return isinstance(value, kinds) or is_own(value)


def mark(value: Any) -> Any:
    """Return what tells a value from another: itself where it is plain, else which object it is."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return (type(value), value) if isinstance(value, (*PLAIN, bytes)) else id(value)


def describe_state(value: Any) -> Any:
    """Return something that differs once a value was changed; what it holds has a state of its own."""
    if isinstance(value, Tensor):
        return hash_tensor(value)
    if isinstance(value, np.ndarray):
        return (value.shape, zlib.crc32(np.ascontiguousarray(value).tobytes()) if value.dtype != object else 0)
    if isinstance(value, nn.Module):
        weights = [(name, hash_tensor(part)) for name, part in value.state_dict(keep_vars=True).items()]
        return weights, [part.training for part in value.modules()]
    if isinstance(value, torch.Generator):
        return zlib.crc32(value.get_state().numpy())
    if isinstance(value, Path):
        files = sorted(value.rglob("*")) if value.is_dir() else [value] if value.is_file() else []
        return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files[:1000]]
    if isinstance(value, set):
        return sorted(map(repr, value))
    keys = list(map(mark, value)) if isinstance(value, dict) else None
    return keys, [(step, mark(child)) for step, child in list_children(value)]


def find_random_state() -> dict[str, Any]:
    """Return the states of the random numbers of PyTorch, NumPy and Python."""
    return {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "python": random.getstate()}


def differ(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return not torch.equal(before, after)
    return [mark(part) if isinstance(part, PLAIN) else str(list(part)) for part in before] != [
        mark(part) if isinstance(part, PLAIN) else str(list(part)) for part in after
    ]


class Snapshot:
    """The variables of a notebook at one moment: which objects there are, and in which state."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.names = {
            name: value for name, value in namespace.items() if not name.startswith("_") and name not in HIDDEN
        }
        self.nodes: dict[int, tuple[Place, Any]] = {}  # holds the objects, so that no other gets the same id
        self.states: dict[int, Any] = {}
        self.reached: dict[str, set[int]] = {}
        self.random = find_random_state()
        for name, value in self.names.items():
            self.reached[name] = set()
            self._walk([name], value, self.reached[name])

    def _walk(self, path: Place, value: Any, reached: set[int]) -> None:
        if not is_node(value) or id(value) in reached:
            return
        reached.add(id(value))
        if id(value) not in self.nodes:
            self.nodes[id(value)], self.states[id(value)] = (path, value), describe_state(value)
        for step, child in list_children(value):
            self._walk([*path, step], child, reached)


@dataclass(frozen=True)
class Change:
    """What a statement did.

    Attributes:
        bound: names that mean something else now, or are new.
        deleted: names that are gone.
        touched: names whose objects were changed, and are the same objects.
        changed: the objects that were changed, by id.
        draws: whether it used or set random numbers.
    """

    before: Snapshot
    after: Snapshot
    bound: list[str]
    deleted: list[str]
    touched: list[str]
    changed: list[int]
    draws: bool


def compare(before: Snapshot, after: Snapshot) -> Change:
    """Return what happened between two moments."""
    bound = [n for n, value in after.names.items() if n not in before.names or mark(before.names[n]) != mark(value)]
    changed = [key for key in before.nodes if key in after.nodes and before.states[key] != after.states[key]]
    touched = [name for name in before.names if name not in bound and before.reached[name] & set(changed)]
    draws = any(differ(before.random[kind], after.random[kind]) for kind in before.random)
    return Change(before, after, bound, [n for n in before.names if n not in after.names], touched, changed, draws)


def find_calls(value: Any, namespace: dict[str, Any]) -> set[str]:
    """Return the variables that the notebook's own functions read when they are called: those that a value holds."""
    names: set[str] = set()
    seen: set[int] = set()

    def look(part: Any) -> None:
        if id(part) in seen:
            return
        seen.add(id(part))
        if isinstance(part, types.FunctionType):
            if part.__globals__ is namespace:
                names.update(find_globals(part.__code__))
            for cell in part.__closure__ or ():
                look(cell.cell_contents)
            if hasattr(part, "__wrapped__"):
                look(part.__wrapped__)
        elif isinstance(part, types.MethodType):
            look(part.__self__)
        elif isinstance(part, type) and part.__module__ == "__main__":
            for attribute in vars(part).values():
                look(attribute)
        elif isinstance(part, nn.Module):
            for module in part.modules():
                look(type(module))
                for attribute in vars(module).values():
                    if callable(attribute):
                        look(attribute)
        elif is_own(part) and type(part).__module__ == "__main__":
            look(type(part))
        for _, child in list_children(part):
            look(child)

    look(value)
    return {name for name in names if name in namespace}


def find_globals(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from find_globals(part)


@contextmanager
def remember_arguments() -> Iterator[dict[int, tuple]]:
    """Note with which arguments networks are made, so that they can be made again; by id."""
    made: dict[int, tuple] = {}

    def note(kind: type, /, *arguments: Any, **named: Any) -> Any:
        network = object.__new__(kind)
        made[id(network)] = (network, arguments, named)
        return network

    nn.Module.__new__ = note
    try:
        yield made
    finally:  # Python can't take a __new__ away again: without one, object would refuse the arguments
        nn.Module.__new__ = lambda kind, /, *_, **__: object.__new__(kind)


class Writer:
    """Writes values down as JSON and tensors; what was there before the statement is named instead.

    Args:
        known: objects that the notebook has already, by id, with their paths.
        made: arguments of the networks, see ``remember_arguments``.
        namespace: the notebook's variables.
        halved: keep floats in 16 bits.
    """

    def __init__(
        self,
        known: dict[int, tuple[Place, Any]],
        made: dict[int, tuple],
        namespace: dict[str, Any],
        halved: bool,
    ) -> None:
        self.known, self.made, self.namespace, self.halved = known, made, namespace, halved
        self.tensors: dict[str, Tensor] = {}
        self.needs: set[str] = set()
        self.numbers: dict[int, int] = {}
        self.held: list[Any] = []

    def keep(self, values: Tensor) -> str:
        values = values.detach().cpu()
        if self.halved and values.dtype in (torch.float32, torch.float64) and values.numel():
            top = values.abs().max().item()
            values = values.half() if math.isfinite(top) and top < 60_000 else values
        name = str(len(self.tensors))
        self.tensors[name] = values.clone(memory_format=torch.contiguous_format)
        return name

    def write(self, value: Any) -> Any:
        """Return a value as JSON.

        Raises:
            CannotKeepError: it is, or holds, something of a kind that is not written down.
        """
        if type(value) in PLAIN and not (isinstance(value, float) and not math.isfinite(value)):
            return value
        if id(value) in self.known:
            path = self.known[id(value)][0]
            self.needs.add(path[0])
            return {"is": "ref", "path": path}
        if id(value) in self.numbers:
            return {"is": "again", "number": self.numbers[id(value)]}
        if not is_node(value):
            return self._write_new(value)
        number = self.numbers[id(value)] = len(self.numbers)
        self.held.append(value)
        return self._write_new(value) | {"number": number}

    def _write_new(self, value: Any) -> Any:
        if isinstance(value, float):  # also NumPy's
            return float(value) if math.isfinite(value) else {"is": "float", "text": str(float(value))}
        if isinstance(value, Tensor):
            kind = "parameter" if isinstance(value, nn.Parameter) else "tensor"
            return {
                "is": kind,
                "at": self.keep(value),
                "dtype": str(value.dtype).removeprefix("torch."),
                "grad": value.requires_grad,
            }
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            return {
                "is": "array",
                "at": self.keep(torch.from_numpy(np.ascontiguousarray(value))),
                "dtype": str(value.dtype),
            }
        if isinstance(value, np.generic):
            return self.write(value.item())
        if isinstance(value, list):
            return {"is": "list", "items": self._write_items(value)}
        if type(value) is tuple or (isinstance(value, tuple) and type(value).__module__.startswith(OWN)):
            return {"is": "tuple", "class": name_of(type(value)), "items": [self.write(item) for item in value]}
        if isinstance(value, dict):
            pairs = [[self.write(key), self.write(item)] for key, item in value.items()]
            return {"is": "dict", "class": name_of(type(value)), "items": pairs}
        if isinstance(value, nn.Module):
            return self._write_network(value)
        if type(value) is set:
            return {"is": "set", "items": [self.write(item) for item in sorted(value, key=repr)]}
        if isinstance(value, range):
            return {"is": "range", "items": [value.start, value.stop, value.step]}
        if isinstance(value, slice):
            return {"is": "slice", "items": [self.write(part) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, torch.dtype):
            return {"is": "dtype", "text": str(value).removeprefix("torch.")}
        if isinstance(value, bytes):
            return {"is": "bytes", "text": base64.b64encode(value).decode("ascii")}
        if isinstance(value, Image.Image):
            return {"is": "picture", "at": self.keep(torch.from_numpy(np.array(value)))}
        if isinstance(value, Path):
            return self._write_file(value)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            return self._write_name(value)
        if is_own(value):
            if type(value).__module__ == "__main__":
                self.needs.add(type(value).__qualname__.split(".")[0])
            return {"is": "object", "class": name_of(type(value)), "items": self._write_attributes(value)}
        raise CannotKeepError(f"a {type(value).__module__}.{type(value).__qualname__}")

    def _write_file(self, path: Path) -> Any:
        """Return a path in one of the notebook's folders, with what the file holds."""
        folders = [known for _, known in self.known.values() if isinstance(known, Path) and path.is_relative_to(known)]
        if not (folders and path.is_file()):
            raise CannotKeepError("a path outside of the notebook's folders")
        content = self.keep(torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8))
        name = path.relative_to(folders[-1]).as_posix()
        return {"is": "file", "folder": self.write(folders[-1]), "name": name, "at": content}

    def _write_attributes(self, value: Any) -> dict[str, Any]:
        return {name: self.write(part) for name, part in list_attributes(value)}

    def _write_items(self, items: list) -> Any:
        if len(items) >= TABLE and all(type(item) is float for item in items):
            return {"at": self.keep_numbers(items)}
        if len(items) >= TABLE and all(type(item) is dict and item.keys() == items[0].keys() for item in items):
            rows = [list(item.values()) for item in items]
            if items[0] and all(type(number) is float for row in rows for number in row):
                return {"at": self.keep_numbers(rows), "keys": list(items[0])}
        return [self.write(item) for item in items]

    def keep_numbers(self, values: list) -> str:
        name = str(len(self.tensors))
        self.tensors[name] = torch.tensor(values, dtype=torch.float32)
        return name

    def _write_name(self, value: Any) -> Any:
        name = getattr(value, "__qualname__", "")
        if self.namespace.get(name) is value:
            self.needs.add(name)
            return {"is": "ref", "path": [name]}
        try:
            if load_class(f"{value.__module__}:{name}", self.namespace) is value:
                return {"is": "name", "text": f"{value.__module__}:{name}"}
        except MisfitError:
            pass
        raise CannotKeepError(f"the function {name}")

    def _write_network(self, network: nn.Module) -> Any:
        arguments, named = self._find_arguments(network)
        if type(network).__module__ == "__main__":
            self.needs.add(type(network).__qualname__.split(".")[0])
        return {
            "is": "network",
            "class": name_of(type(network)),
            "arguments": [self.write(part) for part in arguments],
            "named": {name: self.write(part) for name, part in named.items()},
            "state": self.write_state(network),
        }

    def _find_arguments(self, network: nn.Module) -> tuple[tuple, dict[str, Any]]:
        """Return what makes such a network; a deep copy was made without arguments, unlike its original."""
        _, arguments, named = self.made.get(id(network), (None, (), {}))
        twins = [entry for entry in self.made.values() if repr(entry[0]) == repr(network) and (entry[1] or entry[2])]
        if not (arguments or named) and twins:
            _, arguments, named = twins[0]
        try:
            inspect.signature(type(network)).bind(*arguments, **named)
        except TypeError:
            raise CannotKeepError(f"a {type(network).__name__} of unknown making") from None
        return arguments, named

    def write_state(self, network: nn.Module) -> dict[str, Any]:
        """Return what changes in a network: weights, which of them learn, and the mode of each part."""
        learning = [weights.requires_grad for weights in network.parameters()]
        modes = [part.training for part in network.modules()]
        return {
            "weights": {name: self.keep(value) for name, value in network.state_dict().items()},
            "learning": learning[0] if len(set(learning)) == 1 else learning,
            "modes": modes[0] if len(set(modes)) == 1 else modes,
        }

    def write_update(self, value: Any) -> Any:
        """Return how an object that was there before is changed."""
        if isinstance(value, nn.Module):
            return {"is": "network", "state": self.write_state(value)}
        if isinstance(value, Tensor):
            return {"is": "tensor", "at": self.keep(value), "grad": value.requires_grad}
        if isinstance(value, np.ndarray):
            return {"is": "array", "at": self.keep(torch.from_numpy(np.ascontiguousarray(value)))}
        if isinstance(value, torch.Generator):
            return {"is": "generator", "at": self.keep(value.get_state())}
        if isinstance(value, list):
            return {"is": "list", "items": self._write_items(value)}
        if isinstance(value, dict):
            return {"is": "dict", "items": [[self.write(key), self.write(item)] for key, item in value.items()]}
        if isinstance(value, set):
            return {"is": "set", "items": [self.write(item) for item in sorted(value, key=repr)]}
        if is_own(value):
            return {"is": "object", "items": self._write_attributes(value)}
        raise CannotKeepError(f"a changed {type(value).__name__}")


def name_of(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def encode(
    change: Change,
    made: dict[int, tuple],
    namespace: dict[str, Any],
    outputs: list[dict],
    used: set[str],
    halved: bool,
) -> dict[str, Any]:
    """Return what ``Result`` takes, as ``needs``, ``told`` and ``tensors``.

    Args:
        change: what the statement did.
        made: arguments of the networks, see ``remember_arguments``.
        outputs: what it displayed.
        used: names that are read later; what else it bound (the variable of a loop) is left out.
        halved: keep floats in 16 bits: half the size, and no difference to be seen.

    Raises:
        CannotKeepError: something that was made or changed is of a kind that is not written down.
    """
    writer = Writer(change.before.nodes, made, namespace, halved)
    binds = {name: writer.write(change.after.names[name]) for name in change.bound if name in used}
    updates = []
    for key in change.changed:
        path, value = change.before.nodes[key]
        if path[0] in change.bound or path[0] in change.deleted:
            raise CannotKeepError(f"something that was called {path[0]} before, and is called otherwise now")
        if isinstance(value, tuple | Path):  # what a tuple holds has an entry of its own, a file too if it is bound
            continue
        updates.append([path, writer.write_update(value)])
        writer.needs.add(path[0])
    states: dict[str, Any] = {}
    before, after = change.before.random, change.after.random
    if differ(before["torch"], after["torch"]):
        states["torch"] = writer.keep(after["torch"])
    if differ(before["numpy"], after["numpy"]):
        kind, numbers, *rest = after["numpy"]
        states["numpy"] = [kind, writer.keep(torch.from_numpy(numbers.astype(np.uint32).view(np.int32))), *rest]
    if differ(before["python"], after["python"]):
        states["python"] = after["python"]
    told = {"binds": binds, "updates": updates, "deletes": change.deleted, "random": states, "outputs": outputs}
    return {"needs": sorted(writer.needs), "told": json.loads(json.dumps(told)), "tensors": writer.tensors}


def save_book(path: Path, book: Book) -> None:
    """Write what is known of a lesson's statements into one file."""
    tensors: dict[str, Tensor] = {}
    entries: dict[str, Any] = {}
    for key, facts in book.items():
        entry: dict[str, Any] = {name: value for name, value in vars(facts).items() if name != "result" and value}
        entry["seconds"] = round(facts.seconds, 2)
        if result := facts.result:
            entry["result"] = {"chain": result.chain, "needs": result.needs, "told": result.told}
            tensors |= {f"{key}/{name}": values for name, values in result.tensors.items()}
        entries[key] = entry
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save_tensors(tensors, {"statements": json.dumps(entries, separators=(",", ":"))}))
