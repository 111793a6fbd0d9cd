"""What ``python3 course.py TASK`` does. Only the standard library is used here, and ``.venv`` is set up first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from cnngen_course.platforms import PYTHONS
from tools.environment import (
    ENVIRONMENT,
    LOCK,
    MORE_LOCK,
    PYTHON,
    ROOT,
    SCRIPTS,
    SMALL_LOCK,
    explain,
    find_uv,
    read_blocks,
    run,
    set_up,
)
from tools.update import main as bring_up_to_date

COMPILE_LOCK = "--universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate"


PROXY = '$env:HTTPS_PROXY = "http://NAME:PORT"' if os.name == "nt" else "export HTTPS_PROXY=http://NAME:PORT"
STOPPED = f"""The set-up stopped, for the reason above. Once that is mended, run the same command again.
Often it is the network. If there is a proxy between you and the internet (of a school, a company), name it first:
    {PROXY}"""


def prepare(check: bool = False, small: bool | None = None, everything: bool = False) -> None:
    """Set .venv up. Whatever ends this early, the same command heals it later."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends what was started, too
    try:
        set_up(check, small, everything)
    except subprocess.CalledProcessError:
        print(STOPPED)
        raise
    except OSError as error:
        if reason := explain(error):
            sys.exit(reason)
        raise
    except KeyboardInterrupt:
        print("\nStopped. The same command begins again.")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def setup(arguments: list[str]) -> None:
    """Look at everything. ``--cpu`` or ``--cuda`` chooses the PyTorch; ``--all`` adds what authors need."""
    if set(arguments) - {"--all", "--cpu", "--cuda"} or {"--cpu", "--cuda"} <= set(arguments):
        sys.exit(f"setup knows --all, and --cpu or --cuda, not {' '.join(arguments)}")
    small = True if "--cpu" in arguments else False if "--cuda" in arguments else None
    prepare(check=True, small=small, everything="--all" in arguments)
    print("Ready. Next: python3 course.py lab")


def update(arguments: list[str]) -> None:
    bring_up_to_date()
    run(sys.executable, "course.py", "setup")  # the new course.py sets its own environment up
    run(sys.executable, "-m", "tools.desk")


FIRST = "00_start_here.ipynb"


def lab(arguments: list[str]) -> None:
    """Open JupyterLab at the learner's copy of the first lesson, or at the published one (``--published``).

    Without a screen it prints the address to open.
    """
    folder = "notebooks"
    if "--published" in arguments:
        arguments = [argument for argument in arguments if argument != "--published"]
    else:
        run(sys.executable, "-m", "tools.desk")
        if (ROOT / "desk" / FIRST).exists():
            folder = "desk"
        else:
            print("So the published lessons are opened: you can run them, but what you write may not be saved.")
            print("To keep it, copy the course into a folder of your own.")
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # containers, Colab
    # The folder that is served holds the pictures, too. The printed address opens the lesson.
    address = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{folder}/{FIRST}"]
    run(PYTHON, "-m", "jupyterlab", *address, *root, *arguments)


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


