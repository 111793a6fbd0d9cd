"""Write a solution as a learner would: with the name of the notebook's stub, without annotations, with its imports."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def write_solution(solution: Callable[..., Any], name: str, gives_answer: bool = False) -> str:
    """Return code that can be pasted into a notebook and defines ``name``.

    Args:
        solution: a function of a module, whose imports are found there.
        name: what the notebook's stub is called.
        gives_answer: the solution returns the answer, which is then assigned to ``name``.
    """
    lines = textwrap.dedent(inspect.getsource(solution)).splitlines()
    for node in reversed([node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]):
        header = _write_header(node, name if node.lineno == 1 else node.name)
        end = node.returns.end_lineno if node.returns else node.lineno
        lines[node.lineno - 1 : end] = [" " * node.col_offset + header]
    if gives_answer and inspect.getclosurevars(solution).nonlocals:  # its text holds a name of the module
        lines = [f"{name} = {solution()!r}"]
    elif gives_answer:
        body = textwrap.dedent("\n".join(lines[1:]))
        lines = body.replace("return", f"{name} =", 1).splitlines()
    imports = _find_imports(solution, "\n".join(lines))
    space = [""] if gives_answer else ["", ""]
    return "\n".join([*imports, *(space if imports else []), *lines])


def _write_header(node: ast.FunctionDef, name: str) -> str:
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return f"def {name}({ast.unparse(node.args)}):"


def _find_imports(solution: Callable[..., Any], code: str) -> list[str]:
    """Return the import statements of the solution's module whose names the code uses, one name in each."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    module = inspect.getmodule(solution)
    assert module is not None
    found = []
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in used]
            if statement.names:
                found.append(ast.unparse(statement))
    return found
