"""Networks as ONNX files, which run without PyTorch; and the proof that a file gives what the network gives.

``PORTS`` lists the course's generators with what each is fed. The files are made anew whenever they are wanted: they
hold the weights a second time, so none is stored in the repository.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from cnngen_course.models.unet import Inpainter, TwoWay
from cnngen_course.paths import WEIGHTS
from cnngen_course.pretrained import load_pretrained
from cnngen_course.restoration import fill_laplace

Inputs = dict[str, Tensor]


class ExportError(RuntimeError):
    """A network cannot be exported, or an ONNX file cannot be used; the message says why."""


class Correction(nn.Module):
    """The learned part of an ``Inpainter`` that corrects a soap film: film and mask in, repaired pictures out.

    The film itself is a loop of plain sums. Unrolled into a file it would be a thousand nodes, so it stays with the
    program that runs the file.
    """

    def __init__(self, inpainter: Inpainter) -> None:
        super().__init__()
        self.network = inpainter.network

    def forward(self, film: Tensor, known: Tensor) -> Tensor:
        seen = known.to(film.dtype)
        drawn = self.network(torch.cat([film, seen], dim=1), seen)
        return torch.where(known, film, (film + drawn).clamp(-1, 1))


@dataclass(frozen=True)
class Port:
    """What a generator is fed.

    Attributes:
        sample: returns inputs by name for ``count`` pictures, each with the pictures in its first dimension.
        select: returns the part of the loaded network that is exported.
    """

    sample: Callable[[int], Inputs]
    select: Callable[[nn.Module], nn.Module] = nn.Module.eval


def sample_noise(count: int, channels: int, size: int) -> Tensor:
    return torch.rand(count, channels, size, size) * 2 - 1


def sample_damage(count: int, channels: int, size: int) -> Inputs:
    """Return films of pictures in which each pixel is missing with a chance of 0.3."""
    known = torch.rand(count, 1, size, size) > 0.3
    return {"film": fill_laplace(sample_noise(count, channels, size), known), "known": known}


def select_correction(model: nn.Module) -> nn.Module:
    """Return what is exported of an inpainter: its learned part."""
    if not (isinstance(model, Inpainter) and model.corrects):
        raise ExportError(f"a soap film is corrected by an Inpainter(corrects=True), not by {type(model).__name__}")
    return Correction(model).eval()


def select_there(model: nn.Module) -> nn.Module:
    """Return the way there of a translator that learned both ways."""
    if not isinstance(model, TwoWay):
        raise ExportError(f"a translator with two ways is wanted, got {type(model).__name__}")
    return model.there.eval()


def sample_labels(count: int, classes: int) -> Tensor:
    return torch.randint(classes, (count,))


PORTS = {
    "generator": Port(lambda n: {"latents": torch.randn(n, 64), "labels": sample_labels(n, 10)}),
    "inpainter": Port(lambda n: sample_damage(n, 1, 28), select_correction),
    "photo_inpainter": Port(lambda n: sample_damage(n, 3, 96), select_correction),
    "colourist": Port(lambda n: {"outlines_and_hints": sample_noise(n, 5, 64)}),
    "head_translator": Port(lambda n: {"heads": sample_noise(n, 3, 64)}, select_there),
    "stylist": Port(lambda n: {"photos": sample_noise(n, 3, 128), "styles": sample_labels(n, 2)}),
    "artist": Port(lambda n: {"things": sample_labels(n, 204), "styles": sample_labels(n, 6)}),
    "flow": Port(lambda n: {"noisy": sample_noise(n, 1, 28), "times": torch.rand(n), "labels": sample_labels(n, 10)}),
}


def list_ports() -> list[str]:
    """Return the names of the generators whose weights are there."""
    return [name for name in PORTS if (WEIGHTS / f"{name}.safetensors").is_file()]


def load_part(name: str) -> nn.Module:
    """Return what is exported of a shipped generator, in evaluation mode."""
    return PORTS[name].select(load_pretrained(name))


def export_model(model: nn.Module, inputs: Inputs, path: Path | str) -> Path:
    """Write a network as an ONNX file that takes any number of pictures at a time.

    Args:
        model: in evaluation mode: in training mode, normalisation and dropout would be written down as they train.
        inputs: an example with two or more pictures, by the names that the file shall use.

    Raises:
        ExportError: the network is in training mode, or the example holds a single picture.
    """
    if model.training:
        raise ExportError("the network is in training mode: call model.eval() first")
    if any(len(value) < 2 for value in inputs.values()):
        raise ExportError("the example needs two or more pictures: from a single one, the number would be fixed at 1")
    several = {0: torch.export.Dim.DYNAMIC}  # the number of pictures stays open
    program = torch.onnx.export(
        model,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=["drawn"],
        dynamic_shapes=(several,) * len(inputs),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # dynamo=True always gives one
    program.save(path, external_data=False)
    return Path(path)


class OnnxModel:
    """An ONNX file, ready to run: called with tensors in the file's order, it returns a tensor.

    Args:
        path: of the file.
        threads: as many as PyTorch is given, so that the two can be compared.

    Raises:
        ExportError: the file is missing, or is no ONNX file.
    """

    def __init__(self, path: Path | str, threads: int | None = None) -> None:
        import onnxruntime  # here, not above: only who runs ONNX files needs it

        path, options = Path(path), onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        try:
            self.session = onnxruntime.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])
        except OSError as error:
            raise ExportError(f"{path.name} cannot be read: {error.strerror}") from None
        except Exception as error:  # onnxruntime's own errors share no other base
            raise ExportError(f"{path.name} is not a file that ONNX Runtime can run: {error}") from None
        self.input_names = [place.name for place in self.session.get_inputs()]

    def __call__(self, *inputs: Tensor) -> Tensor:
        if len(inputs) != len(self.input_names):
            raise ExportError(f"this file takes {', '.join(self.input_names)}; got {len(inputs)} inputs")
        given = {name: value.numpy() for name, value in zip(self.input_names, inputs, strict=True)}
        return torch.from_numpy(self.session.run(None, given)[0])


def compute_difference(model: nn.Module, exported: Callable[..., Tensor], inputs: Inputs) -> float:
    """Return the largest difference between the answers of a network and of its file; infinite for other shapes or NaN.

    Answers lie in [-1, 1]; a step of a pixel's 256 levels is 0.0078.
    """
    with torch.inference_mode():
        ours, theirs = model(*inputs.values()), exported(*inputs.values())
    if ours.shape != theirs.shape:
        return float("inf")
    return (ours - theirs).abs().nan_to_num(nan=float("inf")).max().item()


def measure_ratio(model: nn.Module, exported: Callable[..., Tensor], inputs: Inputs, rounds: int = 15) -> float:
    """Return how many times as fast as the network its file is: both take turns, and the best of each counts.

    The best, because whatever else the computer does can only make a call slower.
    """
    values = tuple(inputs.values())
    with torch.inference_mode():
        pairs = [(measure_seconds(model, values), measure_seconds(exported, values)) for _ in range(rounds)]
    ours, theirs = (min(seconds) for seconds in zip(*pairs, strict=True))
    return ours / theirs


def measure_seconds(call: Callable[..., Tensor], values: tuple[Tensor, ...]) -> float:
    start = time.perf_counter()
    call(*values)
    return time.perf_counter() - start


@dataclass(frozen=True)
class Parity:
    """What came out when a network and its ONNX file were compared.

    Attributes:
        difference: the largest over all pixels of all counts tried; answers lie in [-1, 1].
        ratios: number of pictures at a time -> how many times as fast as PyTorch.
        megabytes: size of the file.
    """

    difference: float
    ratios: dict[int, float]
    megabytes: float


def compare(name: str, folder: Path, counts: tuple[int, ...] = (1, 8), rounds: int = 15) -> Parity:
    """Export a shipped generator into ``folder``, run file and network side by side, and return the comparison."""
    model, port = load_part(name), PORTS[name]
    path = export_model(model, port.sample(2), folder / f"{name}.onnx")
    exported = OnnxModel(path)
    given = {count: port.sample(count) for count in counts}
    return Parity(
        max(compute_difference(model, exported, inputs) for inputs in given.values()),
        {count: measure_ratio(model, exported, inputs, rounds) for count, inputs in given.items()},
        path.stat().st_size / 1e6,
    )
