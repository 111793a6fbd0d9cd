"""``python course.py claims [LESSON ...]``: how far from failing is what the lessons say of their numbers?

Runs lessons over several seeds and over processors as this one can play them, and prints every claim with its margin,
the nearest to failing first. Each seed meets each lesson on another processor, so five seeds are five runs a lesson;
``--all`` runs every seed on every processor. Results are appended to a file at once, so that the task goes on where it
was stopped; a lesson runs anew once its code has changed, and all of them once the package's has.
"""

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from cnngen_course import claims
from tools.execute import NOTEBOOKS, ROOT, choose_lessons, run_notebook

PACKAGE = ROOT / "cnngen_course"
RESULTS = ROOT / "artefacts" / "claims.jsonl"
SHIFT = 1000  # so far that no shifted seed meets another one of the lesson
SEED = re.compile(r"\b(?P<before>seed_everything\(|manual_seed\(|seed=)(?P<seed>\d+)\b")


def shift_seeds(source: str, shift: int) -> str:
    """Return a cell's code with every seed that it names moved by ``shift`` thousand; 0 leaves it as it is.

    The lessons' own seeds only: data, weights and stored trainings stay what they are.
    """
    return SEED.sub(lambda found: f"{found['before']}{int(found['seed']) + SHIFT * shift}", source)


@dataclass(frozen=True)
class Machine:
    """A processor to play: what PyTorch and oneDNN may use of it, and how many threads.

    ``needs`` are flags of ``/proc/cpuinfo`` without which it can't be played here.
    """

    name: str
    capability: str = ""
    isa: str = ""
    precision: str = ""
    threads: int = 1
    needs: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        named = {"ATEN_CPU_CAPABILITY": self.capability, "ONEDNN_MAX_CPU_ISA": self.isa}
        named |= {"CNNGEN_PRECISION": self.precision, "OMP_NUM_THREADS": str(self.threads)}
        return {name: value for name, value in named.items() if value}


MACHINES = (
    Machine("as it is"),
    Machine("two threads", threads=2),
    # Without 16-bit arithmetic: these processors have none, and playing it is many times slower.
    Machine("default", "default", "AVX2", "no"),
    Machine("avx2", "avx2", "AVX2", "no", needs=("avx2",)),
    Machine("avx512", "avx512", "AVX512_CORE", "no", needs=("avx512bw", "avx512dq", "avx512vl")),
    Machine("amx", "avx512", "AVX512_CORE_AMX", "bf16", needs=("amx_tile", "amx_bf16")),
)


def list_machines() -> list[Machine]:
    """Return the machines that this processor can play; what it does not say of itself it can't."""
    return [machine for machine in MACHINES if set(machine.needs) <= read_flags()]


def read_flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    return set(info.read_text(encoding="utf-8").split()) if info.exists() else set()


@dataclass(frozen=True)
class Run:
    """One lesson with one seed on one machine; ``code`` tells whether it or the package has changed since."""

    lesson: str
    code: str
    seed: int
    machine: str


def plan(lessons: Iterable[Path], seeds: Iterable[int], machines: Sequence[Machine], everything: bool) -> Iterator[Run]:
    """Yield the runs: each seed on every machine, or on one that moves on from seed to seed and lesson to lesson."""
    lessons = list(lessons)
    for seed in seeds:
        for lesson in lessons:
            place = seed + int(lesson.name[:2])
            for machine in machines if everything else [machines[place % len(machines)]]:
                yield Run(lesson.stem, hash_code(lesson), seed, machine.name)


def hash_code(lesson: Path) -> str:
    """Return what tells one state of a lesson's code from another: that of its cells and of the whole package."""
    cells = nbformat.read(lesson, as_version=4).cells
    code = "\0".join([hash_package(), *(cell.source for cell in cells if cell.cell_type == "code")])
    return hashlib.sha256(code.encode()).hexdigest()[:12]


@cache
def hash_package() -> str:
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def measure(run: Run, machine: Machine) -> dict[str, object]:
    """Run a lesson; return what it claimed, how long it took, and the error that stopped it, if one did."""
    notebook = nbformat.read(NOTEBOOKS / f"{run.lesson}.ipynb", as_version=4)
    shift_notebook(notebook, run.seed)
    start, error = time.perf_counter(), None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "claims.jsonl"
        file.touch()
        try:
            run_notebook(notebook, **machine.variables, **{claims.FILE: str(file), "CNNGEN_CLAIMS": "told"})
        except CellExecutionError as failure:  # a line of the table, and the task's exit status
            error = f"{failure.ename}: {failure.evalue}"
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {**vars(run), "seconds": round(time.perf_counter() - start), "error": error, "claims": found}


