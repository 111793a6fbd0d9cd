"""The files that decide the environment agree with one another; nothing committed is too large or names a host."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from cnngen_course.paths import ROOT
from cnngen_course.platforms import PYTHONS
from tools.environment import CUDA, LOCK, MORE_LOCK, read_blocks
from tools.tasks import TASKS

MAX_BYTES = {"notebooks/pictures": 150_000, "notebooks": 500_000, "data/fashion_mnist": 25_000_000, "data": 11_000_000}
MAX_BYTES_ELSEWHERE = 400_000  # the lock is the largest
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w+")
HOST = re.compile(r"\b(?:pypi\.org|pythonhosted|registry\.npmjs|deb\.debian|download\.pytorch)\b")


def list_committed() -> list[Path]:
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


def read_pins(file: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock; one package may have several, for different Pythons."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE
    ):
        pins.setdefault(name, set()).add(version)
    return pins


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", [LOCK, MORE_LOCK])
def test_every_package_in_a_lock_has_hashes(lock: Path) -> None:
    blocks = re.split(r"\n(?=[A-Za-z])", lock.read_text(encoding="utf-8").strip())
    assert len(blocks) > 40
    assert all("--hash=sha256:" in block for block in blocks)


def test_constraints_are_both_locks_without_hashes() -> None:
    lessons, more = (read_blocks(lock) for lock in (LOCK, MORE_LOCK))
    assert not lessons.keys() & more.keys(), "each package once"
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(constraints) == sorted([*lessons, *more])


def list_direct(*groups: list[str]) -> set[str]:
    return {normalise(re.match(r"[\w.-]+", line)[0]) for group in groups for line in group}


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lessons, more = ({normalise(name) for name in read_pins(lock.name)} for lock in (LOCK, MORE_LOCK))
    assert list_direct(project["dependencies"]) <= lessons
    assert list_direct(*project["optional-dependencies"].values()) <= lessons | more
    assert {"playwright", "jupyterhub", "pytest", "mypy"} <= more, "learners do without"


def test_the_small_pytorch_is_the_locked_one_without_cuda() -> None:
    small, lessons = read_pins("requirements.cpu.lock"), read_pins("requirements.lock")
    assert small.keys() == {"torch", "torchvision"}
    assert {name: {version.removesuffix("+cpu") for version in versions} for name, versions in small.items()} == {
        name: lessons[name] for name in small
    }
    assert small["torch"] == {f"{version}+cpu" for version in lessons["torch"]}


def test_what_is_left_out_with_cuda_is_all_that_only_linux_needs() -> None:
    """A CUDA library with a new name would be installed without the PyTorch that needs it."""
    for line in read_blocks(LOCK):
        only_linux = re.search(r"sys_platform == 'linux'$", line) is not None
        assert only_linux == bool(CUDA.fullmatch(line.partition("==")[0])), line


def read_bounds() -> dict[str, str]:
    """Return the lowest version of each package that the course needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(line.split(">=") for line in project["dependencies"])


def test_conda_brings_pytorch_for_processors_and_the_course_the_rest() -> None:
    parts = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert parts[-1] == {"pip": ["-e ."]} and "pip" in parts
    versions = dict(re.split(">?=", part) for part in parts[:-1] if "=" in part)
    assert versions == {
        "python": versions["python"],
        "pytorch-cpu": read_bounds()["torch"],
        "torchvision": read_bounds()["torchvision"],
    }
    assert is_possible(versions["python"])


def is_possible(python: str) -> bool:
    return PYTHONS[0] <= tuple(map(int, python.split("."))) <= PYTHONS[1]


def test_the_container_sets_the_course_up() -> None:
    """Its fields were checked by the schema of the dev container specification, which is too large to keep here."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert is_possible(container["image"].rpartition(":")[2])
    python, script, task = container["postCreateCommand"].split()
    assert python == "python3" and (ROOT / script).exists() and task in TASKS
    code = container["customizations"]["vscode"]
    assert code["settings"]["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
    assert "ms-toolsai.jupyter" in code["extensions"]


def is_text(path: Path) -> bool:
    return path.suffix in {
        ".py",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".json",
        ".lock",
        ".txt",
        ".ipynb",
        ".js",
        ".svg",
        "",
    }


def test_no_file_names_this_machine_or_a_registry() -> None:
    for path in list_committed():
        if is_text(path) and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            found = MACHINE_PATH.search(text) or HOST.search(text)
            assert not found, f"{path.relative_to(ROOT)} holds {found[0]!r}"


def find_files_without_encoding(code: str) -> list[int]:
    """Return the lines that read or write text in whatever code page the machine has; bytes need none."""
    lines = []
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        method = isinstance(call.func, ast.Attribute)
        name = call.func.attr if method else getattr(call.func, "id", "")
        if any(keyword.arg == "text" and ast.unparse(keyword.value) == "True" for keyword in call.keywords):
            lines.append(call.lineno)  # what a program says, read in the machine's letters
        if name not in ("open", "read_text", "write_text") or (not method and name != "open"):
            continue
        if method and getattr(call.func.value, "id", "") in ("Image", "tarfile", "os"):
            continue  # pictures, archives and numbers of files, not text
        mode = call.args[:1] if method else call.args[1:2]
        binary = name == "open" and any(isinstance(part, ast.Constant) and "b" in part.value for part in mode)
        if not binary and not any(keyword.arg == "encoding" for keyword in call.keywords):
            lines.append(call.lineno)
    return lines


def test_every_text_file_is_read_and_written_in_utf_8() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in list_committed()
        if path.suffix == ".py"
        for line in find_files_without_encoding(path.read_text(encoding="utf-8"))
    }
    assert not found, f"name the encoding: {sorted(found)}"


def find_limit(name: str) -> int:
    return next((limit for folder, limit in MAX_BYTES.items() if name.startswith(folder + "/")), MAX_BYTES_ELSEWHERE)


def test_no_file_is_too_large() -> None:
    for path in list_committed():
        name = path.relative_to(ROOT).as_posix()
        assert path.stat().st_size <= find_limit(name), f"{name}: {path.stat().st_size:,} bytes"


def test_the_whole_repository_is_small() -> None:
    # Nineteen lessons with their pictures, data and weights.
    assert sum(path.stat().st_size for path in list_committed()) < 100_000_000


@pytest.mark.parametrize("command", ["lab", "test"])
def test_the_readme_names_both_commands(command: str) -> None:
    assert f"python3 course.py {command}" in (ROOT / "README.md").read_text(encoding="utf-8")
