"""One thing has one name all over the package."""

import ast
import re
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT

MODULES = sorted((ROOT / "cnngen_course").rglob("*.py"))
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


def list_arguments(module: Path) -> list[ast.arg]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]


@every_module
def test_a_source_of_chance_is_called_generator_as_in_pytorch(module: Path) -> None:
    for argument in list_arguments(module):
        if "torch.Generator" in ast.unparse(argument.annotation):
            assert argument.arg == "generator", f"line {argument.lineno}: {argument.arg}"


@every_module
def test_no_module_knows_the_number_of_a_lesson(module: Path) -> None:
    """Only the notebook's file name has it, so that lessons can be put in another order."""
    assert not re.findall(r"[Ll]essons? \d\d", module.read_text(encoding="utf-8"))
