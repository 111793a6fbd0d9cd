"""A workshop on one server: JupyterHub gives every learner an own JupyterLab, an own folder and an own kernel.

Start it from the repository (see README.md beside this file):

    WORKSHOP_PASSWORD=... .venv/bin/jupyterhub -f tools/workshop/jupyterhub_config.py

All learners share one password and the server's account: this is for a room of people who trust one another, not for
the open internet.
"""

import os
import shutil
import sys
from pathlib import Path

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from traitlets.config import Config, get_config

from cnngen_course.paths import read_json
from tools import desk
from tools.workshop.names import make_safe

COURSE = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("WORKSHOP_FOLDER", COURSE.parent / "workshop")).resolve()
MINE = COURSE / "notebooks" / "mine"  # the teacher's own answers
BESIDE_PYTHON = Path(sys.executable).parent  # where this environment's programs lie


class RoomAuthenticator(SharedPasswordAuthenticator):
    """Any name, one password; e-mail addresses and names in any script are good."""

    def normalize_username(self, username: str) -> str:
        return make_safe(username)


def lay_out_lessons(spawner: object) -> None:
    """Give a learner a copy of the lessons, without outputs; what is already there stays as they left it."""
    home = FOLDER / spawner.user.name
    for source in sorted((COURSE / "notebooks").rglob("*")):
        copy = home / source.relative_to(COURSE / "notebooks")
        if source.is_file() and MINE not in source.parents and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".ipynb":
                copy.write_bytes(desk.encode(desk.clear(read_json(source))))
            else:
                shutil.copyfile(source, copy)


def find_desk(spawner: object) -> str:
    """Return where a learner's progress is kept: the course's own folder is everybody's."""
    return str(FOLDER / spawner.user.name)


def configure(c: Config) -> None:
    if not os.environ.get("WORKSHOP_PASSWORD"):
        sys.exit("Set WORKSHOP_PASSWORD (8 characters or more): every learner logs in with it and a name of their own.")
    FOLDER.mkdir(parents=True, exist_ok=True)

    # Where the learners' browsers go. Behind it, everything talks on this machine only.
    c.JupyterHub.bind_url = os.environ.get("WORKSHOP_ADDRESS", "http://127.0.0.1:8000")
    c.JupyterHub.hub_ip = "127.0.0.1"
    c.JupyterHub.hub_port = int(os.environ.get("WORKSHOP_HUB_PORT", 8081))
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ.get('WORKSHOP_PROXY_PORT', 8001)}"
    c.ConfigurableHTTPProxy.command = [str(BESIDE_PYTHON / "configurable-http-proxy")]
    c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
    c.ConfigurableHTTPProxy.auth_token = os.urandom(32).hex()
    c.JupyterHub.db_url = "sqlite://"  # in memory: a workshop begins anew, the learners' folders stay
    c.JupyterHub.cookie_secret = os.urandom(32)

    # Any name, one password. For names that are checked, put another authenticator here.
    c.JupyterHub.authenticator_class = RoomAuthenticator
    c.SharedPasswordAuthenticator.user_password = os.environ["WORKSHOP_PASSWORD"]
    c.Authenticator.allow_all = True

    # A process for each learner, under the server's own account, in a folder of their name.
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "{username}")
    c.Spawner.cmd = [str(BESIDE_PYTHON / "jupyterhub-singleuser")]
    c.Spawner.args = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
    c.Spawner.pre_spawn_hook = lay_out_lessons
    # One thread a kernel: more threads than cores make every training of the room slower.
    c.Spawner.environment = {"OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1", "CNNGEN_DESK": find_desk}
    if "PYTHONPATH" in os.environ:
        c.Spawner.environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # a whole room that starts at once needs its time


configure(get_config())
