"""What a statement of a lesson did to the notebook's variables, read from a file and done again.

A training takes a minute; what it left behind (weights, curves, pictures) is there in milliseconds. The files hold JSON
and tensors, no pickle: plain values, containers, tensors, networks, and objects of the course's and the notebook's
classes. ``python3 course.py moments`` writes them (``tools/recording.py``).
"""

import base64
import importlib
import json
import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import torch
from IPython.display import display
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from cnngen_course.desk.outline import STORED
from cnngen_course.figures import Live
from cnngen_course.paths import complain, read_file

FOLDER = STORED
OWN = "cnngen_course"
RANDOM = "*random*"  # stands among the names of variables for the state of all random numbers
CONTAINERS = ("builtins:tuple", "builtins:dict")
PLAIN = (type(None), bool, int, float, str)
Place = list[Any]  # a variable's name, then places in lists, tuples and dictionaries (int), or attributes (str)


class MisfitError(RuntimeError):
    """What was stored belongs to another network or another variable than the notebook has."""


def load_class(name: str, namespace: dict[str, Any]) -> Any:
    """Return ``module:qualname``, of the course, of PyTorch, or of the notebook (``__main__``).

    Raises:
        MisfitError: there is no such thing, or it is of another package.
    """
    module, _, path = name.partition(":")
    try:
        if module == "__main__":
            found: Any = namespace[path.split(".")[0]]
            path = path.partition(".")[2]
        elif module.split(".")[0] in (OWN, "torch", "collections") or name in CONTAINERS:
            found = importlib.import_module(module)
        else:
            raise MisfitError(f"{name} is none of the course's")
        for part in filter(None, path.split(".")):
            found = getattr(found, part)
    except (KeyError, AttributeError, ImportError) as error:
        raise MisfitError(f"there is no {name} any more") from error
    return found


def is_own(value: object) -> bool:
    """Say whether a value is an object of the course's or of the notebook's classes, whose attributes are its state."""
    kind = type(value)
    if isinstance(value, nn.Module | Tensor | widgets.Widget | Live | BaseException | dict | list | tuple):
        return False
    return (
        kind.__module__.split(".")[0] in (OWN, "__main__") and kind.__name__ != "Lesson" and hasattr(value, "__dict__")
    )


def list_children(value: Any) -> list[tuple[Any, Any]]:
    """Return what a value holds: (place or attribute, value)."""
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, dict):
        return list(enumerate(value.values()))
    return list_attributes(value) if is_own(value) else []


def list_attributes(value: object) -> list[tuple[str, Any]]:
    """Return the attributes that make an object what it is; what it computed of them once can be computed again."""
    cached = {
        name for kind in type(value).mro() for name, part in vars(kind).items() if isinstance(part, cached_property)
    }
    return [(name, part) for name, part in vars(value).items() if name not in cached]


def follow(path: Place, namespace: dict[str, Any]) -> Any:
    """Return what lies at a path.

    Raises:
        NameError: the variable is not there.
        MisfitError: it holds other things.
    """
    if path[0] not in namespace:
        raise NameError(f"name {path[0]!r} is not defined", name=path[0])
    found = namespace[path[0]]
    for step in path[1:]:
        children = dict(list_children(found))
        if step not in children:
            raise MisfitError(f"{path[0]} holds other things than when its result was stored")
        found = children[step]
    return found