def moments(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.moments", *arguments, OMP_NUM_THREADS="2", CNNGEN_CLAIMS="strict")


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


def bundle(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.bundle", *arguments)


def versions(arguments: list[str]) -> None:
    run(PYTHON, "-m", "tools.versions", *arguments)


def lock(arguments: list[str]) -> None:
    """Resolve pyproject.toml anew: constraints.txt has all versions, the three locks have them with hashes."""
    uv = find_uv()
    resolve = [uv, "pip", "compile", "--quiet", *COMPILE_LOCK.split()]
    run(*resolve, "--all-extras", *arguments, "pyproject.toml", "-o", "constraints.txt")
    hashed = [*resolve, "--generate-hashes", "-c", "constraints.txt", "pyproject.toml", "-o"]
    run(*hashed, LOCK.name)
    run(*hashed, MORE_LOCK.name, "--all-extras")
    lessons, everything = read_blocks(LOCK), read_blocks(MORE_LOCK)
    more = "".join(block for line, block in everything.items() if line not in lessons)
    MORE_LOCK.write_text(more, encoding="utf-8")
    hashed_small = lock_small(uv, lessons)
    check_platforms(uv, hashed_small)


def lock_small(uv: str, lessons: dict[str, str]) -> bool:
    """Write the lock of the small PyTorch; return whether its host was reached, which alone knows the hashes."""
    torch, torchvision = (next(line for line in lessons if line.startswith(f"{name}==")) for name in PAIR)
    # On ARM, torchvision has no CUDA to be without: its version is the plain one there.
    small = f"{torch}+cpu\n{torchvision}+cpu ; platform_machine == 'x86_64'\n"
    small += f"{torchvision} ; platform_machine == 'aarch64'\n"
    resolve = [uv, "pip", "compile", "--quiet", *COMPILE_LOCK.split(), "--no-deps", "--torch-backend", "cpu"]
    try:
        run(*resolve, "--generate-hashes", "-", "-o", SMALL_LOCK.name, text=small)
    except subprocess.CalledProcessError:
        if not SMALL_LOCK.exists() or {*read_blocks(SMALL_LOCK)} != {*small.splitlines()}:
            SMALL_LOCK.write_text(small, encoding="utf-8")
            print(f"{SMALL_LOCK.name} has no hashes: their host is out of reach. Lock again where it is not.")
        return False
    return True


PAIR = ("torch", "torchvision")
# As uv names them; README.md names them, too.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def check_platforms(uv: str, small: bool) -> None:
    """Stop if a lock cannot be installed on one of the platforms; nothing is installed. ``small``: also that one."""
    whole = ["--require-hashes", "-r", LOCK]
    for platform in PLATFORMS:
        for python in PYTHONS:
            version = ".".join(map(str, python))
            target = ["--python-platform", platform, "--python-version", version, "--target", ENVIRONMENT / "nothing"]
            trials = {"lessons": whole, "everything": [*whole, "-r", MORE_LOCK]}
            if small and "linux" in platform:
                trials["without CUDA"] = ["--torch-backend", "cpu", "--no-deps", "-r", SMALL_LOCK]
            for name, locks in trials.items():
                print(f"{platform}, Python {version}, {name} ...", flush=True)
                command = [uv, "pip", "install", "--quiet", "--dry-run", *target, *locks]
                run(*command, MACOSX_DEPLOYMENT_TARGET="14.0")


QUICK = ("-m", "not slow and not browser", "tests")

TASKS = {
    "setup": (setup, "set up, or look and mend; --cpu or --cuda: which PyTorch; --all: what tests need, too"),
    "lab": (lab, "open JupyterLab at your copies of the lessons (--published: at the lessons themselves)"),
    "studio": (studio, "serve the studio of lesson 17; --no-browser without a screen"),
    "update": (update, "fetch the newest lessons, and merge them with what you wrote at your desk"),
    "test": (test, "check everything (or: test quick, two minutes; or: test PATH, as for pytest)"),
    "lint": (lint, "check style and spelling"),
    "fix": (fix, "mend what the style check can mend by itself"),
    "execute": (execute, "run notebooks top to bottom and store their outputs"),
    "moments": (moments, "run lessons and store what their trainings leave, for lesson.catch_up and lesson.hurry"),
    "heroes": (heroes, "make the pictures at the top of the lessons"),
    "pages": (pages, "bring README, ELSEWHERE, glossary and CONTRIBUTING up to what lessons and modules say"),
    "bench": (bench, "measure speed and memory; write the minutes that lessons quote"),
    "claims": (claims, "run lessons over seeds and processors; what they say, the nearest to failing first"),
    "rebuild": (rebuild, "make data sets anew from the packages they came from"),
    "bundle": (bundle, "put everything into one file, for machines without a network"),
    "versions": (versions, "the quick tests with the oldest and the newest packages, and with Colab's"),
    "lock": (lock, "resolve the versions anew (--upgrade for the newest)"),
}

ALONE = ("setup", "update")  # tasks that look after .venv themselves
LEARNERS = ("lab", "studio")  # the others need what the extras of pyproject.toml name


def main(help_text: str) -> None:
    sys.stdout.reconfigure(errors="backslashreplace")  # a folder's name may hold what the terminal cannot show
    name, *arguments = sys.argv[1:] or ["help"]
    if name not in TASKS:
        print(help_text)
        for task, (_, text) in TASKS.items():
            print(f"  {task:8} {text}")
        sys.exit(0 if name in ("help", "-h", "--help") else 2)
    try:
        if name not in ALONE:
            prepare(everything=name not in LEARNERS)
        TASKS[name][0](arguments)
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
