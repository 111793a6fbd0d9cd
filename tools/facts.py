"""Numbers in the lessons' prose that come from a source: an invisible comment beside each says which.

``trained for 14,000<!-- generator.training.steps --> batches`` takes its number from the provenance of the weights
``generator``; ``<!-- generator.training.seconds / 60 -->`` counts in minutes. ``timings.04_upsampling.seconds`` is what
``course.py bench`` measured. ``course.py execute`` brings the numbers up to date, and a test compares them.
"""

import re
from functools import reduce
from typing import Any

from cnngen_course.desk.times import load_timings
from cnngen_course.paths import DamagedFileError
from cnngen_course.pretrained import load_provenance

FACT = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)<!-- (?P<source>[^>]+?) -->")
PRODUCT = re.compile(r"[\w.]+(?: [*/] [\w.]+)*")


def refresh(text: str) -> str:
    """Return the text with every sourced number as its source has it now, with as many decimals as it had."""
    return FACT.sub(lambda found: f"{write_like(found)}<!-- {found['source']} -->", text)


def write_like(found: re.Match[str]) -> str:
    decimals = len(found["number"].partition(".")[2])
    return f"{compute(found['source']):,.{decimals}f}"


def compute(source: str) -> float:
    """Return the value of a source, or of several with ``*`` and ``/`` between them, from left to right.

    Raises:
        ValueError: there is no such source, or it is written in another way.
    """
    if not PRODUCT.fullmatch(source):
        raise ValueError(f"{source!r} is not one source, nor several with * or / between them")
    first, *rest = source.split()
    value = look_up(first)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        value = value * look_up(term) if sign == "*" else value / look_up(term)
    return value


def look_up(term: str) -> float:
    if term.isdecimal():
        return float(term)
    name, *path = term.split(".")
    try:
        facts: Any = load_timings() if name == "timings" else load_provenance(name)
    except DamagedFileError as error:
        raise ValueError(f"there are no facts of {name}: {error}") from error
    try:
        return float(reduce(lambda part, key: part[key], path, facts))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{term} is no number in the facts of {name}") from error