class Reader:
    """Makes values of what ``Writer`` wrote down."""

    def __init__(self, tensors: dict[str, Tensor], prefix: str, namespace: dict[str, Any]) -> None:
        self.tensors, self.prefix, self.namespace = tensors, prefix, namespace
        self.made: dict[int, Any] = {}

    def get(self, name: str) -> Tensor:
        return self.tensors[f"{self.prefix}{name}"].clone()

    def read(self, told: Any) -> Any:
        """Return the value.

        Raises:
            MisfitError: it needs something that is not there any more.
        """
        if not isinstance(told, dict):
            return told
        made = getattr(self, f"_read_{told['is']}")(told)
        if "number" in told:
            self.made[told["number"]] = made
        return made

    def read_items(self, told: Any) -> list:
        if isinstance(told, list):
            return [self.read(item) for item in told]
        rows = self.get(told["at"]).tolist()
        return [dict(zip(told["keys"], row, strict=True)) for row in rows] if "keys" in told else rows

    def _read_ref(self, told: dict) -> Any:
        return follow(told["path"], self.namespace)

    def _read_again(self, told: dict) -> Any:
        return self.made[told["number"]]

    def _read_float(self, told: dict) -> float:
        return float(told["text"])

    def _read_tensor(self, told: dict) -> Tensor:
        return self.get(told["at"]).to(getattr(torch, told["dtype"])).requires_grad_(told["grad"])

    def _read_parameter(self, told: dict) -> Tensor:
        return nn.Parameter(self.get(told["at"]).to(getattr(torch, told["dtype"])), requires_grad=told["grad"])

    def _read_array(self, told: dict) -> np.ndarray:
        return self.get(told["at"]).numpy().astype(told["dtype"])

    def _read_list(self, told: dict) -> list:
        made = self.made[told["number"]] = []  # before its items: one of them may hold the list
        made += self.read_items(told["items"])
        return made

    def _read_tuple(self, told: dict) -> tuple:
        kind = load_class(told["class"], self.namespace)
        items = [self.read(item) for item in told["items"]]
        return tuple(items) if kind is tuple else kind(*items)

    def _read_dict(self, told: dict) -> dict:
        made = self.made[told["number"]] = load_class(told["class"], self.namespace)()
        made.update([(self.read(key), self.read(item)) for key, item in told["items"]])
        return made

    def _read_set(self, told: dict) -> set:
        return {self.read(item) for item in told["items"]}

    def _read_range(self, told: dict) -> range:
        return range(*told["items"])

    def _read_slice(self, told: dict) -> slice:
        return slice(*[self.read(item) for item in told["items"]])

    def _read_dtype(self, told: dict) -> Any:
        return getattr(torch, told["text"])

    def _read_bytes(self, told: dict) -> bytes:
        return base64.b64decode(told["text"])

    def _read_picture(self, told: dict) -> Image.Image:
        return Image.fromarray(self.get(told["at"]).numpy())

    def _read_file(self, told: dict) -> Path:
        path = self.read(told["folder"]) / told["name"]
        path.write_bytes(self.get(told["at"]).numpy().tobytes())
        return path

    def _read_name(self, told: dict) -> Any:
        return load_class(told["text"], self.namespace)

    def _read_object(self, told: dict) -> Any:
        kind = load_class(told["class"], self.namespace)
        made = self.made[told["number"]] = kind.__new__(kind)
        for name, value in told["items"].items():
            made.__dict__[name] = self.read(value)
        return made

    def _read_network(self, told: dict) -> nn.Module:
        arguments = [self.read(part) for part in told["arguments"]]
        named = {name: self.read(part) for name, part in told["named"].items()}
        made = load_class(told["class"], self.namespace)(*arguments, **named)
        self.check_state(made, told["state"])
        self.put_state(made, told["state"])
        return made

    def check_state(self, network: object, state: dict) -> None:
        """Raise MisfitError if a network is not the one whose weights were stored."""
        if not isinstance(network, nn.Module):
            raise MisfitError(f"a network was here when the result was stored, not a {type(network).__name__}")
        shapes = {name: value.shape for name, value in network.state_dict().items()}
        stored = {name: self.tensors[f"{self.prefix}{at}"].shape for name, at in state["weights"].items()}
        if shapes != stored:
            raise MisfitError(f"this {type(network).__name__} has other weights than the one whose result was stored")

    def put_state(self, network: nn.Module, state: dict) -> None:
        network.load_state_dict({name: self.get(at) for name, at in state["weights"].items()})
        weights, parts = list(network.parameters()), list(network.modules())
        learning, modes = state["learning"], state["modes"]
        for weight, learns in zip(weights, spread(learning, len(weights)), strict=True):
            weight.requires_grad_(learns)
            weight.grad = None
        for part, mode in zip(parts, spread(modes, len(parts)), strict=True):
            part.training = mode

    def update(self, value: Any, told: dict) -> None:
        """Change an object as the statement did."""
        match told["is"]:
            case "network":
                self.put_state(value, told["state"])
            case "tensor":
                value.data = self.get(told["at"]).to(value.dtype)
                value.requires_grad_(told["grad"])
            case "array":
                value[...] = self.get(told["at"]).numpy()
            case "generator":
                value.set_state(self.get(told["at"]))
            case "list":
                value[:] = self.read_items(told["items"])
            case "dict":
                items = [(self.read(key), self.read(item)) for key, item in told["items"]]
                value.clear()
                value.update(items)
            case "set":
                members = [self.read(item) for item in told["items"]]
                value.clear()
                value.update(members)
            case "object":
                attributes = {name: self.read(item) for name, item in told["items"].items()}
                for name, _ in list_attributes(value):
                    del value.__dict__[name]
                value.__dict__.update(attributes)


