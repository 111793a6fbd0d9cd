"""The guard that keeps tests offline is itself tested: it must bite, in a process and in a notebook's kernel."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

pytestmark = pytest.mark.slow

PROBE = "import urllib.request; urllib.request.urlopen('http://example.org', timeout=5)"


def test_a_process_cannot_reach_the_network() -> None:
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, encoding="utf-8")
    assert probe.returncode != 0
    assert "the network is blocked during tests" in probe.stderr


def test_a_numeric_address_is_refused_too() -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    assert (
        "NetworkBlocked" in subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8").stderr
    )


def test_a_notebook_cannot_reach_the_network() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROBE)])
    with pytest.raises(CellExecutionError, match="the network is blocked during tests"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
