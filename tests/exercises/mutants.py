"""Make wrong answers out of a right one: change its syntax tree in one place, in every way that a slip might."""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
}
FUNCTIONS = {
    "all": ("any",), "any": ("all",), "min": ("max",), "max": ("min", "sum", "mean"), "amin": ("amax",),
    "argmin": ("argmax",), "mean": ("sum", "max", "median"), "sum": ("mean",), "abs": ("square",), "square": ("abs",),
    "median": ("mean",), "zeros": ("ones",), "triu": ("tril",), "sqrt": ("abs",), "int": ("round",),
    "max_pool2d": ("avg_pool2d",), "load": ("verify",), "sign": ("tanh",), "repeat_interleave": ("repeat",),
    "softmax": ("sigmoid",), "cdist": ("dist",), "flatten": ("ravel",), "isnan": ("isinf",), "isfinite": ("isnan",),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed solution: ``change`` is the statement that was changed, as it reads now."""

    change: str
    answer: Any


def make_mutants(solution: Callable[..., Any], gives_answer: bool = False) -> Iterator[Mutant]:
    """Yield each change of a solution once; ``gives_answer`` as for an exercise."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(solution)))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    strip_annotations(function)
    closure = inspect.getclosurevars(solution).nonlocals
    seen = {ast.unparse(tree)}
    for change, mutated in change_once(function):
        code = ast.unparse(mutated)
        if code in seen:
            continue
        seen.add(code)
        names = solution.__globals__ | closure
        try:
            exec(compile(ast.fix_missing_locations(ast.Module([mutated], [])), "<mutant>", "exec"), names)
        except SyntaxError:
            continue
        answer = names[function.name]
        if gives_answer:
            try:
                answer = answer()
            except Exception:
                continue
        yield Mutant(change, answer)


def strip_annotations(function: ast.FunctionDef) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None


def change_once(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield copies of a function that differ from it in one place, each with the changed statement."""
    names = [argument.arg for argument in function.args.args]
    names += sorted({node.id for _, node in walk(function) if isinstance(node, ast.Name) and is_stored(node)})
    words = sorted({node.value for _, node in walk(function) if is_word(node)})
    for path, node in walk(function):
        others = [ast.Constant(word) for word in words if is_word(node) and word != node.value]
        for new in [*others, *change_expression(node, names), *change_statement(node)]:
            changed = copy.deepcopy(function)
            parent: Any = changed
            statement: ast.AST = changed
            for step in path[:-1]:
                parent = parent[step] if isinstance(step, int) else getattr(parent, step)
                statement = parent if isinstance(parent, ast.stmt | ast.excepthandler) else statement
            if isinstance(path[-1], int):
                parent[path[-1]] = new
            else:
                setattr(parent, path[-1], new)
            if isinstance(new, ast.Pass):
                yield f"without: {show(node)}", changed
            else:
                yield show(new if isinstance(new, ast.stmt) else statement), changed


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def is_word(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def show(node: ast.AST) -> str:
    """Return a statement in one line; of a compound one, its head."""
    return ast.unparse(node).splitlines()[0]


def walk(node: ast.AST, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], ast.AST]]:
    """Yield every node below, with the way to it."""
    for field, value in ast.iter_fields(node):
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for place, child in children:
            if isinstance(child, ast.AST):
                way = (*path, field) if place is None else (*path, field, place)
                yield way, child
                yield from walk(child, way)


def change_statement(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr | ast.AugAssign | ast.If | ast.Raise):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        for operator in OPERATORS.get(type(node.op), ()):
            yield ast.AugAssign(node.target, operator(), node.value)
    if isinstance(node, ast.If):
        yield ast.If(ast.Constant(True), node.body, node.orelse)
    if isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield ast.comprehension(node.target, node.iter, node.ifs[:place] + node.ifs[place + 1 :], 0)


def change_expression(node: ast.AST, names: list[str]) -> Iterator[ast.expr]:
    """Yield what may stand in a node's place."""
    if isinstance(node, ast.Constant):
        yield from change_constant(node.value)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (ast.Name(other, ast.Load()) for other in names if other != node.id)
    elif isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, operator(), node.right) for operator in OPERATORS.get(type(node.op), ()))
        if not isinstance(node.op, ast.Add | ast.Mult):  # a + b is b + a
            yield ast.BinOp(node.right, node.op, node.left)
        yield from (node.left, node.right)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for comparison in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [comparison()], node.comparators)
    elif isinstance(node, ast.Compare):
        for place in range(len(node.ops)):
            for comparison in COMPARISONS.get(type(node.ops[place]), ()):
                yield ast.Compare(
                    node.left, [*node.ops[:place], comparison(), *node.ops[place + 1 :]], node.comparators
                )
        yield ast.Compare(node.left, node.ops[:1], node.comparators[:1])
        yield ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Call):
        yield from change_call(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Slice):
        yield from change_slice(node)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "values", "grad"):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        yield from change_elements(node)


def change_constant(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        yield from (ast.Constant(other) for other in (0, -value) if value not in (0, 1))
    elif isinstance(value, float):
        yield from (ast.Constant(value * 1.1), ast.Constant(value + 1), ast.Constant(-value))


def change_call(node: ast.Call) -> Iterator[ast.expr]:
    function = node.func
    if isinstance(function, ast.Attribute):
        yield function.value
        for other in FUNCTIONS.get(function.attr, ()):
            yield ast.Call(ast.Attribute(function.value, other, ast.Load()), node.args, node.keywords)
    elif isinstance(function, ast.Name):
        for other in FUNCTIONS.get(function.id, ()):
            yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
    for place, argument in enumerate(node.args):
        yield argument
        yield ast.Call(function, node.args[:place] + node.args[place + 1 :], node.keywords)
        for later in range(place + 1, len(node.args)):
            swapped = list(node.args)
            swapped[place], swapped[later] = swapped[later], swapped[place]
            yield ast.Call(function, swapped, node.keywords)
    for place in range(len(node.keywords)):
        yield ast.Call(function, node.args, node.keywords[:place] + node.keywords[place + 1 :])


def change_slice(node: ast.Slice) -> Iterator[ast.expr]:
    one = ast.Constant(1)
    yield ast.Slice(None, node.upper, node.step)
    yield ast.Slice(node.lower, None, node.step)
    if node.lower:
        yield ast.Slice(ast.BinOp(node.lower, ast.Add(), one), node.upper, node.step)
    if node.upper:
        yield ast.Slice(node.lower, ast.BinOp(node.upper, ast.Sub(), one), node.step)
        yield ast.Slice(node.lower, ast.BinOp(node.upper, ast.Add(), one), node.step)


def change_elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[ast.expr]:
    kind, context = type(node), {} if isinstance(node, ast.Set) else {"ctx": node.ctx}
    if isinstance(context.get("ctx"), ast.Store):
        return
    for place in range(len(node.elts)):
        yield kind(elts=node.elts[:place] + node.elts[place + 1 :], **context)
        if place and kind is not ast.Set:
            swapped = list(node.elts)
            swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
            yield kind(elts=swapped, **context)
