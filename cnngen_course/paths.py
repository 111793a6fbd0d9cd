"""Where the course's data and weights lie, and how a file is checked before it is used."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
WEIGHTS = DATA / "weights"
LEDGER = DATA / "ledger.json"


class DamagedFileError(RuntimeError):
    """A file of the course is missing or not as it was published."""


def complain(path: Path, what: str) -> DamagedFileError:
    """Return the error for a file of the course that cannot be used; it says how to get it back."""
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return DamagedFileError(f"{name} {what}. Get it back with:  git checkout -- {name.as_posix()}")


def read_file(path: Path) -> bytes:
    """Return the bytes of a file of the course.

    Raises:
        DamagedFileError: it is missing or cannot be read; the message says how to get it back.
    """
    if not path.exists():
        raise complain(path, "is missing")
    try:
        return path.read_bytes()
    except OSError as error:  # no permission, a folder of that name, a broken disk
        raise complain(path, f"cannot be read ({error.strerror})") from None


def read_json(path: Path) -> Any:
    """Return what a JSON file of the course holds.

    Raises:
        DamagedFileError: it is missing, unreadable or not JSON; the message says how to get it back.
    """
    content = read_file(path)
    try:
        return json.loads(content.decode("utf-8"))
    except ValueError as error:  # also a byte that is not UTF-8
        raise complain(path, f"is damaged ({error})") from None


@cache
def read_ledger() -> dict:
    """Return the ledger of all data sets: name -> licence, sources and the sha256 of each file.

    Raises:
        DamagedFileError: the ledger is missing, cut or altered; the message says how to get it back.
    """
    ledger = read_json(LEDGER)
    entries = list(ledger.values()) if isinstance(ledger, dict) else []
    if not entries or not all(isinstance(entry, dict) and "files" in entry for entry in entries):
        raise complain(LEDGER, "is damaged: it is not a list of data sets and their files")
    return ledger


def read_verified(path: Path, sha256: str) -> bytes:
    """Return the bytes of ``path`` after checking them against ``sha256``.

    Raises:
        DamagedFileError: the file is missing, cut or altered; the message says how to get it back.
    """
    content = read_file(path)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        expected = f"expected sha256 {sha256[:12]}..., found {found[:12]}... in {len(content):,} bytes"
        raise complain(path, f"is damaged: {expected}")
    return content


def read_data(name: str, file: str) -> bytes:
    """Return the verified bytes of ``data/<name>/<file>``, as entered in the ledger.

    Raises:
        DamagedFileError: the file is missing, cut or altered, or the ledger is, or does not know it.
    """
    try:
        sha256 = read_ledger()[name]["files"][file]["sha256"]
    except (KeyError, TypeError):
        raise complain(LEDGER, f"does not know {name}/{file}") from None
    return read_verified(DATA / name / file, sha256)
