"""``python -m tools.rehearse [LESSON ...]``: what a lesson says when its cells are not run once, in order, to the end.

``stopped``: every training is stopped after a few batches, as by the stop button. ``twice``: every cell is run twice.
``backwards``: after the last cell, all of them once more from the last to the first. Whatever goes wrong then must be
told in a sentence of the course's own; prints each cell that fails otherwise.
"""

import argparse
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnngen_course.claims import UnfinishedTraining
from tools.execute import choose_lessons, run_notebook

STOP = """
from cnngen_course import training as _training

def _take(loader, steps, _whole=_training.take):
    for count, batch in enumerate(_whole(loader, steps)):
        if count == 3:
            raise KeyboardInterrupt
        yield batch

_training.take = _take
"""


def stop_trainings(notebook: NotebookNode) -> None:
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STOP, id="stop"))


def repeat_cells(notebook: NotebookNode) -> None:
    notebook.cells = [copy for cell in notebook.cells for copy in (cell, copy_cell(cell, "again"))]


def add_backwards(notebook: NotebookNode) -> None:
    notebook.cells += [copy_cell(cell, "backwards") for cell in reversed(notebook.cells)]


def copy_cell(cell: NotebookNode, turn: str) -> NotebookNode:
    copied = deepcopy(cell)
    copied.id = f"{cell.id}-{turn}"
    return copied


WAYS = {"stopped": stop_trainings, "twice": repeat_cells, "backwards": add_backwards}


def rehearse(lesson: Path, way: str) -> list[str]:
    """Return one line a cell that fails without a sentence of the course's own."""
    notebook = nbformat.read(lesson, as_version=4)
    WAYS[way](notebook)
    run_notebook(notebook, allow_errors=True, CNNGEN_CLAIMS="told")
    return list(find_failures(notebook))


def find_failures(notebook: NotebookNode) -> Iterator[str]:
    told = False  # after a cell that said what is missing, a name that it would have made is missing, too
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                if output.ename == UnfinishedTraining.__name__:
                    told = True
                elif not (told and output.ename == "NameError"):
                    yield f"{cell.id}: {output.ename}: {output.evalue}"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chosen", nargs="*", metavar="LESSON", help="03, or the name of a notebook; all without one")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    wanted = parser.parse_args(arguments)
    failed = False
    for lesson in choose_lessons(wanted.chosen):
        for way in wanted.ways:
            failures = rehearse(lesson, way)
            failed = failed or bool(failures)
            print(f"{lesson.name}, {way}: {len(failures) or 'no'} failures", *failures, sep="\n  ", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
