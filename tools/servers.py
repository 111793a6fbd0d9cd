"""Servers that a test or a bench starts on this computer: a free port, waiting until one answers, stopping it."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil


class ServerError(RuntimeError):
    """A server did not start; the message says why, in its own words."""


def find_ports(count: int = 1) -> list[int]:
    """Return ports of this computer that nobody uses."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def serve(
    command: Sequence[object], page: str, log: Path, seconds: float = 120, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """Run a server until the block ends; the block begins when a page of it answers.

    Args:
        command: as for ``subprocess``; it runs in the log's folder.
        page: of the server; one that costs it little.
        log: file for what it prints.
        seconds: to wait for it.
        variables: of its environment, beside those of this process.

    Raises:
        ServerError: it ended, or did not answer in time.
    """
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=log.parent,
            env=os.environ | (variables or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_up(process, page, log, seconds)
        yield process
    finally:
        stop(process)


def wait_until_up(process: subprocess.Popen, page: str, log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not answers(page):
        said = log.read_text(encoding="utf-8")[-3000:]
        if process.poll() is not None:
            raise ServerError(f"the server ended: {said}")
        if time.monotonic() > end:
            raise ServerError(f"the server did not answer within {seconds:.0f} s: {said}")
        time.sleep(0.1)


def answers(page: str) -> bool:
    """Return whether a server has that page."""
    try:
        urllib.request.urlopen(page, timeout=5).close()
    except OSError:  # nobody is there, or does not have it yet
        return False
    return True


def stop(process: subprocess.Popen) -> None:
    """Stop a server; what it started ends with it, or is ended."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    left = psutil.wait_procs(family, timeout=10)[1]
    for one in left:
        one.kill()
    psutil.wait_procs(left, timeout=10)
