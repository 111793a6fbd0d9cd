"""``python course.py moments [LESSON ...]``: run lessons and store what their long computations leave behind.

``catch_up`` and ``lesson.hurry`` live on it, see ``cnngen_course.desk.catching_up``. One file a lesson,
``data/moments/<slug>.safetensors``; to be made anew after the code of a lesson has changed. ``--check`` brings an empty
notebook to each section and runs that section's cells, one after the other; prints what it took and what failed.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("CNNGEN_DESK", "off")

import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from cnngen_course.desk import catching_up
from cnngen_course.desk.catching_up import Script, Statement, load_script
from cnngen_course.desk.moments import FOLDER, Book, Facts, Result
from tools.execute import NOTEBOOKS, choose_lessons
from tools.recording import (
    CannotKeepError,
    Change,
    Snapshot,
    compare,
    encode,
    find_calls,
    remember_arguments,
    save_book,
)

KEPT = 0.25  # seconds; what takes longer may be stored
EXACT = 300_000  # bytes of one result; larger ones are kept in 16 bits
MOST = 3_000_000  # bytes of one result
WORTH = 200_000  # bytes for a second that is saved; dearer results are stored only where a section would come late
SOON = 2.0  # seconds until a section is there, without the imports


def find_file(path: Path) -> Path:
    return FOLDER / f"{path.stem[3:]}.safetensors"


@contextmanager
def open_notebook() -> Iterator[dict[str, Any]]:
    """Give the variables of a notebook that was just opened, in this process; its shell is closed at the end."""
    before, folder = sys.modules["__main__"], Path.cwd()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    sys.modules["__main__"] = shell.user_module  # classes of the notebook are looked up there
    os.chdir(NOTEBOOKS)
    try:
        yield shell.user_ns
    finally:
        os.chdir(folder)
        sys.modules["__main__"] = before
        InteractiveShell.clear_instance()


def run(statement: Statement, namespace: dict[str, Any]) -> list[dict]:
    """Run a statement and return what it printed and displayed."""
    with capture_output() as captured:
        try:
            catching_up.execute(statement, namespace, statement.key)
        except Exception:
            if not statement.may_fail:
                raise
    return list(list_outputs(captured))


def list_outputs(captured: Any) -> Iterator[dict]:
    """Yield what a statement displayed, of a place that was drawn again and again the last picture; then its text."""
    places: dict[Any, dict] = {}
    for number, output in enumerate(captured._outputs):
        place = (output.get("transient") or {}).get("display_id", number)
        if any(kind.startswith("image/") for kind in output["data"]):
            places[place] = {"data": output["data"]}
    yield from places.values()
    if captured.stdout:
        yield {"text": captured.stdout}


def record_lesson(path: Path) -> tuple[Book, list[str]]:
    """Run a lesson; return what is known of its statements, and what takes long and can't be stored."""
    script = Script(path, {})
    book: Book = {}
    parts: dict[str, dict[str, Any]] = {}
    problems = []
    with open_notebook() as namespace, remember_arguments() as made:
        before = Snapshot(namespace)
        for number, statement in enumerate(script.statements):
            begin = measure_work()
            outputs = run(statement, namespace)
            seconds = measure_work() - begin
            change = compare(before, after := Snapshot(namespace))
            book[statement.key] = describe(change, seconds, namespace)
            does = change.bound or change.touched or (outputs and seconds > 1)
            if seconds > KEPT and does and is_worth(statement):
                try:
                    used = find_used(script, number)
                    part = encode(change, made, namespace, outputs, used, halved=False)
                    if count_bytes(part) > EXACT:
                        part = encode(change, made, namespace, outputs, used, halved=True)
                    if (size := count_bytes(part)) > MOST:
                        raise CannotKeepError(f"{size / 1e6:.0f} MB")
                    parts[statement.key] = part
                except CannotKeepError as problem:
                    problems.append(f"{statement.cell}: {seconds:.1f} s, {problem}: {statement.text.splitlines()[0]}")
            for key in [key for key in made if key not in after.nodes]:
                del made[key]
            before = after
            del change
    return choose(path, book, parts), problems


def find_used(script: Script, number: int) -> set[str]:
    """Return the names that anything after a statement may read."""
    used = set().union(*(statement.names[0] for statement in script.statements[number + 1 :]))
    return used.union(*(statement.names[2] for statement in script.statements))


