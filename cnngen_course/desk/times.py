"""How long lessons and their cells take on this machine, told before they do.

``notebooks/timings.json`` knows how much work each lesson is: seconds of one thread on the machine where it was
measured, those of trainings apart from the rest. Two samples (``speed.py``) say what a thread does there, and what
this machine does with all its threads and the precision that it picks; their ratio turns one into the other.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cnngen_course.desk.outline import STORED, find_cell, read_cells
from cnngen_course.desk.store import find_folder
from cnngen_course.paths import ROOT, complain, read_json

TIMINGS = ROOT / "notebooks" / "timings.json"
FILE = "speed.json"  # at the learner's desk
DAY = 24 * 3600  # seconds for which a measured speed holds
BUDGET = 75.0  # seconds that a lesson may take
LONG = 10.0  # seconds; the cells that take longer are announced
USUAL = 0.7  # share of trainings in the time of a lesson whose cells were not measured


@dataclass(frozen=True)
class Work:
    """Seconds: those of ``training``, in the precision that lessons train with, and those of the ``rest``.

    It says how much work a lesson or a cell is; and, as the seconds of the two samples, how fast a machine is.
    """

    training: float
    rest: float

    def predict(self, there: "Work", here: "Work") -> float:
        """Return the seconds that this takes where the samples take ``here``, if it was measured ``there``."""
        return self.training * here.training / there.training + self.rest * here.rest / there.rest


def read_timings() -> dict[str, Any]:
    """Return what ``python3 course.py bench`` wrote.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
    """
    timings = read_json(TIMINGS)
    if not isinstance(timings, dict) or not {"lessons", "one_thread", "two_threads"} <= set(timings):
        raise complain(TIMINGS, "is damaged: it does not say what lessons take")
    return timings


def load_timings() -> dict[str, dict[str, Any]]:
    """Return what each lesson took when it was measured: ``{"07_gan": {"seconds": ..., "memory_gb": ...}, ...}``."""
    return read_timings()["lessons"] if TIMINGS.exists() else {}


def find_speed() -> Work:
    """Return how fast this machine is; measured once a day, kept at the desk.

    A machine that is asked to have other threads or another precision is another machine, and measured anew.
    """
    from cnngen_course.runtime import count_usable_cores, pick_device, pick_precision

    machine = [pick_device().type, pick_precision(), count_usable_cores()]
    machine += [os.environ.get(name) for name in ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")]
    return _find_speed(find_folder(), json.dumps(machine))


@cache
def _find_speed(folder: Path | None, machine: str) -> Work:
    from cnngen_course.desk.speed import measure_speed  # here: the doctor must start where there is no torch

    path = folder / FILE if folder else None
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path else {}
        if kept and kept["machine"] == machine and 0 <= time.time() - kept["moment"] < DAY:
            return Work(**kept["speed"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never measured, or no longer readable: it is measured now
    speed = Work(*measure_speed())
    if path:
        facts = {"machine": machine, "moment": time.time(), "speed": asdict(speed)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(facts) + "\n", encoding="utf-8")
        except OSError:
            pass  # where nothing can be kept, which the store says, it is measured in every lesson
    return speed


def predict_lesson(slug: str) -> float:
    """Return the seconds that a lesson's computing takes on this machine, 0 if it was never measured.

    Args:
        slug: "gan", or the name of the notebook: "07_gan".

    Raises:
        DamagedFileError: ``notebooks/timings.json`` is damaged.
    """
    facts = _find_facts(slug)
    if "work" in facts:
        return Work(**facts["work"]).predict(Work(**read_timings()["one_thread"]), find_speed())
    whole = facts.get("seconds", 0.0)  # of two threads; what share of it is training can only be guessed
    return Work(USUAL * whole, (1 - USUAL) * whole).predict(Work(**read_timings()["two_threads"]), find_speed())


def predict_cell(slug: str, cell: str) -> float:
    """Return the seconds that a cell takes on this machine, 0 if it is short or was never measured.

    Raises:
        DamagedFileError: ``notebooks/timings.json`` is damaged.
    """
    work = _find_facts(slug).get("cells", {}).get(cell)
    return Work(**work).predict(Work(**read_timings()["one_thread"]), find_speed()) if work else 0.0


def _find_facts(slug: str) -> dict[str, Any]:
    return next((facts for name, facts in load_timings().items() if slug in (name, name[3:])), {})


def describe_long_lesson(slug: str) -> str:
    """Return what to say in a lesson's first cell if it takes more than three times its budget here, else ""."""
    seconds = predict_lesson(slug)
    if seconds <= 3 * BUDGET:
        return ""
    told = f"The computing of this lesson takes about {describe_seconds(seconds)} on this machine."
    is_stored = (STORED / f"{slug}.safetensors").exists()
    return f"{told} lesson.hurry() takes the stored results of its trainings instead." if is_stored else told


def describe_long_cell(slug: str, cell_id: str | None, source: str) -> str:
    """Return what to say before a cell runs if it takes more than ``LONG`` seconds here, else ""."""
    cell = find_cell(read_cells(slug), cell_id, source)
    if cell is None or cell.source != source:  # another code takes another time
        return ""
    seconds = predict_cell(slug, cell.id)
    if seconds <= LONG:
        return ""
    end = time.strftime("%H:%M", time.localtime(time.time() + seconds))
    return f"About {describe_seconds(seconds)} on this machine; done at about {end}."


def describe_seconds(seconds: float) -> str:
    """Return a time as exact as a prediction is: "40 s", "2 minutes"."""
    if seconds < 95:
        return f"{5 * max(1, round(seconds / 5))} s"
    return f"{round(seconds / 60)} minutes"
