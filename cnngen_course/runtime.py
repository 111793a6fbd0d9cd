"""The machine a lesson runs on: seeds, threads, device and precision."""

import os
import random
import time
from collections.abc import Callable

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Make a run repeatable: seed Python, NumPy and PyTorch, and fix the number of threads.

    The thread count belongs here because sums in another order give other last digits, and because
    more threads than cores make a training several times slower.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(count_usable_cores())


def count_usable_cores() -> int:
    """Return how many cores this process may use, or fewer if ``OMP_NUM_THREADS`` says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [int(text) for text in (os.environ.get("OMP_NUM_THREADS"), _read_container_limit()) if text]
    return max(1, min([cores, *limits]))


def _read_container_limit() -> str | None:
    """Return the whole cores a Linux container grants, which the core count above does not know."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="utf-8") as file:
            quota, period = file.read().split()
    except OSError:  # not Linux, or no such limit: the core count stands
        return None
    return None if quota == "max" else str(max(1, int(quota) // int(period)))


def pick_device() -> torch.device:
    """Return the fastest device there is: a CUDA GPU, Apple's GPU, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_precision() -> str:
    """Return ``"bf16"`` where the processor multiplies 16-bit numbers natively, else ``"no"``.

    The words are those of Accelerate's ``mixed_precision``. On a processor without native support
    bf16 works too, but slower than 32 bits. ``CNNGEN_PRECISION``, ``bf16`` or ``no``, overrides the choice:
    a processor that is only played (``python course.py claims``) is asked for what it would have.
    """
    if (asked := os.environ.get("CNNGEN_PRECISION")) is not None:
        if asked not in ("bf16", "no"):
            raise ValueError(f"CNNGEN_PRECISION is {asked!r}; it can be 'bf16' or 'no'")
        return asked
    if pick_device().type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if pick_device().type == "cpu" and torch.cpu._is_avx512_bf16_supported() else "no"


def compare_speed(ways: dict[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Return the seconds that each way of doing something takes: of its quickest round, after one to warm up.

    The ways take turns, so that a moment in which the machine is busy with something else hits all of them.
    """
    seconds = dict.fromkeys(ways, float("inf"))
    for number in range(rounds + 1):
        for name, do in ways.items():
            start = time.perf_counter()
            do()
            if number > 0:
                seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds
