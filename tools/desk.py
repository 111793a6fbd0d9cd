"""``python -m tools.desk``: a learner's own copies of the lessons, in the folder ``desk``, as lab and update want them.

A copy is a published lesson without its outputs. Its metadata name the version that it began as, which is kept in
``desk/.base``: from that one, the newest one and the learner's, ``tools/merge.py`` makes one lesson. Each file is
written beside its place and then renamed: whatever ends this early, the same command heals it, and nothing is lost.
"""

import hashlib
import json
import os
import re
from collections import defaultdict
from pathlib import Path

from cnngen_course.paths import ROOT, DamagedFileError, read_json
from tools.merge import Notebook, merge, same

LESSONS = ROOT / "notebooks"
DESK = ROOT / "desk"
BASES = DESK / ".base"
LESSON = re.compile(r"\d\d_(?P<slug>\w+)\.ipynb")
LINK = re.compile(r"""(?P<begin>\]\(|\b(?:src|href)=["'])(?P<file>\w[\w/.-]*)""")


def lay_out() -> list[str]:
    """Add the copies that are missing, bring the others up to date, and return what there is to say of it."""
    names = sorted(path.name for path in LESSONS.glob("*.ipynb") if LESSON.fullmatch(path.name))
    said, troubles = [], defaultdict(list)
    if not BASES.exists():
        said.append("Your copies of the lessons lie in the folder desk: what you write there stays yours.")
    for name in names:
        try:
            move_renumbered(name, names)
            said += bring_up_to_date(name)
        except DamagedFileError as error:
            troubles[str(error)].append(name[:2])
        except OSError as error:
            troubles[f"In the folder desk: {error.strerror}."].append(name[:2])
        except UnicodeEncodeError:  # an emoji that was cut in two: JSON can name its half, UTF-8 can't
            troubles["A cell holds half a sign: clear its output, save, and start again."].append(name[:2])
    for trouble, numbers in troubles.items():
        said.append(f"Not brought up to date: {', '.join(numbers)}. What you wrote is as you left it. {trouble}")
    return said


def move_renumbered(name: str, names: list[str]) -> None:
    """A lesson that has got another number is still the learner's: its copy gets the number, too."""
    slug = LESSON.fullmatch(name)["slug"]
    for old in sorted(DESK.glob(f"[0-9][0-9]_{slug}.ipynb")):
        if old.name not in names and not (DESK / name).exists() and read_version(read_copy(old)):
            old.rename(DESK / name)


def bring_up_to_date(name: str) -> list[str]:
    """Add one copy or bring it up to date, and return what there is to say of it.

    Raises:
        DamagedFileError: the published lesson is missing or damaged.
        OSError: the desk cannot be read or written.
    """
    newest = make_copy(read_json(LESSONS / name))
    version, path = read_version(newest), DESK / name
    if not (BASES / f"{version}.ipynb").exists():
        write(BASES / f"{version}.ipynb", encode(newest))
    mine = read_copy(path)
    if mine and read_version(mine) == version:
        return []
    if not path.exists():
        write(path, encode(newest))
        return []
    base = read_copy(BASES / f"{read_version(mine)}.ipynb")
    if not mine or not base:
        kept = keep(path)
        write(path, encode(newest))
        why = "does not say which version of the lesson it began as" if mine else "cannot be opened: cut or damaged"
        return [f"desk/{name} {why}. It is kept as desk/{kept.name}, and a new copy was made."]
    merged, notes = merge(base, mine, newest)
    write(path, encode(merged))
    if all(map(same, merged["cells"], newest["cells"])) and not notes:
        return []
    told = f"desk/{name}: the new version and yours are merged."
    if notes:
        told += f" {notes} {'cells were' if notes > 1 else 'cell was'} changed on both sides: look for the notes."
    return [told]


def keep(path: Path) -> Path:
    """Copy a file to a name beside it that is still free, ``03_data_kept.ipynb``, and return the copy."""
    content = path.read_bytes()
    ends = ("_kept", *(f"_kept_{number}" for number in range(2, 1000)))
    paths = (path.with_stem(path.stem + end) for end in ends)
    kept = next(
        kept for kept in paths if not kept.exists() or kept.read_bytes() == content
    )  # of a try that ended early
    write(kept, content)
    return kept


def make_copy(published: Notebook) -> Notebook:
    """Return a lesson as it comes to the desk: nothing in it was run, and links lead where they led."""
    copy = clear(published)
    for cell in copy["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = LINK.sub(lead_back, "".join(cell["source"])).splitlines(keepends=True)
    version = hashlib.sha256(encode(copy)).hexdigest()[:16]
    return copy | {"metadata": copy["metadata"] | {"cnngen": {"version": version}}}


def clear(published: Notebook) -> Notebook:
    """Return a lesson without outputs: they would tell what is to be predicted."""
    cells = (
        cell | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})
        for cell in published["cells"]
    )
    return published | {"cells": list(cells)}


def lead_back(link: re.Match[str]) -> str:
    """Return a link to a file beside the lessons as it must be at the desk; lessons link to the copies there."""
    is_beside = (LESSONS / link["file"]).is_file() and not LESSON.fullmatch(link["file"])
    return f"{link['begin']}../{LESSONS.name}/{link['file']}" if is_beside else link[0]


def read_copy(path: Path) -> Notebook | None:
    """Return a notebook of the desk; None if it is missing, or no notebook."""
    try:
        notebook = json.loads(path.read_bytes())
        cells, metadata = notebook["cells"], notebook["metadata"]
        whole = all(isinstance(cell["source"], str | list) and cell["cell_type"] and cell["id"] for cell in cells)
        told = all(isinstance(part, dict) for part in (metadata, *(cell["metadata"] for cell in cells)))
        return notebook if whole and told else None
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None


def read_version(notebook: Notebook | None) -> str:
    """Return the version of a published lesson that a copy began as, "" if it is no copy."""
    ours = notebook["metadata"].get("cnngen", {}) if notebook else {}
    return ours.get("version", "") if isinstance(ours, dict) else ""


def encode(notebook: Notebook) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def write(path: Path, content: bytes) -> None:
    """Write a file wholly or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave an empty file under the new name
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def main() -> None:
    for sentence in lay_out():
        print(sentence, flush=True)


if __name__ == "__main__":
    main()
