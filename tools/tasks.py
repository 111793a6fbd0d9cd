"""What ``python3 course.py TASK`` does. Only the standard library is used here, and ``.venv`` is set up first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from cnngen_course.platforms import PYTHONS
from tools.environment import ENVIRONMENT, LOCK, PYTHON, ROOT, SCRIPTS, find_uv, run, set_up
from tools.update import main as bring_up_to_date

COMPILE_LOCK = "--universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --all-extras"


def prepare(check: bool = False) -> None:
    """Set .venv up. Whatever ends this early, the same command heals it later."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends what was started, too
    try:
        set_up(check)
    except subprocess.CalledProcessError:
        print("The set-up stopped, for the reason above. Once that is mended (often: no network, or a full disk),")
        print("run the same command again.")
        raise
    except KeyboardInterrupt:
        print("\nStopped. The same command begins again.")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def setup(arguments: list[str]) -> None:
    prepare(check=True)
    print("Ready. Next: python3 course.py lab")


def update(arguments: list[str]) -> None:
    bring_up_to_date()
    run(sys.executable, "course.py", "setup")  # the new course.py sets its own environment up


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
    if arguments in ([], ["quick"]):
        lint([])
    run(PYTHON, "-m", "pytest", *(QUICK if arguments == ["quick"] else arguments))


def lint(arguments: list[str]) -> None:
    run(PYTHON, "-m", "ruff", "check", *arguments)
    run(PYTHON, "-m", "ruff", "format", "--check", *arguments)
    run(PYTHON, "-m", "codespell_lib", *arguments)
    run(PYTHON, "-m", "mypy")
    run(SCRIPTS / "lint-imports", "--no-logo", "--no-cache")


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


def claims(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.claims", *arguments)


def rebuild(arguments: list[str]) -> None:
    run(PYTHON, "-m", "data.build", *arguments)


def lock(arguments: list[str]) -> None:
    """Resolve pyproject.toml anew into requirements.lock (hashes) and constraints.txt (none)."""
    uv = find_uv()
    compile_lock = [uv, "pip", "compile", "--quiet", *COMPILE_LOCK.split(), *arguments, "pyproject.toml"]
    run(*compile_lock, "--generate-hashes", "-o", "requirements.lock")
    run(*compile_lock, "-o", "constraints.txt")
    check_platforms(uv)


# As uv names them; README.md names them, too.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def check_platforms(uv: str) -> None:
    """Stop if the lock cannot be installed on one of the platforms; nothing is installed."""
    for platform in PLATFORMS:
        for python in PYTHONS:
            version = ".".join(map(str, python))
            print(f"{platform}, Python {version} ...", flush=True)
            target = ["--python-platform", platform, "--python-version", version, "--target", ENVIRONMENT / "nothing"]
            command = [uv, "pip", "install", "--quiet", "--dry-run", "--require-hashes", *target, "-r", LOCK]
            run(*command, MACOSX_DEPLOYMENT_TARGET="14.0")


QUICK = ("-m", "not slow and not browser", "tests")

TASKS = {
    "setup": (setup, "set everything up, or look whether all is well and mend what is not"),
    "lab": (lab, "open JupyterLab at the first lesson"),
    "studio": (studio, "serve the studio of lesson 17; --no-browser without a screen"),
    "update": (update, "fetch the newest lessons; those that you changed are kept in notebooks/mine"),
    "test": (test, "check everything (or: test quick, two minutes; or: test PATH, as for pytest)"),
    "lint": (lint, "check style and spelling"),
    "fix": (fix, "mend what the style check can mend by itself"),
    "execute": (execute, "run notebooks top to bottom and store their outputs"),
    "heroes": (heroes, "make the pictures at the top of the lessons"),
    "pages": (pages, "bring README, glossary and CONTRIBUTING up to what lessons and modules say"),
    "bench": (bench, "measure speed and memory; write the minutes that lessons quote"),
    "claims": (claims, "run lessons over seeds and processors; what they say, the nearest to failing first"),
    "rebuild": (rebuild, "make data sets anew from the packages they came from"),
    "lock": (lock, "resolve the versions anew (--upgrade for the newest)"),
}

ALONE = ("setup", "update")  # tasks that look after .venv themselves


def main(help_text: str) -> None:
    name, *arguments = sys.argv[1:] or ["help"]
    if name not in TASKS:
        print(help_text)
        for task, (_, text) in TASKS.items():
            print(f"  {task:8} {text}")
        sys.exit(0 if name in ("help", "-h", "--help") else 2)
    try:
        if name not in ALONE:
            prepare()
        TASKS[name][0](arguments)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
