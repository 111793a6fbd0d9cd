"""What keeps a learner's answer from doing harm: its time is limited, random numbers stay, no kernel ends."""

import ctypes
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from IPython.core.getipython import get_ipython

AGAIN = 0.1  # seconds until the next try, should an answer's own ``except`` have swallowed the first one


class TimeUp(BaseException):
    """A block ran for longer than ``limit_time`` allows. ``except Exception`` lets it pass."""


def limit_time(seconds: float) -> AbstractContextManager[None]:
    """Return a context in which ``TimeUp`` is raised after ``seconds``, and again until the block ends.

    A block may lie in another one; the time of the outer one stands still meanwhile, if it is an alarm.
    In the main thread of Linux and macOS it is an alarm, which also wakes a sleeping call. On Windows and in other
    threads a second thread throws the exception; it arrives as soon as the next Python instruction runs.
    Not limited is a loop that sleeps or waits inside ``try`` and swallows everything (``except: pass``): each exception
    meets it there. The learner's stop button ends that one no better; restarting the kernel does.
    """
    is_main = threading.current_thread() is threading.main_thread()
    return _ring(seconds) if is_main and hasattr(signal, "setitimer") else _throw(seconds)


@contextmanager
def _ring(seconds: float) -> Iterator[None]:
    over = False

    def ring(*_: object) -> None:
        if not over:
            raise TimeUp

    outer = signal.setitimer(signal.ITIMER_REAL, 0)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
            yield
        finally:
            over = True  # an alarm that is on its way already must not hit what follows
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)


@contextmanager
def _throw(seconds: float) -> Iterator[None]:
    target = ctypes.c_ulong(threading.get_ident())
    starting, running = threading.Lock(), threading.Lock()
    throw: Callable[[ctypes.c_ulong, object], int] = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        starting.acquire()
        wait = seconds
        while not running.acquire(timeout=wait):
            throw(target, ctypes.py_object(TimeUp))
            wait = AGAIN

    starting.acquire()
    running.acquire()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        try:
            starting.release()  # only now does its time begin: nothing may be thrown into the lines above
            yield
        finally:
            running.release()  # a single instruction: what is thrown falls before it or after it
    finally:
        if running.locked():  # before it; or the watcher holds it already, and is done
            running.release()
        watcher.join()
        throw(target, None)  # takes back what was thrown and has not arrived


@contextmanager
def keep_dice() -> Iterator[None]:
    """Seed the random numbers of PyTorch, NumPy and Python for the block; after it they go on as without it."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    before = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(before[0])
            random.setstate(before[1])


@contextmanager
def keep_kernel() -> Iterator[None]:
    """Let ``exit()`` and ``quit()``, which in a notebook end the kernel without an exception, raise SystemExit."""
    shell: Any = get_ipython()
    if shell is None:
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit
