"""One lesson from three: as it was, as a learner has it, and as the course has it now. Cells are known by their ids.

A cell is taken as a whole. To merge its lines, as git and nbdime do, could make code of two hands that runs and means
what neither of them meant. Where both sides changed a cell, both versions stay, with a note between them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]

BOTH = "**The course changed this cell, and so did you.** Yours stands above, the new one below. Keep what you like."
GONE = "**The course no longer has the cell above.** It stays because you changed it. Delete it if you like."
BACK = "**You deleted this cell, and the course has changed it since.** Here it is again. Delete it if you like."
LONGEST = 64  # characters of a cell's id, as Jupyter's format has it


def merge(base: Notebook, mine: Notebook, newest: Notebook) -> tuple[Notebook, int]:
    """Return the merged lesson, in the course's order, and how many notes stand in it that weren't there before.

    What the learner wrote is in it word for word; outputs stay with cells whose code stays.

    Args:
        base: the version that both others began as.
        mine: the learner's.
        newest: the course's.
    """
    kept = list(make_ids_unique(mine["cells"]))
    was, yours, now = ({cell["id"]: cell for cell in cells} for cells in (base["cells"], kept, newest["cells"]))
    cells, own = [], defaultdict(list)
    above = ""  # the last cell that the course has, too: what a learner adds stays below it
    for cell in kept:
        if cell["id"] in now:
            above = cell["id"]
        elif cell["id"] not in was:
            own[above].append(cell)
        elif not same(cell, was[cell["id"]]):
            own[above] += [cell, make_note(GONE, cell)]
    cells += own[""]
    for cell in newest["cells"]:
        cells += choose(was.get(cell["id"]), yours.get(cell["id"]), cell)
        cells += own[cell["id"]]
    notes = count_notes(cells) - count_notes(kept)
    metadata = mine["metadata"] | newest["metadata"]
    return newest | {"cells": list(make_ids_unique(cells)), "metadata": metadata}, notes


def choose(was: Cell | None, yours: Cell | None, now: Cell) -> list[Cell]:
    """Return what becomes of one of the course's cells."""
    if yours is None:
        if was is None:
            return [now]
        return [] if same(was, now) else [make_note(BACK, now), now]
    if same(yours, now):
        return [yours | {"metadata": now["metadata"]}]  # its tags and folds; the output is the learner's
    if was and same(was, yours):
        return [now]
    if was and same(was, now):
        return [yours]
    return [yours, make_note(BOTH, now), now | {"id": make_id(now, "new")}]


def same(one: Cell, other: Cell) -> bool:
    return one["cell_type"] == other["cell_type"] and "".join(one["source"]) == "".join(other["source"])


def count_notes(cells: Iterable[Cell]) -> int:
    return sum("cnngen" in cell["metadata"] for cell in cells)


def make_note(text: str, cell: Cell) -> Cell:
    return {
        "cell_type": "markdown",
        "id": make_id(cell, "note"),
        "metadata": {"cnngen": {"note": True}},
        "source": [text],
    }


def make_id(cell: Cell, end: str) -> str:
    digest = hashlib.sha256("".join(cell["source"]).encode()).hexdigest()[:8]
    return f"{cell['id'][: LONGEST - len(digest) - len(end) - 2]}-{end}-{digest}"


def make_ids_unique(cells: Iterable[Cell]) -> Iterable[Cell]:
    """Give a cell whose id is taken by one above it another id; a copied cell may have brought its own along."""
    taken = set()
    for cell in cells:
        number, name = 2, cell["id"]
        while name in taken:
            name, number = f"{cell['id'][: LONGEST - 4]}-{number}", number + 1
        taken.add(name)
        yield cell | {"id": name}
