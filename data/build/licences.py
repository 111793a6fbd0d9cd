"""Full licence texts, taken from one verified package, for the LICENSE file of each data set."""

import json
import re
from pathlib import Path

from data.build.ledger import Record
from data.build.sources import Source, fetch, unpack

TEXTS = Source(
    registry="npm",
    package="spdx-license-list",
    version="6.12.0",
    file="spdx-license-list-6.12.0.tgz",
    sha256="54cc8d13086187333ca1457c8edaa06d9a412144f076aa7f7c1b59c4f3b0a1ef",
)


def licence_text(identifier: str, copyright_line: str = "") -> str:
    """The text of an SPDX licence such as ``CC-BY-4.0``; MIT and BSD need their copyright line."""
    path = unpack(fetch(TEXTS)) / "package" / "licenses" / f"{identifier}.json"
    text = json.loads(path.read_text(encoding="utf-8"))["licenseText"].strip()
    if copyright_line:
        text = re.sub(r"Copyright \(c\) <year> <[a-z ]+>\.?", copyright_line, text)
    return text + "\n"


def write_notices(folder: Path, record: Record, text: str) -> None:
    """Write LICENSE (the full text) and ATTRIBUTION.md (who made it, what was changed) into a data set's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "LICENSE").write_text(text, encoding="utf-8")
    notice = f"# {record.title}\n\n{record.attribution}\n\nAuthor: {record.author}  \nLicence: {record.licence}\n"
    (folder / "ATTRIBUTION.md").write_text(f"{notice}\n## What was changed\n\n{record.contents}\n", encoding="utf-8")
