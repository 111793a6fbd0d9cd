"""The guard: time limits in either kind of thread, random numbers as they were, a kernel that no answer ends."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from cnngen_course.exercises import guard
from cnngen_course.exercises.guard import TimeUp, keep_dice, limit_time
from cnngen_course.exercises.report import Exercise, Sheet

pytestmark = pytest.mark.slow


def spin() -> None:
    while True:
        pass


def compute() -> None:
    while True:
        torch.ones(8, 8) @ torch.ones(8, 8)


def ignore_exceptions() -> None:
    while True:
        with contextlib.suppress(Exception):
            compute()


def ignore_everything() -> None:
    """The first alarm is swallowed; one of the next falls between two rounds."""
    total = 0
    while True:
        try:
            total += 1
        except:  # noqa: E722
            total = 0


ENDLESS = [spin, compute, ignore_exceptions, ignore_everything]


@pytest.mark.parametrize("endless", [*ENDLESS, lambda: time.sleep(60)])
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no alarms")
def test_an_alarm_ends_it(endless: Callable[[], None]) -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeUp), limit_time(0.1):
        endless()
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("endless", ENDLESS)
def test_another_thread_ends_it(endless: Callable[[], None]) -> None:
    """As on Windows, and as in a kernel that runs cells outside the main thread."""
    caught: list[BaseException] = []

    def work() -> None:
        try:
            with limit_time(0.1):
                endless()
        except TimeUp as error:
            caught.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(30)
    assert len(caught) == 1


@pytest.mark.parametrize("limit", [guard._ring, guard._throw])
def test_limits_can_be_nested(limit: Callable[[float], AbstractContextManager[None]]) -> None:
    with limit(60), pytest.raises(TimeUp), limit(0.1):
        spin()
    with pytest.raises(TimeUp), limit(0.3):
        with limit(60):
            pass
        spin()


@pytest.mark.parametrize("limit", [guard._ring, guard._throw])
def test_who_is_in_time_hears_nothing(limit: Callable[[float], AbstractContextManager[None]]) -> None:
    threads = threading.active_count()
    for _ in range(200):  # the time is up at about the end of the block: before, after, or while it is left
        try:
            with limit(0.002):
                total = sum(range(60_000))
        except TimeUp:
            total = 0
        assert total in (0, sum(range(60_000)))
    sum(range(1_000_000))  # nothing arrives late
    assert threading.active_count() == threads


def test_the_dice_stay_as_they_were() -> None:
    def draw() -> tuple[float, float, float]:
        return torch.rand(()).item(), np.random.random(), random.random()

    def start() -> None:
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)

    start()
    wanted = [draw(), draw()]
    start()
    assert draw() == wanted[0]
    inside = []
    for _ in range(2):
        with keep_dice():
            inside.append(draw())
    with pytest.raises(ZeroDivisionError), keep_dice():
        draw()
        raise ZeroDivisionError
    assert inside[0] == inside[1] != wanted[1]
    assert draw() == wanted[1]


def test_a_check_guards_the_dice_and_its_own_values() -> None:
    def check(answer: Callable[[], None]) -> str | None:
        torch.rand(3)
        return answer()

    sheet = Sheet(Exercise("task", check, ("", "", ""), lambda: None, ()))
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    assert sheet.check("task", lambda: random.seed(3) or np.random.seed(3)).status == "right"
    assert torch.equal(torch.rand(3), wanted)


KERNEL_CODE = """
from cnngen_course.exercises import report, start_here as exercise
report.MOST_SECONDS = 1
def loop(height, width, channels):
    print("begun", flush=True)
    while True: pass
def leave(height, width, channels):
    exit()
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel()
    client.execute_interactive(KERNEL_CODE, timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, code: str, on_text: Callable[[], object] = lambda: None) -> str:
    """Return what a cell prints and shows; ``on_text`` is called when the first words are printed."""
    told: list[str] = []

    def listen(message: dict[str, dict[str, object]]) -> None:
        content = message["content"]
        if "text" in content:
            told.append(str(content["text"]))
            on_text()
        told.append(str(content.get("data", "")))
        told.append(str(content.get("ename", "")))

    client.execute_interactive(code, timeout=60, output_hook=listen)
    return " ".join(told)


def test_a_kernel_survives_an_endless_answer(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    _, client = kernel
    assert "took too long" in run(client, 'exercise.check("count", loop)')


def test_a_kernel_survives_an_interruption(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    manager, client = kernel
    told = run(client, 'report.MOST_SECONDS = 50; exercise.check("count", loop)', on_text=manager.interrupt_kernel)
    assert "you stopped the check" in told
    assert "KeyboardInterrupt" not in told


def test_a_kernel_survives_exit(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    manager, client = kernel
    assert "use return" in run(client, 'exercise.check("count", leave)')
    assert "ask_exit" not in run(client, "print('ask_exit' in vars(get_ipython()) or 'alive')")
    assert manager.is_alive()
