"""What a learner is shown runs where it is shown: solutions are pasted, hints name only what the notebook has."""

import ast
import builtins
import inspect
import json
import re
from functools import cache
from typing import Any

import pytest
import torch
from IPython.display import Code

from cnngen_course.exercises.report import Exercise, Sheet
from cnngen_course.exercises.solutions import write_solution
from cnngen_course.paths import ROOT
from tests.exercises.test_sheets import ALL, MODULES, load_sheet

SHEETS = [
    pytest.param(name, exercise, id=f"{name}.{exercise}") for name in MODULES for exercise in load_sheet(name).exercises
]


@cache
def read_cells(lesson: str) -> list[str]:
    (path,) = ROOT.glob(f"notebooks/*_{lesson}.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@cache
def set_up(lesson: str) -> dict[str, Any]:
    """Return the names that the notebook's first cell defines."""
    names: dict[str, Any] = {}
    with torch.random.fork_rng():
        exec(read_cells(lesson)[0], names)
    return names


@pytest.mark.parametrize(("lesson", "name"), SHEETS)
def test_the_shown_solution_can_be_pasted(lesson: str, name: str) -> None:
    names = dict(set_up(lesson))
    code = load_sheet(lesson).write_solution(name)
    exec(code, names)
    assert "solve_" not in code
    assert not re.search(r"^def .*(->|: )", code, re.MULTILINE), "annotations want imports"
    report = names["exercise"].check(name, names[name])
    assert report.status == "right", report


@pytest.mark.parametrize(("lesson", "name"), SHEETS)
def test_it_has_the_name_of_a_stub_in_its_notebook(lesson: str, name: str) -> None:
    (stub,) = [cell for cell in read_cells(lesson) if f'exercise.check("{name}", {name})' in cell]
    assert re.search(rf"^(def {name}\(|{name} = \.\.\.)", stub, re.MULTILINE)
    parameters = inspect.signature(load_sheet(lesson).exercises[name].solution).parameters
    if f"def {name}(" in stub:
        assert f"def {name}({', '.join(parameters)}):" in stub
    assert any(f'exercise.hint("{name}")' in cell and f'show_solution("{name}")' in cell for cell in read_cells(lesson))


@pytest.mark.parametrize("run", ["run_b", "run_d"])
def test_a_diagnosis_is_shown_with_its_reasons(run: str) -> None:
    shown = load_sheet("gan").write_solution(run).splitlines()
    assert len([line for line in shown if line.startswith("# With ")]) == 7
    assert all(len(line) <= 120 for line in shown)
    assert any(character.isdigit() for line in shown if line.startswith("# With ") for character in line)


# In a hint these are no names of Python: "e.g.", N(0, 1), sigmoid(a), and any tensor, any weight.
PROSE = {"e", "N", "sigmoid", "tensor", "weight", "x"}
BOUND = re.compile(r"(?<=import )\w+|(?:\w+, )*\w+(?= = )")
USED = re.compile(r"(?<![\w.)\]])(?<!from )([A-Za-z_]\w*)(?=\.[a-z_]|\()")


@pytest.mark.parametrize(("lesson", "name"), SHEETS)
def test_its_hints_name_only_what_the_notebook_has(lesson: str, name: str) -> None:
    exercise = load_sheet(lesson).exercises[name]
    bound = {word for hint in exercise.hints for names in BOUND.findall(hint) for word in names.split(", ")}
    known = set(set_up(lesson)) | set(dir(builtins)) | set(find_own_names(exercise, name)) | bound | PROSE
    used = {word for hint in exercise.hints for word in USED.findall(hint)}
    assert used <= known, f"{sorted(used - known)} would be a NameError"


def find_own_names(exercise: Exercise, name: str) -> set[str]:
    """Return the parameters and variables of the solution, which hints talk about."""
    tree = ast.parse(write_solution(exercise.solution, name, exercise.solution_gives_answer))
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


@pytest.mark.parametrize(("sheet", "exercise"), ALL)
def test_show_solution_displays_it(sheet: Sheet, exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Code] = []
    monkeypatch.setattr("cnngen_course.exercises.report.display", shown.append)
    sheet.show_solution(exercise.name)
    assert [code.data for code in shown] == [sheet.write_solution(exercise.name)]
