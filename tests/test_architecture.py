"""The plan of the house: modules lean only on lower floors, and the package imports quickly."""

import ast
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT

PACKAGE = ROOT / "cnngen_course"
FLOORS = (
    {"__init__", "paths", "platforms", "runtime"},
    {"images", "operations", "linear", "masks", "restoration", "augmentation"},
    {"datasets", "blocks", "checkpoints"},
    {"galleries"},
    {"models"},
    {"objectives"},
    {"training", "metrics"},
    {"adversarial_training", "set_metrics", "ratings"},
    {"pretrained"},
    {"recipes", "export", "text_to_image", "safety"},
    {"experiments"},
    {"figures"},
    {"explorers"},
    {"exercises", "studio"},
    {"doctor"},
    {"__main__"},
)
# Files that their neighbours may lean on.
SHARED = {
    "panel",
    "pad",
    "canvas",
    "report",
    "recipe",
    "adversarial",
    "attacks",
}  # files that their neighbours may lean on
MODULES = sorted(PACKAGE.rglob("*.py"))


def find_floor(room: str) -> int:
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def find_room(module: Path) -> str:
    """A folder is one room; so is a file that lies at the top."""
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def find_imports(module: Path) -> list[ast.Import | ast.ImportFrom]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def list_course_imports(module: Path) -> set[str]:
    """Return the dotted names, below the package, that a module imports."""
    names: set[str] = set()
    for node in find_imports(module):
        if isinstance(node, ast.ImportFrom) and node.module == "cnngen_course":
            names |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cnngen_course."):
            names.add(node.module.removeprefix("cnngen_course."))
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(module: Path) -> None:
    room = find_room(module)
    for name in list_course_imports(module):
        other = name.split(".")[0]
        if other == room:
            base = name.split(".")[-1]  # within a folder, only its shared file may be leaned on
            assert base in SHARED or room in {"recipes", "models"}, f"{module.name} imports its neighbour {name}"
        else:
            assert find_floor(other) < find_floor(room), f"{module.name} (in {room}) must not import {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_star_imports(module: Path) -> None:
    for node in find_imports(module):
        assert not any(alias.name == "*" for alias in node.names)


def test_every_room_has_a_floor() -> None:
    assert {find_room(module) for module in MODULES} <= set().union(*FLOORS)


def test_the_lower_floors_know_no_notebook() -> None:
    """Networks and metrics must run where there is no Jupyter at all."""
    notebook_rooms = find_floor("figures")
    for module in MODULES:
        if find_floor(find_room(module)) < notebook_rooms:
            text = module.read_text(encoding="utf-8")
            assert "ipywidgets" not in text and "IPython" not in text, module.name
