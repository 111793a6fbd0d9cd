"""Seeds repeat a run, and the thread count follows what the process may really use."""

import random
import time

import numpy as np
import pytest
import torch

from cnngen_course import runtime
from cnngen_course.runtime import count_usable_cores, pick_device, pick_precision, seed_everything


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(()).item()


def test_a_seed_repeats_all_three_generators() -> None:
    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_threads_never_exceed_the_usable_cores(monkeypatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seed_everything(0)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)


@pytest.mark.parametrize(("granted", "cores"), [("1", 1), ("64", 2), (None, 2)])
def test_a_container_limit_counts(monkeypatch, granted: str | None, cores: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(runtime, "_read_container_limit", lambda: granted)
    assert count_usable_cores() == cores


def test_device_and_precision_are_words_that_pytorch_knows() -> None:
    assert pick_device().type in {"cpu", "cuda", "mps"}
    assert pick_precision() in {"no", "bf16"}


@pytest.mark.parametrize("asked", ["bf16", "no"])
def test_a_variable_overrides_the_precision(monkeypatch, asked: str) -> None:
    monkeypatch.setenv("CNNGEN_PRECISION", asked)
    assert pick_precision() == asked


def test_an_unknown_precision_is_told(monkeypatch) -> None:
    monkeypatch.setenv("CNNGEN_PRECISION", "fp8")
    with pytest.raises(ValueError, match="'fp8'; it can be 'bf16' or 'no'"):
        pick_precision()


def test_the_quickest_round_counts_and_all_ways_take_turns() -> None:
    calls: list[str] = []

    def wait(name: str, seconds: float) -> None:
        calls.append(name)
        time.sleep(seconds)

    ways = {"slow": lambda: wait("slow", 0.02), "quick": lambda: wait("quick", 0.002)}
    seconds = runtime.compare_speed(ways, rounds=2)
    assert calls == ["slow", "quick"] * 3  # one round to warm up
    assert seconds["slow"] >= 0.02 > 0.002 <= seconds["quick"] < seconds["slow"]
