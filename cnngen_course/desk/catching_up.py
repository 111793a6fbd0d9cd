"""Going on in the middle of a lesson: a section's variables without running what comes before, and stored trainings.

``catch_up("07", "The loop, in full")`` runs those statements of the published lesson that the rest of it builds on, in
their order and without their pictures; what takes long is taken from ``data/moments``. ``Hurry`` does the latter while
a lesson is being worked through. Which statement needs which was found out by running the lesson once
(``course.py moments``); what has changed since is guessed from its names, and really run.
"""

import ast
import difflib
import hashlib
import linecache
import re
import symtable
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.utils.capture import capture_output

from cnngen_course.desk.moments import FOLDER, RANDOM, Book, Facts, MisfitError, Result, load_book
from cnngen_course.desk.outline import FENCED, NOTEBOOKS
from cnngen_course.desk.times import load_timings
from cnngen_course.paths import read_json

HEADING = re.compile(r"^(#{2,}) +(.+?) *$", re.MULTILINE)
SETTING = re.compile(r"^(?:\w+\.)*(?:set_|seed_|manual_seed)\w*$")  # calls that change what is no variable
RESEED = re.compile(r"^(?:seed_everything|torch\.manual_seed)\(")
DISPLAY = re.compile(r"^(?:print|claim|show|display|(?:lesson|live|exercise|explorer|plots|figures)\.\w+)\(")
LONG = 3.0  # seconds; longer ones are announced


class CatchUpError(RuntimeError):
    """A statement of the published lesson failed while the lesson was brought to a section."""


@dataclass(frozen=True)
class Statement:
    """One statement of a lesson's code.

    Attributes:
        key: of its text, and of how often the same text stood in the lesson before.
        cell: the id of its cell.
        place: the number of its cell in the notebook.
        may_fail: its cell is meant to end in an error.
        is_stub: it belongs to an exercise, so it is the learner's.
    """

    text: str
    key: str
    cell: str
    place: int
    may_fail: bool
    is_stub: bool

    @cached_property
    def node(self) -> ast.stmt:
        return ast.parse(self.text).body[0]

    @cached_property
    def is_setting(self) -> bool:
        node = self.node
        call = node.value if isinstance(node, ast.Expr) else None
        return isinstance(call, ast.Call) and bool(SETTING.match(ast.unparse(call.func)))

    @cached_property
    def names(self) -> tuple[set[str], set[str], set[str]]:
        """The names that it reads, those that it binds, and those that functions and classes in it read later."""
        reads: set[str] = set()
        later: set[str] = set()
        top = symtable.symtable(self.text, "lesson", "exec")
        is_definition = isinstance(self.node, ast.FunctionDef)

        def look(table: symtable.SymbolTable) -> None:
            for symbol in table.get_symbols():
                if symbol.is_referenced() and (table is top or symbol.is_global()):
                    (reads if table is top else later).add(symbol.get_name())
            for child in table.get_children():
                look(child)

        look(top)
        bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        reads |= {
            name.id for name in ast.walk(self.node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Del)
        }
        return reads if is_definition else reads | later, bound, later


def split_code(source: str) -> list[str]:
    """Return the statements of a cell as text, each with its decorators.

    Raises:
        SyntaxError: the cell is no Python.
    """
    lines = source.splitlines(keepends=True)
    found = []
    for node in ast.parse(source).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(part.lineno for part in decorators)])
        if decorators:  # they stand on lines of their own
            found.append("".join(lines[first - 1 : node.end_lineno]).rstrip())
        else:
            found.append(ast.get_source_segment(source, node) or "")
    return found


def make_key(text: str, before: Counter[str]) -> str:
    """Return a key for a statement; ``before`` counts those of the same text."""
    mark = hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
    before[mark] += 1
    return mark if before[mark] == 1 else f"{mark}-{before[mark]}"