def choose(path: Path, book: Book, parts: dict[str, dict[str, Any]]) -> Book:
    """Return a lesson's book with those results that are worth their bytes, or without which a section comes late."""
    script = Script(path, book)
    results = {}
    for number, statement in enumerate(script.statements):
        if part := parts.get(statement.key):
            seconds = book[statement.key].seconds
            results[number] = Result(script.make_chain(number), part["needs"], seconds, part["told"], part["tensors"])
    script.stored = {number: result for number, result in results.items() if weigh(result) < WORTH}
    for section in script.sections:
        while sum(script.facts[n].seconds for n in script.plan(section) if n not in script.stored) > SOON:
            offered = [n for n in script.plan(section) if n in results and n not in script.stored]
            if not offered:
                break
            best = min(offered, key=lambda n: weigh(results[n]))
            script.stored[best] = results[best]
    keys = {script.statements[number].key: result for number, result in script.stored.items()}
    return {key: Facts(**vars(facts) | {"result": keys.get(key)}) for key, facts in book.items()}


def count_bytes(part: dict[str, Any]) -> int:
    return sum(values.nbytes for values in part["tensors"].values()) + len(json.dumps(part["told"]))


def weigh(result: Result) -> float:
    """Return the bytes that it takes for each second that it saves."""
    return count_bytes(vars(result)) / result.seconds


def measure_work() -> float:
    """Return the seconds of work so far: those of the clock count what other programs of a busy machine do."""
    times = os.times()
    return sum(times[:4]) / torch.get_num_threads()


def describe(change: Change, seconds: float, namespace: dict[str, Any]) -> Facts:
    written = [*change.bound, *change.touched]
    calls = {name: sorted(find_calls(change.after.names[name], namespace)) for name in written}
    calls = {name: read for name, read in calls.items() if read}
    return Facts(seconds, [*change.bound, *change.deleted], change.touched, change.draws, calls)


def is_worth(statement: Statement) -> bool:
    """Definitions and imports are done anew; a picture or a claim is seen where it is asked for."""
    if isinstance(statement.node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return False
    head = statement.text.split("(")[0]
    return head not in ("show", "lesson.show", "claim") and not head.startswith("explorer.")


def check_lesson(path: Path) -> Iterator[str]:
    """Yield a line a section: what it took to catch up, and what failed when its cells were run, in a hurry."""
    script = load_script(path.stem[:2])
    if script.stale:  # to run it all would take minutes
        yield f"FAILED: it was changed since its results were stored; run: python3 course.py moments {script.name}"
        return
    starts = sorted(set(script.sections.values()))
    for section, start in script.sections.items():
        end = next((place for place in starts if place > start), sys.maxsize)
        with open_notebook() as namespace:
            begin = measure_work()
            try:
                with capture_output() as told:
                    catching_up.catch_up(script.name, section)
                caught = measure_work() - begin
                for number, statement in enumerate(script.statements):
                    if start <= statement.place < end:
                        take_or_run(script, number, namespace)
            except Exception as error:
                yield f"{script.name} {section}: FAILED: {type(error).__name__}: {error}"
                continue
        late = " computed anew" if "computed now" in told.stdout else ""
        yield f"{script.name} {caught:5.2f} s, its cells {measure_work() - begin - caught:5.2f} s: {section}{late}"


def take_or_run(script: Script, number: int, namespace: dict[str, Any]) -> None:
    if number in script.stored:
        script.stored[number].apply(namespace)
    else:
        run(script.statements[number], namespace)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chosen", nargs="*", metavar="LESSON", help="03, or the name of a notebook; all without one")
    parser.add_argument("--check", action="store_true", help="try every section instead")
    wanted = parser.parse_args(arguments)
    lessons = choose_lessons(wanted.chosen)
    if len(lessons) > 1:  # a process each: a lesson finds a fresh one
        options = ["--check"] if wanted.check else []
        for path in lessons:
            subprocess.run([sys.executable, "-m", "tools.moments", path.stem[:2], *options], check=True)
        return
    (path,) = lessons
    if wanted.check:
        failed = False
        for line in check_lesson(path):
            failed = failed or "FAILED" in line
            print(line, flush=True)
        sys.exit(failed)
    book, problems = record_lesson(path)
    save_book(find_file(path), book)
    stored = [facts for facts in book.values() if facts.result]
    print(
        f"{path.stem}: {find_file(path).stat().st_size / 1e6:.2f} MB; {len(stored)} results instead of "
        f"{sum(facts.seconds for facts in stored):.0f} s of {sum(facts.seconds for facts in book.values()):.0f} s"
    )
    for statement in Script(path, book).statements:
        if result := book[statement.key].result:
            size = count_bytes(vars(result)) / 1000
            print(f"  {statement.cell}: {result.seconds:5.1f} s, {size:6.0f} kB  {statement.text.splitlines()[0][:80]}")
    print(*(f"  not stored: {problem}" for problem in problems), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
