"""The studio served on loopback, and visitors without a browser who open it, move a control and wait for the picture.

Used by ``course.py bench studio`` and by the tests.
"""

import json
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import psutil
import websocket

from tools.tasks import STUDIO

ROOT = Path(__file__).resolve().parents[1]
KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f-]+)"')
CONTROL = "jupyter.widget.control"
PROTOCOL = "v1.kernel.websocket.jupyter.org"  # what browsers speak; at anything older, Voila 0.5.13 hangs


class StudioError(RuntimeError):
    """The studio did not start, or did not answer; the message says which."""


@contextmanager
def serve_studio(ratings: Path, log: Path, seconds: float = 120) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the studio on a free port of this computer; gives its address and its process, and stops it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "voila", STUDIO / "studio.ipynb", "--no-browser", f"--port={port}"]
    variables = {"JUPYTER_CONFIG_PATH": str(STUDIO), "OMP_NUM_THREADS": "1", "CNNGEN_RATINGS": str(ratings)}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=os.environ | variables
        )
    try:
        wait_until_up(process, port, log, seconds)
        yield f"http://127.0.0.1:{port}/", psutil.Process(process.pid)
    finally:
        stop(process)


def wait_until_up(process: subprocess.Popen, port: int, log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise StudioError(f"the studio stopped: {log.read_text(encoding='utf-8')[-1500:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise StudioError(f"the studio did not start within {seconds:.0f} s: {log.read_text(encoding='utf-8')[-1500:]}")


def stop(process: subprocess.Popen) -> None:
    """Stop the server; its kernels end with it, and those that don't are ended."""
    kernels = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for kernel in psutil.wait_procs(kernels, timeout=5)[1]:
        kernel.kill()


def read_message(frame: bytes) -> dict[str, Any]:
    """Return a message of Jupyter's websocket, with the bytes of pictures as ``buffers``.

    A frame holds the number of its parts, where each begins, and the parts: channel, four of JSON, then the bytes.
    """
    (count,) = struct.unpack_from("<Q", frame)
    starts = struct.unpack_from(f"<{count}Q", frame, 8)
    _channel, *parts = (frame[start:end] for start, end in pairwise(starts))
    header, parent_header, _metadata, content = map(json.loads, parts[:4])
    return {"header": header, "parent_header": parent_header, "content": content, "buffers": parts[4:]}


def write_message(channel: str, *parts: dict[str, Any]) -> bytes:
    """Return a frame without further bytes; the opposite of ``read_message``."""
    pieces = [channel.encode(), *(json.dumps(part).encode() for part in parts)]
    starts = list(accumulate(map(len, pieces), initial=8 * (len(pieces) + 2)))
    return struct.pack(f"<{len(starts) + 1}Q", len(starts), *starts) + b"".join(pieces)


class Visitor:
    """Opens the studio like a browser would, as far as the studio can tell.

    Attributes:
        seconds: from asking for the page until its controls are known.
        models: state of each control by its id.
    """

    def __init__(self, address: str, patience: float = 300) -> None:
        start = time.perf_counter()
        with urllib.request.urlopen(address, timeout=patience) as answer:
            page = answer.read().decode()
        found = KERNEL.search(page)
        if not found:
            raise StudioError(f"the page names no kernel: {page[-500:]}")
        self.page, self.session = page, uuid.uuid4().hex
        self.end = f"{address}voila/api/shutdown/{found[1]}"
        place = address.replace("http", "ws", 1) + f"api/kernels/{found[1]}/channels?session_id={self.session}"
        self.socket = websocket.create_connection(place, timeout=patience, subprotocols=[PROTOCOL])
        self.models = self.ask_for_models()
        self.seconds = time.perf_counter() - start

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", **metadata: Any) -> str:
        """Send a message; return its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.session, "username": "visitor"}
        header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
        self.socket.send_binary(write_message(channel, header, {}, metadata, content))
        return header["msg_id"]

    def wait_for(self, wanted: Any, seconds: float = 180) -> dict[str, Any]:
        """Return the first message for which ``wanted`` is true; follow the states of the controls meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                message = read_message(self.socket.recv())
            except websocket.WebSocketTimeoutException:
                break
            except (websocket.WebSocketConnectionClosedException, ConnectionError):
                raise StudioError("the studio closed the connection") from None
            data = message["content"].get("data", {})
            if message["header"]["msg_type"] == "comm_msg" and data.get("method") == "update":
                self.models.setdefault(message["content"]["comm_id"], {}).update(data["state"])
            if message["header"]["msg_type"] == "comm_open" and "state" in data:
                self.models[message["content"]["comm_id"]] = data["state"]
            if wanted(message):
                return message
        raise StudioError(f"no answer within {seconds:.0f} s")

    def ask_for_models(self) -> dict[str, dict[str, Any]]:
        self.models: dict[str, dict[str, Any]] = {}
        comm = uuid.uuid4().hex
        self.send("comm_open", {"comm_id": comm, "target_name": CONTROL, "data": {}}, version="1.0.0")
        self.send("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        answer = self.wait_for(lambda message: message["content"].get("data", {}).get("method") == "update_states")
        return {name: model["state"] for name, model in answer["content"]["data"]["states"].items()}

    def find(self, **wanted: Any) -> str:
        """Return the id of the first control whose state has all the wanted values."""
        for name, state in self.models.items():
            if all(state.get(key) == value for key, value in wanted.items()):
                return name
        raise StudioError(f"the studio shows nothing with {wanted}")

    def move(self, description: str, value: Any) -> float:
        """Move a control to a value; return the seconds until a new picture is here."""
        start = time.perf_counter()
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        self.send("comm_msg", {"comm_id": self.find(description=description), "data": data})
        self.wait_for(lambda message: message["header"]["msg_type"] == "comm_msg" and message["buffers"])
        return time.perf_counter() - start

    def click(self, description: str) -> None:
        """Press a button, and wait until the studio has nothing more to do."""
        data = {"method": "custom", "content": {"event": "click"}}
        self.wait_until_done(self.send("comm_msg", {"comm_id": self.find(description=description), "data": data}))

    def wait_until_done(self, sent: str) -> None:
        self.wait_for(
            lambda message: (
                message["header"]["msg_type"] == "status"
                and message["content"]["execution_state"] == "idle"
                and message["parent_header"].get("msg_id") == sent
            )
        )

    def close(self) -> None:
        """Leave as a browser does: the kernel is told, and its memory is free again."""
        self.socket.close()
        same = {"Cookie": f"_xsrf={self.session}", "X-XSRFToken": self.session}  # one secret twice: no other page could
        urllib.request.urlopen(urllib.request.Request(self.end, b"", same), timeout=60).close()


@dataclass(frozen=True)
class Load:
    """What a number of visitors at once met.

    Attributes:
        starts: seconds until the controls were there, one a visitor.
        moves: seconds from a moved control to the new picture, all visitors together.
        kernel_gb: memory that each kernel holds for itself alone.
    """

    starts: list[float]
    moves: list[float]
    kernel_gb: list[float]

    @property
    def start(self) -> float:
        return statistics.median(self.starts)

    @property
    def move(self) -> float:
        return statistics.median(self.moves)

    @property
    def slow_move(self) -> float:
        """Nine of ten moves are quicker than this."""
        return sorted(self.moves)[int(0.9 * (len(self.moves) - 1))]


def walk(visitor: Visitor, steps: int) -> list[float]:
    """Move the slider of the first tab, which has places from 0 to 8, so many times; return the seconds of each."""
    return [visitor.move("step", 1 + step % 8) for step in range(steps)]


def visit_together(address: str, server: psutil.Process, count: int, moves: int = 12) -> Load:
    """Let ``count`` visitors come at the same moment and each walk ``moves`` steps, all at once."""
    with ThreadPoolExecutor(count) as pool:
        visitors = list(pool.map(lambda _: Visitor(address), range(count)))
        walks = pool.map(lambda visitor: walk(visitor, moves), visitors)
        times = [seconds for steps in walks for seconds in steps[1:]]  # the first move loads what only moves need
    memory = [process.memory_full_info().uss / 1e9 for process in server.children(recursive=True)]
    for visitor in visitors:
        visitor.close()
    return Load([visitor.seconds for visitor in visitors], times, memory)
