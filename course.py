#!/usr/bin/env python3
"""The course's tasks. Two of them are all a learner needs:

    python3 course.py lab     set everything up, then open JupyterLab at the first lesson
    python3 course.py test    set everything up, then check everything, as CI does

Only the standard library is used here: this file must run before anything is installed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
READY = ENVIRONMENT / ".ready"
COMPILE_LOCK = "--universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --all-extras"


def run(*command: object, **variables: str) -> None:
    """Run one command in the repository with the course's environment; stop the task if it fails."""
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT), **variables}
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, env=environment)


def find_uv() -> str:
    return shutil.which("uv") or shutil.which("uv", path=str(SCRIPTS)) or install_uv()


def install_uv() -> str:
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    return str(SCRIPTS / "uv")


def make_environment() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (the message is for those who have an older one)
        sys.exit(f"The course needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu ship venv without it)
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            "This Python comes without its venv module. "
            f"On Debian or Ubuntu: sudo apt install python{version}-venv, then run this again."
        )
    venv.create(ENVIRONMENT, with_pip=True)


def set_up() -> None:
    """Make .venv from the lock, once; a changed lock or pyproject.toml brings it up to date."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if READY.exists() and READY.read_text(encoding="utf-8") == wanted:
        return
    if not PYTHON.exists():
        make_environment()
    print("Setting up the course in .venv (some minutes the first time: PyTorch is large) ...", flush=True)
    uv = find_uv()
    run(uv, "pip", "install", "--python", PYTHON, "--require-hashes", "-r", LOCK)
    run(uv, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "-e", ROOT)
    ask_for_no_news()
    READY.write_text(wanted, encoding="utf-8")


def ask_for_no_news() -> None:
    """Keep JupyterLab from asking, at its first start, whether it may fetch news: the course works offline."""
    settings = ENVIRONMENT / "etc" / "jupyter" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    settings.write_text(json.dumps(news), encoding="utf-8")


def lab(arguments: list[str]) -> None:
    """Open JupyterLab at the first lesson; without a screen it prints the address to open."""
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # containers, Colab
    first = "00_start_here.ipynb"
    address = f"--LabApp.default_url=/lab/tree/{first}"  # the printed address opens the lesson, too
    run(PYTHON, "-m", "jupyterlab", f"notebooks/{first}", address, *root, *arguments)


STUDIO = ROOT / "notebooks" / "app"


def studio(arguments: list[str]) -> None:
    """Serve the studio to this computer alone; ``--ratings FILE`` says where stars go, the rest is for Voila."""
    # Voila's settings are in STUDIO/voila.json. One thread a visitor: many share the cores.
    variables = {"JUPYTER_CONFIG_PATH": str(STUDIO), "OMP_NUM_THREADS": "1"}
    if "--ratings" in arguments:
        place = arguments.index("--ratings")
        if place + 1 == len(arguments):
            sys.exit("--ratings needs the name of a file.")
        variables["CNNGEN_RATINGS"] = str(Path(arguments[place + 1]).resolve())
        arguments = arguments[:place] + arguments[place + 2 :]
    run(PYTHON, "-m", "voila", STUDIO / "studio.ipynb", *arguments, **variables)


def test(arguments: list[str]) -> None:
    """Everything that CI runs: style, spelling, the package's tests, every notebook, every explorer."""
    if not arguments:
        lint([])
    run(PYTHON, "-m", "pytest", *arguments)


def lint(arguments: list[str]) -> None:
    run(PYTHON, "-m", "ruff", "check", *arguments)
    run(PYTHON, "-m", "ruff", "format", "--check", *arguments)
    run(PYTHON, "-m", "codespell_lib", *arguments)


def fix(arguments: list[str]) -> None:
    run(PYTHON, "-m", "ruff", "check", "--fix", *arguments)
    run(PYTHON, "-m", "ruff", "format", *arguments)


def execute(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.execute", *arguments)


def heroes(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.heroes", *arguments)


def pages(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.pages", *arguments)


def bench(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.bench", *arguments)


def rebuild(arguments: list[str]) -> None:
    run(PYTHON, "-m", "data.build", *arguments)


def lock(arguments: list[str]) -> None:
    """Resolve pyproject.toml anew into requirements.lock (hashes) and constraints.txt (none)."""
    compile_lock = [find_uv(), "pip", "compile", "--quiet", *COMPILE_LOCK.split(), *arguments, "pyproject.toml"]
    run(*compile_lock, "--generate-hashes", "-o", "requirements.lock")
    run(*compile_lock, "-o", "constraints.txt")


TASKS = {
    "setup": (lambda _: print("Ready. Next: python3 course.py lab"), "only set everything up"),
    "lab": (lab, "open JupyterLab at the first lesson"),
    "studio": (studio, "serve the studio of lesson 17; --no-browser without a screen"),
    "test": (test, "check everything (or: test PATH, as for pytest)"),
    "lint": (lint, "check style and spelling"),
    "fix": (fix, "mend what the style check can mend by itself"),
    "execute": (execute, "run notebooks top to bottom and store their outputs"),
    "heroes": (heroes, "make the pictures at the top of the lessons"),
    "pages": (pages, "bring the README's table and the glossary up to what the lessons say"),
    "bench": (bench, "measure speed and memory; write the minutes that lessons quote"),
    "rebuild": (rebuild, "make data sets anew from the packages they came from"),
    "lock": (lock, "resolve the versions anew (--upgrade for the newest)"),
}


def main() -> None:
    name, *arguments = sys.argv[1:] or ["help"]
    if name not in TASKS:
        print(__doc__)
        for task, (_, text) in TASKS.items():
            print(f"  {task:8} {text}")
        sys.exit(0 if name in ("help", "-h", "--help") else 2)
    try:
        set_up()
        TASKS[name][0](arguments)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
