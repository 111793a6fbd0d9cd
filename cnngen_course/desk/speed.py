"""How fast this machine is at what lessons do, in two samples: steps of trainings, and the rest."""

import io
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn

from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.models.classifier import Classifier
from cnngen_course.models.gan import Generator
from cnngen_course.runtime import count_usable_cores, pick_device, pick_precision


def make_training_step(network: nn.Module, *inputs: Tensor) -> Callable[[], object]:
    """Return one step of a training as lessons do it: with the device and the precision that they pick."""
    device = pick_device()
    inputs = tuple(tensor.to(device) for tensor in inputs)
    optimizer = torch.optim.AdamW(network.to(device).parameters(), fused=True)

    def step() -> float:
        with torch.autocast(device.type, torch.bfloat16, enabled=pick_precision() == "bf16"):
            loss = network(*inputs).float().square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()  # a GPU has not finished before

    return step


def make_samples() -> dict[str, list[Callable[[], object]]]:
    """Return what lessons spend their time with: three trainings; and a network that looks, Python, pictures."""
    images, labels = torch.rand(64, 1, 28, 28) * 2 - 1, torch.arange(32) % 10
    judge, picture = Classifier().eval(), Image.effect_noise((200, 200), 60).convert("RGB")

    def look() -> None:
        with torch.inference_mode():
            judge(images[:32])

    def count() -> int:
        return sum(number % 7 for number in range(100_000))

    def draw() -> None:
        picture.resize((500, 500)).save(io.BytesIO(), "jpeg")

    return {
        "training": [
            make_training_step(Classifier(), images),
            make_training_step(Autoencoder(width=8, latent_size=16), images),
            make_training_step(Generator(), torch.randn(32, 64), labels),
        ],
        "rest": [look, count, draw],
    }


def measure_speed(clock: Callable[[], float] = time.perf_counter, seconds: float = 0.3) -> tuple[float, float]:
    """Return the seconds that a round of trainings and a round of the rest take with a lesson's threads and precision.

    The quickest round of each sample counts, so that a moment in which the machine is busy with something else does
    not. With ``time.process_time`` and one thread nothing but this program's own work counts.
    Random numbers and the number of threads are left as they are.

    Args:
        clock: says how much time has passed, in seconds.
        seconds: to spend on each of the six samples, two rounds at least.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(count_usable_cores())
    try:
        with torch.random.fork_rng(devices=[]):
            samples = make_samples()
        best = {name: sum(measure_best(do, clock, seconds) for do in parts) for name, parts in samples.items()}
    finally:
        torch.set_num_threads(threads)
    return best["training"], best["rest"]


def measure_best(do: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < 2 or time.perf_counter() < end:  # the first round prepares what later ones find ready
        start = clock()
        do()
        found.append(clock() - start)
    return min(found)
