"""Trained weights and their provenance: ``data/weights/<name>.safetensors`` and ``<name>.json``, always together."""

import contextlib
import difflib
import hashlib
import importlib
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from cnngen_course.blocks import count_weights
from cnngen_course.models.classifier import Classifier
from cnngen_course.models.mtcnn import MTCNN
from cnngen_course.models.vgg import VGGFeatures
from cnngen_course.paths import (
    ROOT,
    WEIGHTS,
    DamagedFileError,
    complain,
    read_data,
    read_json,
    read_ledger,
    read_verified,
)
from cnngen_course.runtime import pick_device

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Metric:
    """A measured value with the number of test pictures it was measured on."""

    value: float
    n: int


def save_trained(
    model: nn.Module,
    name: str,
    *,
    arguments: dict[str, Any],
    training: dict[str, Any],
    data: str,
    metrics: dict[str, Metric],
    folder: Path = WEIGHTS,
) -> Path:
    """Write the weights, 16 bits each, and everything needed to trust and to repeat them.

    Args:
        model: the trained network.
        name: name of the recipe.
        arguments: keyword arguments that build the network anew.
        training: how it was trained: seed, steps, seconds, learning rate, ...
        data: name of the data set it learned from.
        metrics: what was measured on the test set.
    """
    weights = save_tensors({key: shorten(value).contiguous() for key, value in model.state_dict().items()})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(weights)
    provenance = {
        "recipe": f"cnngen_course.recipes.{name}",
        "model": f"{type(model).__module__}:{type(model).__qualname__}",
        "arguments": arguments,
        "parameters": count_weights(model),
        "training": training,
        "data": {"name": data, "sha256": hash_data(data)},
        "metrics": {key: asdict(metric) for key, metric in metrics.items()},
        "made_with": {
            "torch": torch.__version__,
            "device": str(pick_device()),
            "processor": platform.machine(),
            "commit": read_commit(),
        },
        "licence": "MIT, as the course's code",
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
    return path


def shorten(values: Tensor) -> Tensor:
    """Return floats in 16 bits, half the size and no difference to be seen; whole numbers as they are."""
    return values.half() if values.is_floating_point() else values


def record_metrics(name: str, metrics: dict[str, Metric], folder: Path = WEIGHTS) -> None:
    """Write newly measured metrics into the provenance of weights that stay as they are."""
    provenance = load_provenance(name, folder) | {"metrics": {key: asdict(metric) for key, metric in metrics.items()}}
    (folder / f"{name}.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")


def hash_data(name: str) -> str:
    """Return one sha256 for a whole data set: that of its ledger entry's file hashes, in order."""
    files = read_ledger()[name]["files"]
    return hashlib.sha256("".join(facts["sha256"] for facts in files.values()).encode()).hexdigest()


def read_commit() -> str:
    """Return the commit of the code, with ``+`` if files were changed since."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    return answer.stdout.strip() if answer.returncode == 0 else "not a git checkout"


def load_provenance(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """Return the provenance written by ``save_trained``.

    Raises:
        DamagedFileError: there is no such file, or it is not JSON.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        names = sorted(p.stem for p in folder.glob("*.json"))
        known = ", ".join(names) or "none"
        near = "".join(f"Did you mean {other!r}?" for other in difflib.get_close_matches(name, names, 1))
        repair = f"Get it back with:  git checkout -- data/weights/{path.name}   or train it: {retrain(name)}"
        advice = repair if (ROOT / "cnngen_course" / "recipes" / f"{name}.py").is_file() else near  # a mistyped name
        raise DamagedFileError(f"There are no weights named {name!r} (there are: {known}). {advice}")
    provenance = read_json(path)
    if not isinstance(provenance, dict) or not {"sha256", "model", "arguments"} <= set(provenance):
        raise complain(path, "is damaged: it does not say what the weights are")
    return provenance


def retrain(name: str) -> str:
    return f"python -m cnngen_course.recipes.{name}"


@overload
def load_pretrained(name: str, *, folder: Path = WEIGHTS) -> nn.Module: ...


@overload
def load_pretrained(name: str, kind: type[Network], *, folder: Path = WEIGHTS) -> Network: ...


@torch.inference_mode(False)  # whoever loads it first, and wherever: others may want gradients through it
def load_pretrained(name: str, kind: type[nn.Module] = nn.Module, *, folder: Path = WEIGHTS) -> nn.Module:
    """Return the trained network of a recipe, verified, on the CPU and in evaluation mode.

    Args:
        name: of the recipe.
        kind: its class, where you want to rely on it.

    Raises:
        DamagedFileError: a file is missing, cut or altered; the message says how to get it back.
        TypeError: the network is of another kind.
    """
    provenance = load_provenance(name, folder)
    weights = read_verified(folder / f"{name}.safetensors", provenance["sha256"])
    module, _, class_name = provenance["model"].partition(":")
    model = getattr(importlib.import_module(module), class_name)(**provenance["arguments"])
    if not isinstance(model, kind):
        raise TypeError(f"the weights {name!r} are of a {class_name}, not of a {kind.__name__}")
    model.load_state_dict(load_tensors(weights), strict=True)
    return model.eval()


@cache
def load_judge() -> Classifier:
    """Return the judge of clothes, one for all who only ask it; to train on, load your own by ``load_pretrained``."""
    return load_pretrained("judge", Classifier).requires_grad_(False)


class NetworkNeededError(RuntimeError):
    """Something must be fetched from the internet, and there is no way there; the message says what works without."""


@dataclass(frozen=True)
class PhotoClassifier:
    """A network that names one of the 1,000 classes of ImageNet in a colour photograph.

    Attributes:
        model: (N, 3, H, W) as ``prepare`` gives it -> logits (N, 1000); in evaluation mode.
        prepare: uint8 pixels (3, H, W) of any size -> what the network was trained on (resized, cropped, normalised).
        class_names: in the order of the logits.
    """

    model: nn.Module
    prepare: Callable[[Tensor], Tensor]
    class_names: tuple[str, ...]

    @torch.inference_mode()
    def name(self, pixels: Tensor, count: int = 3) -> list[tuple[str, float]]:
        """Return the ``count`` most probable classes of one photograph (3, H, W) uint8, with their probabilities."""
        chances = self.model(self.prepare(pixels)[None]).softmax(dim=1)[0]
        best = chances.topk(count)
        return [
            (self.class_names[index], chance) for index, chance in zip(best.indices, best.values.tolist(), strict=True)
        ]


@torch.inference_mode(False)
def load_mobilenet() -> PhotoClassifier:
    """Return MobileNetV2 (Sandler et al., 2018), pretrained on ImageNet; its weights are in ``data/``.

    Raises:
        DamagedFileError: a file is missing, cut or altered.
    """
    from torchvision.models import MobileNet_V2_Weights, mobilenet_v2  # here, not above: seconds to import

    model = mobilenet_v2(weights=None)
    weights = load_tensors(read_data("mobilenet_v2", "mobilenet_v2.safetensors"))
    missing, unknown = model.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
    if unknown or not all(name.endswith("num_batches_tracked") for name in missing):  # that count: only for training
        raise DamagedFileError(f"not the weights of MobileNetV2: {missing[:3]} missing, {unknown[:3]} unknown")
    names = json.loads(read_data("mobilenet_v2", "classes.json"))
    return PhotoClassifier(model.eval(), MobileNet_V2_Weights.IMAGENET1K_V1.transforms(), tuple(names))


@torch.inference_mode(False)
def load_vgg() -> VGGFeatures:
    """Return the first nine convolutions of VGG16, pretrained on ImageNet; the weights are in ``data/``.

    Raises:
        DamagedFileError: a file is missing, cut or altered.
    """
    model = VGGFeatures()
    weights = load_tensors(read_data("vgg16", "vgg16.safetensors"))
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model


@torch.inference_mode(False)
def load_mtcnn() -> MTCNN:
    """Return the three networks of the face detector MTCNN (Zhang et al., 2016); the weights are in ``data/``.

    Raises:
        DamagedFileError: a file is missing, cut or altered.
    """
    model = MTCNN()
    for name in ("pnet", "rnet", "onet"):
        getattr(model, name).load_state_dict(load_tensors(read_data("mtcnn", f"{name}.safetensors")), strict=True)
    return model


@torch.inference_mode(False)
def load_torchvision(name: str) -> PhotoClassifier:
    """Return a classifier of torchvision with its best pretrained weights, e.g. "resnet18", "resnet50" or "vgg16".

    The first time, the weights are fetched from the internet (resnet18: 45 MB, vgg16: 528 MB); later they
    come from torch's cache folder.

    Raises:
        NetworkNeededError: the weights are not in the cache and the internet cannot be reached.
        ValueError: torchvision knows no classifier of that name.
    """
    from torchvision.models import get_model, get_model_weights, list_models

    if name not in list_models():
        raise ValueError(f"torchvision has no classifier {name!r}; among others it has resnet18, resnet50 and vgg16")
    weights = get_model_weights(name).DEFAULT
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where it says what it downloads belongs beside the progress bar
            model = get_model(name, weights=weights)
    except OSError as error:  # no connection, no such host, time out, refused
        size = weights.meta["_file_size"]
        raise NetworkNeededError(
            f"The weights of {name} ({size:.0f} MB) are not on this computer yet and could not be fetched ({error}). "
            "With a connection this same line works. Without one, load_mobilenet() works: its weights are in data/."
        ) from None
    return PhotoClassifier(model.eval(), weights.transforms(), tuple(weights.meta["categories"]))
