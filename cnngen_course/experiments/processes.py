"""One training in a process of its own, on several processes at once, or killed on the way and continued.

``python -m cnngen_course.experiments.processes`` trains the artist for some steps and writes what came out. Under
``accelerate launch`` every process gets its own share of each batch and they agree on the mean of their gradients, so
that several small shares make the same step as one large batch. ``start`` and ``finish`` do that from a notebook.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cnngen_course.datasets import make_loader
from cnngen_course.galleries import load_table
from cnngen_course.models.artist import Artist
from cnngen_course.objectives.drawing import Drawing
from cnngen_course.runtime import seed_everything
from cnngen_course.training import fit

WIDTHS = (64, 48, 32)  # pictures of 32 pixels: small, for the seconds of a lesson


@dataclass(frozen=True)
class Outcome:
    """What a training leaves.

    Attributes:
        weights: of the network, by name.
        losses: one a step; under several processes those of the first one's share.
        seconds: of the steps alone, without starting up.
        processes: how many took part.
        pictures: trained on, by all of them together.
    """

    weights: dict[str, Tensor]
    losses: list[float]
    seconds: float
    processes: int
    pictures: int

    @property
    def pictures_per_second(self) -> float:
        return self.pictures / self.seconds


def make_artist(noise: float = 0.0) -> Artist:
    """Return a small untrained artist for pictures of 32 pixels, the same one each time."""
    table = load_table()
    seed_everything(0)
    return Artist(len(table.face_names), len(table.style_names), widths=WIDTHS, noise=noise)


class SmallDrawing(Drawing):
    """Drawing at half the size: each pixel wanted is the mean of four."""

    def __call__(self, model: torch.nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, things, styles = batch
        return super().__call__(model, (torch.nn.functional.avg_pool2d(images, 2), things, styles))


def run(
    steps: int,
    batch_size: int,
    checkpoint: Path | None = None,
    checkpoint_every: int = 10,
    precision: str = "no",
    noise: float = 0.0,
) -> Outcome:
    """Train the small artist in this process, as one of however many there are.

    Args:
        batch_size: of each process.
        checkpoint: see ``fit``; where it exists, training goes on from it.
        noise: see ``Artist``. Each process draws its own, so that only without noise several do exactly what one does.
    """
    from accelerate import PartialState  # a second to import

    model = make_artist(noise)
    # Under several processes the order comes from the first one's generator; so it is one of its own here.
    loader = make_loader(
        load_table().train, batch_size, generator=None if checkpoint else torch.Generator().manual_seed(0)
    )
    start = time.perf_counter()
    history = fit(
        model,
        SmallDrawing(),
        loader,
        steps=steps,
        lr=2e-3,
        precision=precision,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        progress=False,
    )
    seconds, processes = time.perf_counter() - start, PartialState().num_processes
    weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return Outcome(weights, history.curve("loss"), seconds, processes, steps * batch_size * processes)


def make_command(processes: int) -> list[str]:
    """Return the words of a terminal that run this module on so many processes of one machine."""
    if processes < 1:
        raise ValueError(f"there must be a process to train in, got processes={processes}")
    if processes == 1:
        return [sys.executable, "-m", "cnngen_course.experiments.processes"]
    # Without a GPU in sight, "multi_gpu" starts that many processes that talk by gloo.
    flags = f"--multi_gpu --num_machines 1 --num_processes {processes} --main_process_port 0"
    flags += " --mixed_precision no --dynamo_backend no"
    return [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        *flags.split(),
        "-m",
        "cnngen_course.experiments.processes",
    ]


def start(out: Path, processes: int = 1, **options: object) -> subprocess.Popen:
    """Start a training of its own and return it while it runs; ``options`` are those of ``run``, by name."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    # On the CPU, so that it is the same everywhere; with two GPUs, leave this variable out.
    variables = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    command = [*make_command(processes), "--out", str(out), *words]
    return subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen, out: Path, timeout: float = 1200) -> Outcome:
    """Wait for a training that was started and return what it left.

    Raises:
        RuntimeError: it failed; the message ends with its last lines.
    """
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()
        raise
    if process.returncode:
        raise RuntimeError(f"the training ended with {process.returncode}:\n{said.decode()[-2000:]}")
    return load_outcome(out)


def kill_after(process: subprocess.Popen, checkpoint: Path, timeout: float = 1200) -> None:
    """Kill a training, as ``kill -9`` does, as soon as it has written its first checkpoint.

    Raises:
        RuntimeError: it ended by itself, or wrote nothing in time.
    """
    end = time.monotonic() + timeout
    while not checkpoint.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            said, _ = process.communicate()
            raise RuntimeError(f"the training wrote no checkpoint:\n{said.decode()[-2000:]}")
        time.sleep(0.01)
    process.kill()
    process.communicate()


def save_outcome(outcome: Outcome, path: Path) -> None:
    torch.save(vars(outcome), path)


def load_outcome(path: Path) -> Outcome:
    return Outcome(**torch.load(path, weights_only=True))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=16, help="of each process")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--checkpoint-every", type=int, default=10)
    parser.add_argument("--precision", choices=("no", "bf16"), default="no")
    parser.add_argument("--noise", type=float, default=0.0)
    wanted = vars(parser.parse_args(arguments))
    out = wanted.pop("out")
    outcome = run(**wanted)
    from accelerate import PartialState

    if PartialState().is_main_process:
        save_outcome(outcome, out)
    PartialState().destroy_process_group()


if __name__ == "__main__":
    main()