def shift_notebook(notebook: NotebookNode, shift: int) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = shift_seeds(cell.source, shift)


def load(file: Path) -> dict[Run, dict]:
    """Return the stored results by run. A last line that was not written to its end is cut off the file."""
    if not file.exists():
        return {}
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        file.write_bytes(whole)
    results = [json.loads(line) for line in whole.splitlines()]
    return {Run(*(result[name] for name in ("lesson", "code", "seed", "machine"))): result for result in results}


@dataclass(frozen=True)
class Row:
    """One claim over all runs. ``margins`` are empty for what is true or false without a distance."""

    lesson: str
    words: str
    held: int
    count: int
    margins: tuple[float, ...]
    worst: str

    @property
    def smallest(self) -> float:
        return min(self.margins, default=float("inf"))

    @property
    def spread(self) -> float:
        return max(self.margins, default=0.0) - min(self.margins, default=0.0)

    @property
    def distance(self) -> float:
        """How many times the spread of its margins the smallest one is from failing: what never moves can't fail."""
        if self.held < self.count:
            return min(self.smallest, 0.0)
        return self.smallest / self.spread if self.spread else float("inf")


def summarise(results: Iterable[dict]) -> list[Row]:
    """Return the claims, the nearest to failing first."""
    found: dict[tuple[str, str], list[tuple[dict, str]]] = defaultdict(list)
    for result in results:
        for line in result["claims"]:
            run = f"seed {result['seed']}, {result['machine']}: {line['measured']}"
            found[result["lesson"], line["words"]].append((line, run))
    rows = []
    for (lesson, words), lines in found.items():
        margins = tuple(line["margin"] for line, _ in lines if line["margin"] is not None)
        _, worst = min(lines, key=lambda pair: (pair[0]["held"], pair[0]["margin"] or 0.0))
        rows.append(Row(lesson, words, sum(line["held"] for line, _ in lines), len(lines), margins, worst))
    return sorted(rows, key=lambda row: (row.distance, row.smallest))


def describe(rows: Sequence[Row], results: Sequence[dict]) -> Iterator[str]:
    """Yield the lines of the table and its summary."""
    yield f"{'held':>7} {'margin':>8} {'spread':>8}  lesson and claim (the run that came nearest to failing)"
    for row in rows:
        margin, spread = (f"{value:8.3f}" if row.margins else " " * 8 for value in (row.smallest, row.spread))
        yield f"{row.held:3}/{row.count:3} {margin} {spread}  {row.lesson[:2]} {row.words} ({row.worst})"
    for result in results:
        if result["error"]:
            yield f"STOPPED {result['lesson']}, seed {result['seed']}, {result['machine']}: {result['error']}"
    failed = sum(row.held < row.count for row in rows)
    seeds, machines = ({result[name] for result in results} for name in ("seed", "machine"))
    where = f"seeds {sorted(seeds)}, {', '.join(sorted(machines))}"
    yield f"{len(rows)} claims, {len(results)} runs, {where}: {failed} fail"


def read_seeds(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chosen", nargs="*", metavar="LESSON", help="03, or the name of a notebook; all without one")
    parser.add_argument("--seeds", type=read_seeds, default=[0, 1, 2, 3, 4], help="0,1,2,3,4 without it")
    parser.add_argument("--all", action="store_true", help="every seed on every processor")
    parser.add_argument("--file", type=Path, default=RESULTS, help="what was measured; runs in it are not run again")
    parser.add_argument("--show", action="store_true", help="print what the file holds, run nothing")
    wanted = parser.parse_args(arguments)
    lessons = choose_lessons(wanted.chosen)
    machines = {machine.name: machine for machine in list_machines()}
    wanted.file.parent.mkdir(parents=True, exist_ok=True)
    done = load(wanted.file)
    runs = list(plan(lessons, wanted.seeds, list(machines.values()), wanted.all))
    for run in [] if wanted.show else [run for run in runs if run not in done]:
        done[run] = measure(run, machines[run.machine])
        with wanted.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(done[run], ensure_ascii=False) + "\n")
        failed = sum(not line["held"] for line in done[run]["claims"])
        told = f"{done[run]['seconds']} s, {failed} fail"
        print(f"{run.lesson}, seed {run.seed}, {run.machine}: {told}", file=sys.stderr, flush=True)
    asked = {(lesson.stem, hash_code(lesson), seed) for lesson in lessons for seed in wanted.seeds}
    results = [result for run, result in done.items() if (run.lesson, run.code, run.seed) in asked]
    rows = summarise(results)
    print(*describe(rows, results), sep="\n")
    if any(row.held < row.count for row in rows) or any(result["error"] for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
