"""The file that learners start is read by every Python, and says which one is needed."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import course
from cnngen_course.paths import ROOT
from cnngen_course.platforms import PYTHONS
from tools import tasks

SENTENCE = "The course needs Python 3.11, 3.12, 3.13 or 3.14; this is Python"
UNKNOWN_TO_OLD_PYTHONS = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.Nonlocal)


def test_every_python_can_read_it() -> None:
    tree = ast.parse(Path(course.__file__).read_text(encoding="ascii"), feature_version=(3, 4))
    for node in ast.walk(tree):
        assert not isinstance(node, UNKNOWN_TO_OLD_PYTHONS), f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert not node.returns and not any(argument.annotation for argument in arguments), node.name
            assert not node.args.kwonlyargs and not node.args.posonlyargs
        if isinstance(node, ast.Call):
            assert getattr(node.func, "id", "") != "print", "Python 2 has another print"


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 0), (3, 10, 13), (3, 15, 0), (4, 0, 0)])
def test_other_pythons_are_told(version: tuple[int, ...]) -> None:
    with pytest.raises(SystemExit, match=rf"{SENTENCE} {version[0]}\.{version[1]}\."):
        course.refuse_other_pythons(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 9)])
def test_the_oldest_and_the_newest_are_taken(version: tuple[int, ...]) -> None:
    course.refuse_other_pythons(version)


def list_other_pythons() -> list[Path]:
    """Return the Pythons that lie beside this one (pyenv and uv put them so) and do not fit."""
    found = sorted(Path(sys.base_prefix).parent.glob("*/bin/python"))
    asked = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))"
    return [python for python in found if subprocess.run([python, "-c", asked], stderr=subprocess.DEVNULL).returncode]


def test_really_started_by_other_pythons() -> None:
    if not (pythons := list_other_pythons()):
        pytest.skip("only Pythons that fit are here")
    for python in pythons:
        answer = subprocess.run([python, "-E", course.__file__, "lab"], capture_output=True, encoding="utf-8")
        assert answer.returncode == 1 and answer.stderr.startswith(SENTENCE), f"{python}: {answer.stderr}"


def test_all_places_name_the_same_pythons() -> None:
    assert (course.OLDEST, course.NEWEST) == PYTHONS
    (_, low), (_, high) = PYTHONS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">=3.{low},<3.{high + 1}"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"You need Python 3\.{low} to 3\.{high}\b", readme)
    assert SENTENCE.count("3.") == high - low + 1


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["help"], 0), (["tset"], 2)])
def test_help_lists_every_task(arguments: list[str], code: int) -> None:
    answer = subprocess.run([sys.executable, course.__file__, *arguments], capture_output=True, encoding="utf-8")
    assert answer.returncode == code
    assert all(f"  {task} " in answer.stdout for task in tasks.TASKS)
    assert "python3 course.py lab" in answer.stdout
