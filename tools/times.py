"""How much work lessons are, cell by cell, and how well ``cnngen_course.desk.times`` predicts what they take.

Both are measured in seconds of one thread's own work wherever one thread is asked for: other programs on the machine
count for little then. With more threads the clock on the wall counts, and the machine has to be quiet.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import nbformat
import psutil

from cnngen_course.claims import FILE
from cnngen_course.desk.store import OFF
from cnngen_course.desk.times import TIMINGS, Work, read_timings
from tools.claims import Machine, read_flags
from tools.execute import run_notebook

SHORT = 3.0  # seconds; cells that take less are not listed
TRAININGS = "CNNGEN_TRAININGS"
# Runs before a lesson's first cell: every training adds its seconds to a file.
WATCH = f"""
import os as _os, time as _time
from cnngen_course import adversarial_training as _adversarial, training as _training

def _train(*arguments, _whole=_training.train, **settings):
    clock = getattr(_time, _os.environ["CNNGEN_CLOCK"])
    start = clock()
    try:
        return _whole(*arguments, **settings)
    finally:
        with open(_os.environ["{TRAININGS}"], "a", encoding="utf-8") as file:
            file.write(f"{{clock() - start}}\\n")

_training.train = _adversarial.train = _train
"""
MACHINES = (
    Machine("as it is", threads=1),
    Machine("as it is, two threads", threads=2),
    Machine("avx2", "avx2", "AVX2", "no", needs=("avx2",)),
    Machine("avx2, two threads", "avx2", "AVX2", "no", threads=2, needs=("avx2",)),
)


def list_machines() -> list[Machine]:
    """Return those of ``MACHINES`` that this processor can play."""
    return [machine for machine in MACHINES if set(machine.needs) <= read_flags()]


def pick_clock(machine: Machine) -> str:
    """Return the name of the function in ``time`` that measures."""
    return "process_time" if machine.threads == 1 else "perf_counter"


def measure_cells(lesson: Path, machine: Machine = MACHINES[0]) -> dict[str, Work]:
    """Run a lesson, and return the work of each code cell by its id."""
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WATCH, id="watch"))
    clock, found, before = pick_clock(machine), {}, [0.0, 0.0]

    def read_clock() -> float:
        if clock == "perf_counter":
            return time.perf_counter()
        family = psutil.Process().children(recursive=True)  # the kernel, and processes that a lesson starts
        return sum(sum(process.cpu_times()[:4]) for process in family)

    with tempfile.TemporaryDirectory() as folder:
        trainings = Path(folder) / "trainings"
        trainings.touch()

        def read_trainings() -> float:
            return sum(map(float, trainings.read_text(encoding="utf-8").split()))

        def begin(cell: nbformat.NotebookNode, cell_index: int) -> None:
            before[:] = read_clock(), read_trainings()

        def end(cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict) -> None:
            training = read_trainings() - before[1]
            found[cell.id] = Work(training, max(0.0, read_clock() - before[0] - training))

        variables = machine.variables | OFF | {TRAININGS: str(trainings), "CNNGEN_CLOCK": clock, FILE: os.devnull}
        run_notebook(notebook, hooks={"on_cell_execute": begin, "on_cell_executed": end}, **variables)
    return found


def measure_here(machine: Machine) -> Work:
    """Return the seconds of the samples as a processor that is played takes them."""
    code = (
        "import json, time; from cnngen_course.desk.speed import measure_speed;"
        f"print(json.dumps(measure_speed(time.{pick_clock(machine)}, seconds=2)))"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=os.environ | machine.variables
    )
    return Work(*json.loads(answer.stdout))


def add_up(works: Iterable[Work]) -> Work:
    works = list(works)
    return Work(sum(work.training for work in works), sum(work.rest for work in works))


def round_up(work: Work, digits: int = 1) -> dict[str, float]:
    return {name: round(seconds, digits) for name, seconds in asdict(work).items()}


def write_samples() -> dict[str, dict[str, float]]:
    """Measure the samples with one thread and with two, and write them into ``notebooks/timings.json``."""
    samples = {
        "one_thread": round_up(measure_here(MACHINES[0]), 5),
        "two_threads": round_up(measure_here(MACHINES[1]), 5),
    }
    write_timings(read_timings() | samples)
    return samples


def write_work(lesson: Path, cells: dict[str, Work], here: Work) -> Work:
    """Write a lesson's work into ``notebooks/timings.json``, and that of each cell that isn't short; return the former.

    Args:
        here: what the samples took when the cells were measured: they are written as they'd be in the file's seconds.
    """
    timings = read_timings()
    there = Work(**timings["one_thread"])
    scaled = {
        name: Work(work.training * there.training / here.training, work.rest * there.rest / here.rest)
        for name, work in cells.items()
    }
    long = {name: round_up(work) for name, work in scaled.items() if sum(asdict(work).values()) >= SHORT}
    whole = add_up(scaled.values())
    timings["lessons"].setdefault(lesson.stem, {}).update(work=round_up(whole), cells=long)
    write_timings(timings)
    return whole


def write_timings(timings: dict) -> None:
    TIMINGS.write_text(json.dumps(timings, indent=1) + "\n", encoding="utf-8")


def compare(lessons: Iterable[Path], machines: Iterable[Machine]) -> Iterator[tuple[str, float, float]]:
    """Yield lesson and machine, the seconds predicted, and the seconds measured."""
    timings = read_timings()
    there = Work(**timings["one_thread"])
    lessons = list(lessons)
    for machine in machines:
        here = measure_here(machine)
        for lesson in lessons:
            predicted = Work(**timings["lessons"][lesson.stem]["work"]).predict(there, here)
            measured = sum(asdict(add_up(measure_cells(lesson, machine).values())).values())
            yield f"{lesson.stem}, {machine.name}", predicted, measured
