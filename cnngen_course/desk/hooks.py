"""What is done before and after each cell of a lesson: time at work is kept, and a missing name is explained.

``Lesson`` attaches its hooks in the lesson's first cell. Until then, as after a restart, those of the kernel itself
stand there (``load_ipython_extension``): they explain a missing name, and that is all.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from IPython.core.getipython import get_ipython

from cnngen_course.desk.outline import Cell, find_cell, find_maker, read_cells
from cnngen_course.desk.store import find_folder
from cnngen_course.desk.times import describe_long_cell
from cnngen_course.paths import DamagedFileError

LONGEST = 300.0  # seconds between two signs of life that count as work
NEW = "The kernel was started anew and knows nothing yet: run the lesson's first cell."
SESSION = "JPY_SESSION_NAME"  # Jupyter names the notebook in it that a kernel was started for


class Desk(Protocol):
    """What the hooks need of a lesson."""

    slug: str

    def work(self, seconds: float, section: str) -> None:
        """Keep that so much time was spent at a section."""


@dataclass
class Hooks:
    """What to do ``before`` a cell runs (it gets IPython's ExecutionInfo) and ``after`` it (ExecutionResult)."""

    before: list[Callable[[Any], None]] = field(default_factory=list)
    after: list[Callable[[Any], None]] = field(default_factory=list)

    def run_before(self, info: Any) -> None:
        for do in self.before:
            do(info)

    def run_after(self, result: Any) -> None:
        for do in self.after:
            do(result)


_attached: Hooks | None = None  # a lesson's first cell may run twice: then the new hooks take the place of the old


def attach(desk: Desk) -> None:
    """Let a lesson's hooks run with each cell from now on; where there is no IPython, there are no cells."""
    cells = _read(desk.slug)
    clock = Clock(desk, cells)
    _put(
        Hooks(
            [clock.begin, lambda info: announce(desk.slug, info)],
            [clock.end, lambda result: explain_name(result, cells)],
        )
    )


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython when a kernel of ``.venv`` starts, see ``tools/environment.py``."""
    found = re.search(r"\b\d\d_(\w+)\.ipynb$", os.environ.get(SESSION, ""))
    if found and find_folder():
        _put(Hooks([], [lambda result: explain_name(result, _read(found[1]), is_new=True)]))


def announce(slug: str, info: Any) -> None:
    """Before a long cell, say how long it takes on this machine; what is taken from a file takes no time."""
    from cnngen_course.desk.catching_up import is_hurried  # here: a kernel that starts needs no torch

    try:
        told = describe_long_cell(slug, info.cell_id, info.raw_cell)
        told = "" if told and is_hurried(info.raw_cell) else told
    except DamagedFileError as error:  # the cell runs all the same
        told = str(error)
    if told:
        print(told)


def _put(hooks: Hooks) -> None:
    global _attached
    shell = get_ipython()
    if shell is None:
        return
    if _attached:
        shell.events.unregister("pre_run_cell", _attached.run_before)
        shell.events.unregister("post_run_cell", _attached.run_after)
    shell.events.register("pre_run_cell", hooks.run_before)
    shell.events.register("post_run_cell", hooks.run_after)
    _attached = hooks


def _read(slug: str) -> tuple[Cell, ...]:
    try:
        return read_cells(slug)
    except DamagedFileError as error:  # the learner's copy is another file, and goes on
        print(error, file=sys.stderr)
        return ()


class Clock:
    """Keeps the time at work and the section. A pause, or a cell, of more than ``LONGEST`` seconds is not counted."""

    def __init__(self, desk: Desk, cells: Sequence[Cell]) -> None:
        self.desk, self.cells = desk, cells
        self.section = ""
        self.seconds = 0.0
        self.last = monotonic()

    def begin(self, info: Any) -> None:
        self._count()

    def end(self, result: Any) -> None:
        self._count()
        if cell := find_cell(self.cells, result.info.cell_id, result.info.raw_cell):  # else one of the learner's own
            self.section = cell.section
        self.desk.work(self.seconds, self.section)
        self.seconds = 0.0

    def _count(self) -> None:
        now = monotonic()
        passed, self.last = now - self.last, now
        self.seconds += passed if passed <= LONGEST else 0.0


def explain_name(result: Any, cells: Sequence[Cell], is_new: bool = False) -> None:
    """After a NameError, say which cells make the name; ``is_new`` if the lesson's first cell was not run yet."""
    error = result.error_in_exec
    if not isinstance(error, NameError) or error.name is None:  # an UnboundLocalError has no name
        return
    here = find_cell(cells, result.info.cell_id, result.info.raw_cell)
    maker = find_maker(cells, error.name, here)
    if maker is None or maker == here:
        return
    told = [NEW] if is_new else []
    if maker != cells[0]:
        told.append(describe_maker(error.name, maker, here))
    elif not is_new:
        told.append(f"`{error.name}` is made in the lesson's first cell: run that first.")
    print("→", *told)


def describe_maker(name: str, maker: Cell, here: Cell | None) -> str:
    """Return the sentence that says where a name is made, and the shortest way to have it."""
    if here and here.section == maker.section:
        return f"`{name}` is made further up in this section: run its cells first, from the heading on."
    where = f"in the section “{maker.section}”" if maker.section else "above the first section"
    section = here.section if here and here.section else ""
    shortcut = f' Or run lesson.catch_up("{section}") in a new cell: then this section can begin.' if section else ""
    return f"`{name}` is made {where}: run its cells first.{shortcut}"
