"""What a lesson says of its own numbers, checked where it is said.

A training gives other last digits on another processor, so what holds on one machine can fail on the next by a hair.
On a learner's machine that is said in words, and the lesson goes on. In the tests, in ``course.py execute`` and on CI
(``CNNGEN_CLAIMS=strict``) it is an error. ``course.py claims`` collects how far each claim was from failing.
"""

import json
import math
import operator
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

STRICT = {"CNNGEN_CLAIMS": "strict"}  # the environment in which a claim that fails is an error
FILE = "CNNGEN_CLAIMS_FILE"  # this variable names a file that takes one JSON line a claim
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
EXPLANATION = (
    "That can happen: another processor adds numbers up in another order, and training makes such small differences "
    "large. A seed or a setting that you changed does it, too, and so does a training that was stopped or run twice. "
    "The text tells of our run; the lesson goes on."
)


def claim(words: str, *terms: Any) -> None:
    """Check what the lesson says: ``claim("blur costs more than noise", blur, ">", noise, ">", 0)``.

    ``terms`` are numbers with a sign between them, or one condition: ``claim("both are equal", torch.equal(a, b))``.
    A claim that holds says nothing. One that fails prints what came out differently, or raises an AssertionError
    where ``CNNGEN_CLAIMS`` is ``strict``.
    """
    values, signs = terms[::2], terms[1::2]
    if len(values) != len(signs) + 1 or not set(signs) <= set(SIGNS):
        raise TypeError(f'a claim needs a condition, or numbers with a sign between them: claim("{words}", a, ">", b)')
    pairs = list(zip(values, signs, values[1:], strict=False))
    held = all(bool(SIGNS[sign](left, right)) for left, sign, right in pairs) if pairs else bool(values[0])
    measured = " ".join(_write(term) for term in terms) if pairs else ""
    _record(words, held, compute_margin(pairs), measured)
    if held:
        return
    report = f"{words}, but this run has {measured}" if measured else words
    if os.environ.get("CNNGEN_CLAIMS") == STRICT["CNNGEN_CLAIMS"]:
        raise AssertionError(report)
    print(f"✗ On this machine it came out differently. The lesson says: {report}. {EXPLANATION}")


def compute_margin(pairs: Sequence[tuple[Any, str, Any]]) -> float | None:
    """Return how far the nearest of ``(left, sign, right)`` is from failing, or None where that is no number.

    0.1 means that one side could move by a tenth of the larger side; below nought it failed. Against a nought at
    the right the margin is the plain difference.
    """
    try:
        margins = [
            _compute_gap(float(left), float(right)) * (1 if sign in (">", ">=") else -1)
            for left, sign, right in pairs
            if sign not in ("==", "!=")
        ]
    except (TypeError, ValueError):  # shapes or names, which are in an order but at no distance
        return None
    return None if not margins or any(map(math.isnan, margins)) else min(margins)


def _compute_gap(left: float, right: float) -> float:
    scale = max(abs(left), abs(right)) if right else 1.0
    return (left - right) / scale


def _write(term: Any) -> str:
    """Numbers with four digits: more would differ from machine to machine and say nothing."""
    if isinstance(term, str):
        return term
    try:
        return f"{float(term):.4g}"
    except (TypeError, ValueError):  # a shape, a list of names
        return str(term)


def _record(words: str, held: bool, margin: float | None, measured: str) -> None:
    if name := os.environ.get(FILE):
        with Path(name).open("a", encoding="utf-8") as file:
            line = {"words": words, "held": held, "margin": margin, "measured": measured}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class UnfinishedTraining(LookupError):
    """A cell asked for a moment that its training never reached; the message says what to run."""


class Moments(dict[str, Any]):
    """What a training left on its way, by the name of the moment: ``moments["100 batches"] = images``."""

    def __missing__(self, name: str) -> Any:
        raise UnfinishedTraining(
            f"There is nothing from {name}: the training was stopped before it came so far "
            f"(it left: {', '.join(self) or 'nothing'}). Run the cell that trains again and let it end, then this one."
        )