class Script:
    """A published lesson: its sections, and its statements in order.

    Args:
        path: of the notebook.
        book: what is known of its statements.
    """

    def __init__(self, path: Path, book: Book) -> None:
        self.path, self.book = path, book
        self.sections: dict[str, int] = {}
        self.statements: list[Statement] = []
        counts: Counter[str] = Counter()
        for place, cell in enumerate(read_json(path)["cells"]):
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                for match in HEADING.finditer(FENCED.sub("", source)):
                    self.sections.setdefault(match[2], place)
            elif cell["cell_type"] == "code":
                may_fail = "raises-exception" in cell["metadata"].get("tags", [])
                for text in split_code(source):
                    key, is_stub = make_key(text, counts), "exercise.check(" in source
                    self.statements.append(Statement(text, key, cell["id"], place, may_fail, is_stub))
        self.facts = [self._find_facts(statement) for statement in self.statements]
        self.reads = self._find_reads()

    @property
    def name(self) -> str:
        return self.path.stem[:2]

    def find_section(self, wanted: str) -> str:
        """Return the heading that is meant: by its words, its number, or a part that only it has.

        Raises:
            LookupError: there is none, or there are several; the message lists all.
        """
        plain = {heading: simplify(heading) for heading in self.sections}
        asked = simplify(wanted)
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [heading for heading, words in plain.items() if fits(words, asked)]
            if len(found) == 1:
                return found[0]
        near = difflib.get_close_matches(asked, plain.values(), 1)
        guess = next((f" Did you mean “{heading}”?" for heading, words in plain.items() if words in near), "")
        listed = "; ".join(f"“{heading}”" for heading in self.sections)
        raise LookupError(f"Lesson {self.name} has no section “{wanted}”.{guess} Its sections are: {listed}.")

    def _find_facts(self, statement: Statement) -> Facts:
        if statement.key in self.book:
            return self.book[statement.key]
        reads, bound, later = statement.names
        definition = isinstance(statement.node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        parts = list(ast.walk(statement.node))
        acts = any(isinstance(part, ast.Call) for part in parts)
        places = [part for part in parts if isinstance(part, ast.Subscript | ast.Attribute)]
        changes = acts or any(isinstance(part.ctx, ast.Store) for part in places)
        harmless = definition or bool(DISPLAY.match(statement.text))
        touched = set() if harmless or not changes else reads - bound
        calls = dict.fromkeys(bound, sorted(later)) if later else {}
        return Facts(0.0, sorted(bound), sorted(touched), acts and not harmless, calls)

    def _find_reads(self) -> list[set[str]]:
        """Return the names that each statement reads, also inside the functions that it calls."""
        later: dict[str, set[str]] = {}
        found = []
        for statement, facts in zip(self.statements, self.facts, strict=True):
            reads, waiting = set(), list(statement.names[0])
            while waiting:
                name = waiting.pop()
                if name not in reads:
                    reads.add(name)
                    waiting += later.get(name, ())
            if facts.draws and not RESEED.match(statement.text):
                reads.add(RANDOM)
            found.append(reads)
            for name in facts.bound:
                later[name] = set(facts.calls.get(name, ()))
            for name in facts.touched:
                later[name] = later.get(name, set()) | set(facts.calls.get(name, ()))
        return found

    def trace(self, end: int, needed: set[str], stored: dict[int, Result]) -> list[int]:
        """Return which statements before number ``end`` are needed for these names.

        Args:
            end: number of the first statement that is not looked at.
            needed: names of variables.
            stored: results by the number of their statement; what they were computed from is not needed.
        """
        needed, kept = set(needed), []
        for number in reversed(range(end)):
            facts, statement = self.facts[number], self.statements[number]
            writes = {*facts.bound, *facts.touched} | ({RANDOM} if facts.draws else set())
            if statement.is_stub or not (writes & needed or statement.is_setting):
                continue
            kept.append(number)
            if number in stored:
                needed -= writes - set(facts.touched)
                needed |= set(stored[number].needs)
            else:
                needed -= set(facts.bound)
                needed -= {RANDOM} if facts.draws and RANDOM not in self.reads[number] else set()
                needed |= self.reads[number]
        return kept[::-1]

    def make_chain(self, number: int) -> str:
        """Return a mark of a statement and all that it depends on."""
        numbers = [*self.trace(number, self.reads[number] | set(self.facts[number].touched), {}), number]
        return hashlib.sha256("\n".join(self.statements[n].text for n in numbers).encode("utf-8")).hexdigest()[:12]

    @cached_property
    def stored(self) -> dict[int, Result]:
        """The results that are still those of this lesson, by the number of their statement."""
        results = {number: facts.result for number, facts in enumerate(self.facts) if facts.result}
        return {number: result for number, result in results.items() if result.chain == self.make_chain(number)}

    @property
    def stale(self) -> list[Statement]:
        """Statements whose stored results are no longer those of this lesson, since its code was changed."""
        return [self.statements[n] for n, facts in enumerate(self.facts) if facts.result and n not in self.stored]

    def plan(self, section: str) -> list[int]:
        """Return the numbers of the statements to run, so that the lesson can go on from a section."""
        place = self.sections[section]
        start = sum(statement.place < place for statement in self.statements)
        needed: set[str] = set()
        for number in reversed(range(start, len(self.statements))):
            needed -= set(self.facts[number].bound)
            needed |= self.reads[number]
        return self.trace(start, needed, self.stored)

    def run(self, section: str, namespace: dict[str, Any], kept: Container[str] = ()) -> None:
        """Run what a section needs, in silence.

        Args:
            section: its heading.
            namespace: where the variables go.
            kept: names of variables that stay as they are.

        Raises:
            CatchUpError: a statement failed, and was not meant to.
        """
        numbers = [n for n in self.plan(section) if not any(name in kept for name in self.facts[n].bound)]
        for number in numbers:
            statement = self.statements[number]
            try:
                with capture_output():
                    if number in self.stored:
                        self.stored[number].apply(namespace)
                    else:
                        execute(statement, namespace, f"lesson {self.name}, {statement.key}")
            except MisfitError:  # made by an older version of the course: without it, other statements are needed
                del self.stored[number]
                return self.run(section, namespace, kept)
            except Exception as error:
                if not statement.may_fail:
                    text, told = (
                        textwrap.shorten(str(words), 90, placeholder=" ...") for words in (statement.text, error)
                    )
                    raise CatchUpError(
                        f"Lesson {self.name} can't be brought there: “{text}” gave {type(error).__name__}: {told} "
                        "Restart the kernel, and call catch_up before anything else."
                    ) from error


def simplify(heading: str) -> str:
    return " ".join(re.sub(r"[^\w. ]", " ", heading.lower()).split())


def execute(statement: Statement, namespace: dict[str, Any], file: str) -> None:
    name = f"<{file}>"
    linecache.cache[name] = (
        len(statement.text),
        None,
        statement.text.splitlines(keepends=True),
        name,
    )  # for tracebacks
    exec(compile(statement.text, name, "exec"), namespace)


def load_script(lesson: str) -> Script:
    """Return a lesson by its number or slug.

    Raises:
        LookupError: there is no such lesson; the message lists all.
        DamagedFileError: a file of the course is missing or damaged.
    """
    lessons = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    wanted = f"{int(lesson):02}" if lesson.isdecimal() else lesson
    for path in lessons:
        if wanted in (path.stem, path.stem[:2], path.stem[3:]):
            return Script(path, load_book(FOLDER / f"{path.stem[3:]}.safetensors"))
    raise LookupError(f"There is no lesson {lesson!r}; there are {', '.join(path.stem for path in lessons)}.")


def find_seconds(script: Script) -> float:
    """Return how long the whole lesson takes, where it was measured."""
    return load_timings().get(script.path.stem, {"seconds": 0.0})["seconds"]


def find_namespace() -> dict[str, Any]:
    """Return the variables of the notebook, or of the program that Python was started with."""
    shell = get_ipython()
    return shell.user_ns if shell else sys.modules["__main__"].__dict__


def catch_up(lesson: str, section: str, namespace: dict[str, Any] | None = None) -> None:
    """Make the variables as they are where a section of a lesson starts, so that you can go on from there.

    Args:
        lesson: its number or its slug, e.g. "07" or "gan".
        section: its heading, or a part of it that no other heading has.
        namespace: where the variables go; those of the notebook by default.

    Raises:
        LookupError: there is no such lesson or section; the message lists those that there are.
        CatchUpError: a statement of the lesson failed.
    """
    script = load_script(lesson)
    heading = script.find_section(section)
    namespace = find_namespace() if namespace is None else namespace
    slow = [n for n in script.plan(heading) if n not in script.stored]
    told = sum(script.facts[number].seconds for number in slow) if script.book else find_seconds(script)
    if told > LONG:
        words = "about" if script.book else "at most"
        print(
            f"Not all of it is stored. What is missing is computed now ({words} {told:.0f} s on a quiet machine) ...",
            flush=True,
        )
    begin = time.perf_counter()
    ours = getattr(namespace.get("lesson"), "slug", None) == script.path.stem[3:]
    script.run(heading, namespace, kept={"lesson"} if ours else ())  # it knows what was predicted
    seconds = time.perf_counter() - begin
    print(
        f"Ready: what the rest needs is as it is where “{heading}” starts ({seconds:.1f} s). Go on with its first cell."
    )


class Hurry(ast.NodeTransformer):
    """Makes a notebook take the stored result of each statement that has one.

    It works on what is typed: a statement that was changed is really run.
    """

    def __init__(self, script: Script) -> None:
        self.results = {script.statements[number].text: result for number, result in script.stored.items()}

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [self._replace(statement) for statement in node.body]
        return ast.fix_missing_locations(node)

    def _replace(self, statement: ast.stmt) -> ast.stmt:
        text = next((text for text in self.results if is_same(statement, text)), None)
        if text is None:
            return statement
        CURRENT[text] = self.results[text]
        call = ast.parse(f"__import__({__name__!r}, fromlist=['take']).take({text!r})", mode="eval").body
        return ast.copy_location(ast.If(test=ast.UnaryOp(ast.Not(), call), body=[statement], orelse=[]), statement)


CURRENT: dict[str, Result] = {}


def is_hurried(source: str) -> bool:
    """Whether a stored result will be taken for a statement of a lesson's cell."""
    shell = get_ipython()
    hurries = [part for part in shell.ast_transformers if isinstance(part, Hurry)] if shell else []
    statements = ast.parse(source).body if hurries else []
    return any(is_same(statement, text) for part in hurries for text in part.results for statement in statements)


def is_same(statement: ast.stmt, text: str) -> bool:
    return ast.dump(statement) == ast.dump(ast.parse(text).body[0])


def take(text: str) -> bool:
    """Do what a statement did where its result was stored, and say so; False if that does not fit.

    Raises:
        NameError: a variable is missing.
    """
    result = CURRENT[text]
    try:
        result.apply(find_namespace())
    except MisfitError as problem:
        print(f"The stored result does not fit ({problem}), so this is computed now.")
        return False
    result.show()
    print(f"(Stored result of the published lesson, where this took {result.seconds:.0f} s.)")
    return True


def hurry(lesson: str, on: bool = True) -> None:
    """Take stored results from now on, or no longer.

    Args:
        lesson: its number or its slug.
        on: False ends it.

    Raises:
        RuntimeError: this is no notebook.
    """
    shell = get_ipython()
    if shell is None:
        raise RuntimeError("only a notebook can hurry")
    shell.ast_transformers[:] = [part for part in shell.ast_transformers if not isinstance(part, Hurry)]
    if not on:
        print("From now on every cell is computed here.")
        return
    script = load_script(lesson)
    if not script.stored:
        print(f"For lesson {script.name} nothing is stored, so every cell is computed here.")
        return
    shell.ast_transformers.append(Hurry(script))
    seconds = sum(result.seconds for result in script.stored.values())
    print(
        f"From now on {len(script.stored)} long computations of this lesson take their stored results "
        f"({seconds:.0f} s where they were measured): those of the published lesson, whatever you changed before them. "
        "A computation that you change yourself is really done. lesson.hurry(False) ends this."
    )
