"""``python3 course.py versions [oldest|newest|colab ...]``: the quick tests with other packages than the lock's.

- ``oldest``: of every package the lowest version that pyproject.toml allows;
- ``newest``: of every package the newest one there is;
- ``colab``: what Colab has (tools/colab.txt), and what a lesson's first cell adds there (tools/elsewhere.py).

Each gets an environment of its own in ``_build/versions``, some GB large, which is removed when its tests have passed.
``--resolve`` only asks whether the versions fit together, and downloads nothing large.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.elsewhere import HOSTED, list_needs
from tools.environment import PROJECT, ROOT, find_uv, say

COLAB = ROOT / "tools" / "colab.txt"
PLACE = ROOT / "_build" / "versions"
QUICK = (*"-q -n 0 -p no:cacheprovider -W default".split(), "-m", "not slow and not browser", "tests")
SHOWN = ("torch", "torchvision", "numpy", "ipywidgets", "anywidget")
CLOSING = re.compile(r"^(?:=+ )?(\d+ (?:passed|failed).*?)(?: in [\d.]+s.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """One set of packages on one Python.

    Attributes:
        needs: lines of requirements.
        options: uv's.
        left_out: tests that ask for what the set does not have.
    """

    kind: str
    python: str
    needs: tuple[str, ...]
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return PLACE / f"{self.kind}-{self.python}"

    @property
    def text(self) -> str:
        """The needs as a file of requirements."""
        return "\n".join(self.needs)


def read_tests() -> list[str]:
    """Return what the tests need besides the course's own packages."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]["test"]


def list_trials() -> list[Trial]:
    """Return the trials; the oldest packages were made before the newest Python was."""
    here = ("-e .[test]",)
    held = set(re.findall(r"^([\w-]+)==", COLAB.read_text(encoding="utf-8"), re.MULTILINE))
    tests = [need for need in read_tests() if re.match(r"[\w.-]+", need)[0] not in held]
    brought = [name for name in HOSTED if name in held]
    desk = ("--ignore=tests/test_doctor.py",)  # it looks for JupyterLab
    return [
        Trial("oldest", "3.11", here, ("--resolution", "lowest-direct")),
        Trial("newest", "3.11", here),
        Trial("newest", "3.14", here),
        Trial("colab", "3.13", (*list_needs(), *brought, "pytest", *tests), ("--constraint", str(COLAB)), desk),
    ]


def find_python(uv: str, version: str) -> str | None:
    """Return a Python of that version on this machine."""
    answer = subprocess.run([uv, "python", "find", "--system", version], capture_output=True, encoding="utf-8")
    if answer.returncode == 0:
        return answer.stdout.strip()
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python"))  # pyenv's, whose commands refuse
    return str(beside[-1]) if beside else None


def resolve(uv: str, trial: Trial) -> str:
    """Return uv's words if the packages do not fit together, or "" if they do."""
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--python-version", trial.python, *trial.options, "-"]
    answer = subprocess.run(command, input=trial.text, capture_output=True, encoding="utf-8", cwd=ROOT)
    return answer.stderr.strip() if answer.returncode else ""


def make(uv: str, trial: Trial, base: str) -> Path:
    """Make the trial's environment from a Python; return its own.

    Raises:
        CalledProcessError: uv's words are on the screen.
    """
    shutil.rmtree(trial.folder, ignore_errors=True)
    subprocess.run([uv, "venv", "--quiet", "--no-project", "--python", base, trial.folder], check=True)
    (python,) = [path for name in ("bin/python", "Scripts/python.exe") if (path := trial.folder / name).exists()]
    install = [uv, "pip", "install", "--quiet", "--python", python, *trial.options, "-r", "-"]
    subprocess.run(install, input=trial.text, encoding="utf-8", check=True, cwd=ROOT)
    return python


def read_versions(uv: str, python: Path) -> dict[str, str]:
    answer = subprocess.run(
        [uv, "pip", "freeze", "--python", python], check=True, capture_output=True, encoding="utf-8"
    )
    return dict(re.findall(r"^([\w.-]+)==(\S+)", answer.stdout, re.MULTILINE))


def run_tests(trial: Trial, python: Path, arguments: list[str]) -> tuple[bool, str]:
    """Return whether the tests passed, and pytest's closing line; what it says lies beside the environment."""
    log = trial.folder.with_name(f"{trial.folder.name}.txt")
    with log.open("w", encoding="utf-8") as file:
        command = [python, "-m", "pytest", *(arguments or QUICK), *trial.left_out]
        variables = os.environ | {"PYTHONPATH": str(ROOT)}
        code = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=variables).returncode
    closing = CLOSING.findall(log.read_text(encoding="utf-8"))
    return code == 0, closing[-1] if closing else f"pytest ended with {code}; see {log}"


def try_out(uv: str, trial: Trial, only_resolve: bool, arguments: list[str]) -> tuple[bool, str]:
    """Return whether all is well, and the trial's row of the table after its name."""
    if trouble := resolve(uv, trial):
        return False, f"does not resolve: {' '.join(trouble.split())[-300:]} | |"
    if only_resolve:
        return True, "resolves | |"
    if not (base := find_python(uv, trial.python)):
        return True, "resolves; no such Python here, not run | |"
    start = time.monotonic()
    python = make(uv, trial, base)
    found = read_versions(uv, python)
    passed, closing = run_tests(trial, python, arguments)
    if passed:
        shutil.rmtree(trial.folder)
    versions = ", ".join(f"{name} {found[name]}" for name in SHOWN if name in found)
    return passed, f"{closing} | {(time.monotonic() - start) / 60:.0f} | {versions}"


def report(trials: list[Trial], only_resolve: bool, arguments: list[str]) -> Iterator[bool]:
    uv = find_uv()
    say("| packages | Python | outcome | minutes | versions |\n|---|---|---|---|---|")
    for trial in trials:
        well, row = try_out(uv, trial, only_resolve, arguments)
        say(f"| {trial.kind} | {trial.python} | {row} |")
        yield well


def main() -> int:
    parser = argparse.ArgumentParser(prog="course.py versions", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=[], metavar="oldest|newest|colab", help="all of them if none")
    parser.add_argument("--python", help="only on this one, e.g. 3.11")
    parser.add_argument("--resolve", action="store_true", help="install and test nothing")
    options, arguments = parser.parse_known_args()
    trials = [
        trial
        for trial in list_trials()
        if trial.kind in (options.kinds or [trial.kind]) and trial.python == (options.python or trial.python)
    ]
    if not trials:
        known = ", ".join(f"{trial.kind} on {trial.python}" for trial in list_trials())
        parser.error(f"there are these alone: {known}")
    return 0 if all(list(report(trials, options.resolve, arguments))) else 1


if __name__ == "__main__":
    raise SystemExit(main())
