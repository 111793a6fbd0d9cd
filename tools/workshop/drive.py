"""A workshop in the small: a real hub on this machine, and simulated learners who log in and work.

``python3 course.py bench workshop`` measures what one learner needs and keeps it in ``measured.json``.
"""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests
import websocket
from jupyter_client.session import Session

from tools.servers import find_ports, serve
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


EXECUTE = {"silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}


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
    with serve(command, f"{address}/hub/health", log, timeout, settings) as process:
        yield Hub(address, process, log)


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
    message = Session(username="learner").msg("execute_request", EXECUTE | {"code": code})
    channel.send(json.dumps(message | {"channel": "shell", "buffers": []}, default=str))  # the date as text
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
