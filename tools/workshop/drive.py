"""A workshop in the small: a real hub on this machine, and simulated learners who log in and work.

``python3 course.py bench workshop`` measures what one learner needs and keeps it in ``measured.json``.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests
import websocket

from tools.workshop.names import make_safe

FOLDER = Path(__file__).resolve().parent
COURSE = FOLDER.parents[1]
MEASURED = FOLDER / "measured.json"
PASSWORD = "a-password-for-the-room"
# What a learner does in the first minute of lesson 00: a network of the course draws.
CODE = """
import torch
from cnngen_course.objectives.adversarial import sample_images
from cnngen_course.pretrained import load_pretrained
images = sample_images(load_pretrained("generator"), torch.arange(10))
print("drew", tuple(images.shape))
"""


@dataclass
class Learner:
    """What happened to one learner; seconds since they opened the page.

    Attributes:
        seconds: until "logged in", "server" (their JupyterLab answers) and "drawn" (their kernel has run the code).
        said: what the kernel printed.
        error: what went wrong, if anything did.
    """

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    said: str = ""
    error: str = ""


@dataclass
class Hub:
    """A running hub."""

    address: str
    process: subprocess.Popen
    log: Path


def find_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody uses."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def run_hub(folder: Path, timeout: float = 300) -> Iterator[Hub]:
    """Run the workshop's hub on free ports of this machine; at the end stop it and all that it started."""
    front, hub_port, proxy_port = find_ports(3)
    address, log = f"http://127.0.0.1:{front}", folder / "hub.log"
    settings = {
        "WORKSHOP_PASSWORD": PASSWORD,
        "WORKSHOP_FOLDER": str(folder / "learners"),
        "WORKSHOP_ADDRESS": address,
        "WORKSHOP_HUB_PORT": str(hub_port),
        "WORKSHOP_PROXY_PORT": str(proxy_port),
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(FOLDER / "jupyterhub_config.py")]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_up(process, f"{address}/hub/health", log, timeout)
        yield Hub(address, process, log)
    finally:
        stop(process)


