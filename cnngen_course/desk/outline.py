"""A published lesson's code cells, each with the section that it stands in and the names that it makes."""

import re
import symtable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cnngen_course.paths import DATA, ROOT, read_json

NOTEBOOKS = ROOT / "notebooks"
STORED = DATA / "moments"  # what trainings of a lesson leave, one file a lesson, where there is one
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One code cell; ``section`` is its heading's words, "" above the first heading."""

    id: str
    section: str
    source: str

    @property
    def makes(self) -> frozenset[str]:
        """The names that are there once the cell was run; none where the code has an error."""
        try:
            table = symtable.symtable(self.source, self.id, "exec")
        except SyntaxError:
            return frozenset()
        return frozenset(name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported())


@cache
def read_cells(slug: str) -> tuple[Cell, ...]:
    """Return the code cells of a published lesson, top to bottom; none if there is no such lesson.

    Raises:
        DamagedFileError: the lesson is cut or altered; the message says how to get it back.
    """
    cells, section = [], ""
    for path in NOTEBOOKS.glob(f"[0-9][0-9]_{slug}.ipynb"):
        for cell in read_json(path)["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code":
                cells.append(Cell(cell["id"], section, source))
            elif headings := HEADING.findall(FENCED.sub("", source)):
                section = headings[-1]
    return tuple(cells)


def find_cell(cells: Sequence[Cell], cell_id: str | None, source: str) -> Cell | None:
    """Return the lesson's cell with that id or, where a front end names none or its own, with that code."""
    by_id = (cell for cell in cells if cell.id == cell_id)
    return next(by_id, None) or next((cell for cell in cells if cell.source == source), None)


def find_maker(cells: Sequence[Cell], name: str, before: Cell | None = None) -> Cell | None:
    """Return the cell to run for a name: of those that make it the last one above ``before``, else the first one."""
    above = cells[: cells.index(before)] if before else ()
    makers = [cell for cell in above if name in cell.makes]
    return makers[-1] if makers else next((cell for cell in cells if name in cell.makes), None)


def find_lesson(slug: str) -> Path:
    """Return the published lesson of that name."""
    (path,) = NOTEBOOKS.glob(f"[0-9][0-9]_{slug}.ipynb")
    return path


@cache
def read_title(slug: str) -> str:
    """Return a lesson's title as its first heading has it, e.g. "07 · Two networks play a game".

    Raises:
        DamagedFileError: the lesson is cut or altered; the message says how to get it back.
    """
    first = "".join(read_json(find_lesson(slug))["cells"][0]["source"])
    return first.partition("\n")[0].removeprefix("# ")


def find_names(slug: str, call: str) -> tuple[str, ...]:
    """Return the names that a lesson hands over in ``exercise.check("name", ...)``, ``lesson.predict("name")`` etc."""
    named = re.compile(rf"^[^#\n]*\b{re.escape(call)}\(\s*[\"']([^\"']+)[\"']", re.MULTILINE)
    found = (name for cell in read_cells(slug) for name in named.findall(cell.source))
    return tuple(dict.fromkeys(found))


def list_lessons() -> dict[str, str]:
    """Return the files of the published lessons by slug, in the course's order."""
    return {path.stem[3:]: path.name for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
