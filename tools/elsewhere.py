"""The course on Colab and Kaggle: a lesson's first cell there fetches the course, then runs this file.

It adds the packages that are missing and changes none that is there: the platform's own PyTorch stays, and what is
imported already needs no new start. ELSEWHERE.md shows the cell.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "pyproject.toml"
CELL = """![ -d cnngen-course ] || git clone --quiet --depth 1 {address} cnngen-course
%run cnngen-course/tools/elsewhere.py
"""
HOSTED = ("ipykernel", "ipywidgets", "jupyterlab", "nbformat", "voila")  # the platform brings its own Jupyter


def read_address() -> str:
    """Return where the course can be cloned from."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def make_cell() -> str:
    """Return the first cell of a lesson on Colab or Kaggle."""
    return CELL.format(address=read_address())


def list_needs() -> list[str]:
    """Return what lessons import, with the lowest version of each, e.g. "torch>=2.8"."""
    needs = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [need for need in needs if re.match(r"[\w.-]+", need)[0] not in HOSTED]


def list_installed() -> list[str]:
    """Return every package that is here with its version, e.g. "torch==2.11.0+cu128".

    Of one that is here twice, the system's and the platform's own, the first counts, as it does for ``import``: pip
    finds no version that fits to both.
    """
    found: dict[str, str] = {}
    for package in distributions():  # in the order in which Python looks for them
        if package.name:
            found.setdefault(re.sub(r"[-_.]+", "-", package.name).lower(), f"{package.name}=={package.version}")
    return sorted(found.values())


def install() -> None:
    """Install what is missing; stop with pip's words if that would change a package that is here."""
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held.txt"
        held.write_text("\n".join(list_installed()), encoding="utf-8")
        command = [*pip, "--constraint", str(held), *list_needs()]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        answer = subprocess.run(command, encoding="utf-8", errors="replace", **output)
    if answer.returncode:
        sys.exit(f"The course's packages do not fit to those of this machine:\n{answer.stdout.strip()[-2000:]}")
    importlib.invalidate_caches()


def connect() -> None:
    """Make the course importable here, and in the processes that a lesson starts."""
    sys.path.insert(0, str(ROOT))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def switch_widgets_on() -> None:
    """Ask Colab to show widgets that are not ipywidgets' own: the explorers hold some."""
    if "google.colab" in sys.modules:
        importlib.import_module("google.colab.output").enable_custom_widget_manager()


def main() -> None:
    connect()
    from cnngen_course.platforms import find_platform_trouble

    if trouble := find_platform_trouble():
        sys.exit(trouble)
    install()
    switch_widgets_on()
    print("Ready. Run the lesson's cells from the top.")


if __name__ == "__main__":
    main()