def wait_until_up(process: subprocess.Popen, page: str, log: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the hub ended:\n{log.read_text(encoding='utf-8')[-3000:]}")
        try:
            if requests.get(page, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass  # not yet
        time.sleep(0.2)
    raise TimeoutError(f"the hub did not answer within {timeout:.0f} s:\n{log.read_text(encoding='utf-8')[-3000:]}")


def stop(process: subprocess.Popen) -> None:
    """End the hub, which ends the learners' servers; whatever is left after that is killed."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    if process.poll() is None:
        process.terminate()
    _, left = psutil.wait_procs(family, timeout=15)
    for one in left:
        one.kill()
    process.wait()


def work(hub: Hub, learner: Learner, timeout: float = 400) -> None:
    """Log in through the page, wait for the own server, and run the code in the own kernel."""
    start, session = time.monotonic(), requests.Session()

    def note(what: str) -> None:
        learner.seconds[what] = round(time.monotonic() - start, 1)

    try:
        log_in(hub, session, learner.name)
        note("logged in")
        open_server(hub, session, make_safe(learner.name), start + timeout)
        note("server")
        learner.said = run_code(hub, session, make_safe(learner.name), CODE, timeout)
        note("drawn")
    except Exception as error:  # in a thread: the caller looks at it
        learner.error = f"{type(error).__name__}: {error}"


def log_in(hub: Hub, session: requests.Session, name: str) -> None:
    page = session.get(f"{hub.address}/hub/login", timeout=120)
    token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
    form = {"username": name, "password": PASSWORD, "_xsrf": token}
    session.post(f"{hub.address}/hub/login?next=", data=form, timeout=300).raise_for_status()
    if not any(cookie.name == "jupyterhub-session-id" for cookie in session.cookies):
        raise RuntimeError("the hub did not let the learner in")


def open_server(hub: Hub, session: requests.Session, name: str, end: float) -> None:
    """Reload the page, as a browser does, until the learner's own JupyterLab answers."""
    while time.monotonic() < end:
        answer = session.get(f"{hub.address}/user/{name}/api/status", timeout=120)
        if answer.ok and "application/json" in answer.headers.get("content-type", ""):
            return
        session.get(f"{hub.address}/user/{name}/lab", timeout=120)
        time.sleep(0.3)
    raise TimeoutError("the learner's server did not answer")


def run_code(hub: Hub, session: requests.Session, name: str, code: str, timeout: float) -> str:
    """Start a kernel in the learner's server, run the code in it, and return what it printed."""
    here = f"/user/{name}/"
    cookies = [cookie for cookie in session.cookies if here.startswith(cookie.path)]
    token = next(cookie.value for cookie in cookies if cookie.name == "_xsrf" and cookie.path != "/hub/")
    page = f"{hub.address}{here}api/kernels"
    answer = session.post(page, json={"name": "python3"}, headers={"X-XSRFToken": token}, timeout=120)
    answer.raise_for_status()
    channel = websocket.create_connection(
        f"{page.replace('http', 'ws', 1)}/{answer.json()['id']}/channels",
        cookie="; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies),
        timeout=timeout,
    )
    message = make_request(code)
    channel.send(json.dumps(message))
    said = ""
    while True:
        reply = json.loads(channel.recv())
        if reply.get("parent_header", {}).get("msg_id") != message["header"]["msg_id"]:
            continue
        if reply["msg_type"] == "stream":
            said += reply["content"]["text"]
        if reply["msg_type"] == "execute_reply":
            channel.close()
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"the code failed: {reply['content'].get('evalue')}")
            return said.strip()


def make_request(code: str) -> dict:
    """Return the message with which a notebook asks its kernel to run a cell."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "learner", "version": "5.3"}
    header |= {"session": uuid.uuid4().hex, "date": ""}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "buffers": [],
        "content": content,
    }


def work_together(hub: Hub, count: int) -> list[Learner]:
    """Let that many learners begin in the same moment; return once all are done."""
    learners = [Learner(f"learner{index:02d}") for index in range(count)]
    threads = [threading.Thread(target=work, args=(hub, learner)) for learner in learners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return learners


def measure_memory(hub: Hub) -> dict[str, list[float]]:
    """Return the MB of every process by its part: "hub", "proxy", "server" and "kernel".

    Memory that processes share is counted once, in equal parts (PSS), where the system tells (Linux); else whole.
    """
    parts: dict[str, list[float]] = {}
    for process in [psutil.Process(hub.process.pid), *psutil.Process(hub.process.pid).children(recursive=True)]:
        words = " ".join(process.cmdline())
        kinds = {"ipykernel": "kernel", "singleuser": "server", "configurable-http-proxy": "proxy", "jupyterhub": "hub"}
        kind = next((kind for sign, kind in kinds.items() if sign in words), None)
        if kind:
            facts = process.memory_full_info()
            parts.setdefault(kind, []).append(round(getattr(facts, "pss", facts.rss) / 1e6, 1))
    return parts


def measure(folder: Path, count: int = 3) -> dict:
    """Run a workshop of so many learners; return the slowest one's seconds and the mean memory of each part in MB.

    Raises:
        RuntimeError: a learner could not work.
    """
    with run_hub(folder) as hub:
        learners = work_together(hub, count)
        memory = measure_memory(hub)
    if broken := [learner for learner in learners if learner.error]:
        raise RuntimeError(f"not everybody could work: {broken}")
    slowest = max(learners, key=lambda learner: learner.seconds["drawn"])
    means = {kind: round(sum(values) / len(values)) for kind, values in sorted(memory.items())}
    return {
        "learners": count,
        "cores": len(psutil.Process().cpu_affinity()),
        "seconds": slowest.seconds,
        "memory_mb": means,
    }


def load_measured() -> dict:
    """Return what ``python3 course.py bench workshop`` measured last."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))
