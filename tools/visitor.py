"""The studio served on loopback, and visitors without a browser who open it, move a control and wait for the picture.

Used by ``course.py bench studio`` and by the tests.
"""

import json
import re
import statistics
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import websocket
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1

from tools.servers import find_ports, serve
from tools.tasks import STUDIO

KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f-]+)"')
CONTROL = "jupyter.widget.control"
PROTOCOL = "v1.kernel.websocket.jupyter.org"  # what browsers speak; at anything older, Voila 0.5.13 hangs


class StudioError(RuntimeError):
    """The studio did not answer as expected; the message says how."""


@contextmanager
def serve_studio(ratings: Path, log: Path, seconds: float = 120) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the studio on a free port of this computer; gives its address and its process, and stops it afterwards."""
    (port,) = find_ports()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "voila", STUDIO / "studio.ipynb", "--no-browser", f"--port={port}"]
    variables = {"JUPYTER_CONFIG_PATH": str(STUDIO), "OMP_NUM_THREADS": "1", "CNNGEN_RATINGS": str(ratings)}
    icon = f"{address}voila/static/favicon.ico"  # the studio's own page would start a kernel
    with serve(command, icon, log, seconds, variables) as process:
        yield address, psutil.Process(process.pid)


def read_message(frame: bytes) -> dict[str, Any]:
    """Return a message of Jupyter's websocket, with the bytes of pictures as ``buffers``."""
    _channel, parts = deserialize_msg_from_ws_v1(frame)
    header, parent_header, _metadata, content = map(json.loads, parts[:4])
    return {"header": header, "parent_header": parent_header, "content": content, "buffers": parts[4:]}


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
        self.page, self.session = page, Session(username="visitor")
        self.end = f"{address}voila/api/shutdown/{found[1]}"
        place = address.replace("http", "ws", 1) + f"api/kernels/{found[1]}/channels?session_id={self.session.session}"
        self.socket = websocket.create_connection(place, timeout=patience, subprotocols=[PROTOCOL])
        self.models = self.ask_for_models()
        self.seconds = time.perf_counter() - start

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", **metadata: Any) -> str:
        """Send a message; return its id."""
        message = self.session.msg(kind, content, metadata=metadata)
        self.socket.send_binary(serialize_msg_to_ws_v1(message, channel, self.session.pack))
        return message["msg_id"]

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
        secret = self.session.session
        same = {"Cookie": f"_xsrf={secret}", "X-XSRFToken": secret}  # one secret twice: no other page could
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
