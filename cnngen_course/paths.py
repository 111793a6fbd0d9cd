"""Where the course's data and weights lie, and how a file is checked before it is used."""

import hashlib
import json
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
WEIGHTS = DATA / "weights"
LEDGER = DATA / "ledger.json"


class DamagedFileError(RuntimeError):
    """A file of the course is missing or not as it was published."""


@cache
def read_ledger() -> dict:
    """Return the ledger of all data sets: name -> licence, sources and the sha256 of each file."""
    return json.loads(LEDGER.read_text(encoding="utf-8"))


def read_verified(path: Path, sha256: str) -> bytes:
    """Return the bytes of ``path`` after checking them against ``sha256``.

    Raises:
        DamagedFileError: the file is missing, cut or altered; the message says how to get it back.
    """
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    repair = f"Get it back with:  git checkout -- {name.as_posix()}"
    if not path.is_file():
        raise DamagedFileError(f"{name} is missing. {repair}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DamagedFileError(
            f"{name} is damaged: expected sha256 {sha256[:12]}..., found {found[:12]}... in {len(content):,} bytes. "
            f"{repair}"
        )
    return content


def read_data(name: str, file: str) -> bytes:
    """Return the verified bytes of ``data/<name>/<file>``, as entered in the ledger."""
    return read_verified(DATA / name / file, read_ledger()[name]["files"][file]["sha256"])
