"""A server is waited for, told when it ends or is too slow, and leaves no process behind."""

import sys
from pathlib import Path

import psutil
import pytest

from tools.servers import ServerError, answers, find_ports, serve

CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'http.server', sys.argv[1], '-b', '127.0.0.1'])"


def test_ports_are_free_and_different() -> None:
    assert len(set(find_ports(5))) == 5


def test_a_server_answers_and_is_gone_afterwards_with_its_children(tmp_path: Path) -> None:
    (port,) = find_ports()
    page = f"http://127.0.0.1:{port}/log.txt"
    assert not answers(page)
    command = [sys.executable, "-c", CHILD, port]
    with serve(command, page, tmp_path / "log.txt", 60) as process:
        (child,) = psutil.Process(process.pid).children()
        assert answers(page) and not answers(f"{page}/nowhere")
    assert process.poll() is not None and not answers(page)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_ends_is_told_in_its_own_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no room left')"]
    with (
        pytest.raises(ServerError, match="ended: no room left"),
        serve(command, "http://127.0.0.1:9/", tmp_path / "log.txt", 60),
    ):
        pass


def test_a_server_that_never_answers_is_told_and_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    before = set(psutil.Process().children())
    with (
        pytest.raises(ServerError, match="within 0 s"),
        serve(command, "http://127.0.0.1:9/", tmp_path / "log.txt", 0.2),
    ):
        pass
    assert set(psutil.Process().children()) <= before
