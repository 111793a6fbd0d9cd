"""``python course.py execute [NOTEBOOK ...]``: run lessons top to bottom and store their outputs, ready for git.

What differs from run to run (progress bars, widget ids, times of execution) is left out, and the minutes and
memory in a lesson's header are brought up to what ``python course.py bench`` measured; so are the numbers in the prose
that name their source (``tools/facts.py``).
"""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from cnngen_course.claims import STRICT
from cnngen_course.desk.store import OFF
from tools import facts

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TIMINGS = NOTEBOOKS / "timings.json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TIME_LINE = re.compile(r"^\*\*Time:\*\*.*$", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def run(path: Path) -> NotebookNode:
    """Return the notebook as a clean kernel leaves it after running every cell in order; claims must hold."""
    notebook = nbformat.read(path, as_version=4)
    run_notebook(notebook, **STRICT, **OFF)
    return notebook


def run_notebook(
    notebook: NotebookNode, allow_errors: bool = False, hooks: dict[str, Callable] | None = None, **variables: str
) -> None:
    """Run every cell in order in a kernel of its own, with more environment variables, and nbclient's ``hooks``."""
    settings = {"timeout": 600, "kernel_name": "python3", "record_timing": False, "allow_errors": allow_errors}
    settings |= hooks or {}
    NotebookClient(notebook, resources={"metadata": {"path": NOTEBOOKS}}, **settings).execute(
        env=os.environ | variables
    )


def normalise(notebook: NotebookNode, name: str) -> None:
    """Drop from the notebook whatever would differ in the next run, and write the measured time into its header."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = make_metadata(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown":
            cell.source = facts.refresh(cell.source)
        if cell.cell_type == "code":
            cell.outputs = [normalise_output(output) for output in cell.outputs if is_kept(output)]
    write_time(notebook, name)


def make_metadata(tags: Sequence[str]) -> NotebookNode:
    """Return a cell's metadata: its tags, and whether its code is folded away because it tells what comes out."""
    folded = {"jupyter": {"source_hidden": True}} if "reveal" in tags else {}
    return nbformat.from_dict(({"tags": list(tags)} if tags else {}) | folded)


def write_time(notebook: NotebookNode, name: str) -> None:
    """Write the measured time into the lesson's header."""
    goals = notebook.cells[1]
    line = describe_time(name, notebook)
    goals.source = TIME_LINE.sub(lambda _: line, goals.source)


def is_kept(output: NotebookNode) -> bool:
    """Standard error holds progress bars and warnings, and a bare progress widget means nothing without its kernel."""
    if output.output_type == "stream":
        return output.name != "stderr"
    data = output.get("data", {})
    return not (WIDGET_VIEW in data and not any(kind.startswith("image/") for kind in data))


def normalise_output(output: NotebookNode) -> NotebookNode:
    if "data" in output:
        output.data.pop(WIDGET_VIEW, None)
    return output


def describe_time(name: str, notebook: NotebookNode) -> str:
    """Return the header's line of measured time; minutes of reading are estimated from the text and the exercises."""
    line = f"**Time:** about {estimate_minutes(notebook)} minutes to work through"
    timings = json.loads(TIMINGS.read_text(encoding="utf-8")) if TIMINGS.exists() else {"lessons": {}}
    if measured := timings["lessons"].get(name):
        line += f"; {measured['seconds']:.0f} s of computing on two cores, {measured['memory_gb']:.1f} GB of memory"
    return line + ". Works offline."


def estimate_minutes(notebook: NotebookNode) -> int:
    """Estimate: 100 words a minute, half a minute a code cell, 7 minutes an exercise, 3 an explorer; in fives."""
    text = [
        facts.FACT.sub(r"\g<number>", TIME_LINE.sub("", cell.source))
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    ]
    words = sum(len(part.split()) for part in text)
    code = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "reveal" not in cell.metadata.get("tags", [])
    ]
    exercises = sum("exercise.check(" in source for source in code)
    explorers = sum("explorer.make_" in source or "make_panel" in source for source in code)
    return 5 * round((words / 100 + 0.5 * len(code) + 7 * exercises + 3 * explorers) / 5)


def choose_lessons(names: Sequence[str]) -> list[Path]:
    """Return the notebooks named by number ("3", "03") or by name, with or without folder; all without a name."""
    lessons = sorted(NOTEBOOKS.glob("*.ipynb"))
    wanted = [f"{int(name):02}" if name.isdecimal() else Path(name).stem for name in names]
    for name in wanted:
        if not any(name in (lesson.stem, lesson.name[:2]) for lesson in lessons):
            sys.exit(f"There is no lesson {name}; there are {', '.join(lesson.stem for lesson in lessons)}.")
    return [lesson for lesson in lessons if not wanted or lesson.stem in wanted or lesson.name[:2] in wanted]


def main(chosen: list[str]) -> None:
    for path in [Path(name).resolve() for name in chosen] or sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = run(path)
        normalise(notebook, path.stem)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