def spread(told: Any, count: int) -> list:
    return told if isinstance(told, list) else [told] * count


@dataclass(frozen=True)
class Result:
    """What a statement that takes long left behind.

    Attributes:
        chain: a mark of all statements that it depends on; with another one it is the result of another program.
        needs: variables that must be there before it is applied.
        seconds: that it took where it was stored.
        told: the JSON of what it made and changed.
    """

    chain: str
    needs: list[str]
    seconds: float
    told: dict[str, Any]
    tensors: dict[str, Tensor] = field(repr=False, default_factory=dict)
    prefix: str = ""

    def apply(self, namespace: dict[str, Any]) -> None:
        """Do to a notebook's variables what the statement did.

        Raises:
            MisfitError: the variables are not those of the lesson.
            NameError: one is missing.
        """
        reader = Reader(self.tensors, self.prefix, namespace)
        for name in self.needs:
            follow([name], namespace)
        targets = [follow(path, namespace) for path, _ in self.told["updates"]]
        for target, (_, told) in zip(targets, self.told["updates"], strict=True):
            if told["is"] == "network":
                reader.check_state(target, told["state"])
            elif not isinstance(target, UPDATED[told["is"]]) and not (told["is"] == "object" and is_own(target)):
                raise MisfitError(f"a {type(target).__name__} is where something else was when the result was stored")
        values = {name: reader.read(value) for name, value in self.told["binds"].items()}
        for target, (_, told) in zip(targets, self.told["updates"], strict=True):
            reader.update(target, told)
        namespace.update(values)
        for name in self.told["deletes"]:
            namespace.pop(name, None)
        states = self.told["random"]
        if "torch" in states:
            torch.set_rng_state(reader.get(states["torch"]))
        if "numpy" in states:
            kind, at, *rest = states["numpy"]
            np.random.set_state((kind, reader.get(at).numpy().view(np.uint32), *rest))
        if "python" in states:
            version, numbers, gauss = states["python"]
            random.setstate((version, tuple(numbers), gauss))

    def show(self) -> None:
        """Display what the statement displayed and printed."""
        for output in self.told["outputs"]:
            if "text" in output:
                print(output["text"], end="")
            else:
                display(output["data"], raw=True)


UPDATED: dict[str, Any] = {
    "tensor": Tensor,
    "array": np.ndarray,
    "generator": torch.Generator,
    "list": list,
    "dict": dict,
    "set": set,
    "object": (),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a statement from running it once.

    Attributes:
        seconds: that it took.
        bound, touched: see ``Change``.
        draws: whether it used or set random numbers.
        calls: by name of a variable that holds functions of the notebook: what these read when they are called.
        result: what it left, if it took long.
    """

    seconds: float
    bound: list[str]
    touched: list[str]
    draws: bool
    calls: dict[str, list[str]]
    result: Result | None = None


Book = dict[str, Facts]  # of a lesson, by the key of the statement


def load_book(path: Path) -> Book:
    """Return what is known of a lesson's statements; nothing where there is no such file.

    Raises:
        DamagedFileError: the file cannot be read.
    """
    if not path.exists():
        return {}
    content = read_file(path)
    try:
        size = int.from_bytes(content[:8], "little")
        entries = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["statements"])
        tensors = load_tensors(content)
    except (ValueError, KeyError, SafetensorError) as error:
        raise complain(path, f"is damaged ({error})") from None
    book: Book = {}
    for key, entry in entries.items():
        result = entry.pop("result", None)
        empty: dict[str, Any] = {"bound": [], "touched": [], "draws": False, "calls": {}}
        kept = Result(**result, seconds=entry["seconds"], tensors=tensors, prefix=f"{key}/") if result else None
        book[key] = Facts(**empty | entry, result=kept)
    return book
