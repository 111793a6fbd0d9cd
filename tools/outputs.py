"""Are a lesson's stored texts still what its cells say? Numbers may differ from machine to machine, words may not.

A number that became NaN or infinite is no other number but a fault: these two count as words.
"""

import re
from collections.abc import Iterable

from nbformat import NotebookNode

from tools.execute import is_kept

NUMBER = re.compile(r"[-+−±]?\d[\d,.]*(?:e[-+]?\d+)?%?")
# Which of two is faster, or better by a hair: another machine may say otherwise, and claims say what holds on all.
OUTCOME = re.compile(r"^What came out: .*", re.DOTALL)
MACHINE = re.compile(r"(?<=\d)\+(?:cu\d+|cpu)\b|\bon (?:Linux|Darwin|Windows) \w+")  # torch's build, the system


def mask(text: str) -> str:
    """Return the words: every number is a ``#``, and columns that numbers widen are as wide as one space."""
    return re.sub(r"\s+", " ", NUMBER.sub("#", MACHINE.sub("", OUTCOME.sub("What came out", text)))).strip()


def read_texts(outputs: Iterable[NotebookNode]) -> list[str]:
    """Return what a cell prints, all of it as one text, and then the words of what it shows."""
    kept = [output for output in outputs if is_kept(output)]
    printed = "".join(output.text for output in kept if output.output_type == "stream")
    shown = [output.data["text/plain"] for output in kept if "text/plain" in output.get("data", {})]
    return [mask(text) for text in [printed, *shown]]


def find_difference(stored: Iterable[NotebookNode], fresh: Iterable[NotebookNode]) -> str | None:
    """Return both texts from where they begin to differ, or None if their words agree."""
    before, now = "\n".join(read_texts(stored)), "\n".join(read_texts(fresh))
    if before == now:
        return None
    place = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    start = max(0, place - 40)
    return f"stored: ...{before[start : place + 80]!r}\nnow:    ...{now[start : place + 80]!r}"
