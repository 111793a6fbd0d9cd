"""The ``cnngen`` command: look after the course from a terminal.

PyTorch and what needs it are imported where they are used: the doctor must speak where they are missing.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from typing import TYPE_CHECKING

from cnngen_course import recipes
from cnngen_course.doctor import PROBLEM, describe, describe_lessons, examine

if TYPE_CHECKING:
    from cnngen_course.recipes.recipe import Recipe

PLAIN = str.maketrans({"✓": "+", "✗": "x", "→": "->", "·": "-", "“": '"', "”": '"'})


def list_recipes() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(recipes.__path__) if module.name != "recipe"]


def load_recipe(name: str) -> "Recipe":
    return importlib.import_module(f"cnngen_course.recipes.{name}").RECIPE


def doctor() -> int:
    findings = examine()
    say(describe(findings))
    if not any(finding.level == PROBLEM for finding in findings):
        say(describe_lessons())
    return 1 if any(finding.level == PROBLEM for finding in findings) else 0


def progress(delete: bool, sure: bool) -> int:
    """Print how far the learner is; or delete all that is kept of it, after asking."""
    from cnngen_course.desk.progress import progress
    from cnngen_course.desk.store import Store, StoreError, find_folder

    if not delete:
        say(str(progress()))
        return 0
    store = Store(folder) if (folder := find_folder()) else None
    if store is None or not store.list_files():
        say("Nothing is kept: there is nothing to delete.")
        return 0
    if not (sure or ask(f"Delete {store.path}, your predictions, answers and minutes? The lessons stay.")):
        say("Nothing was deleted.")
        return 1
    try:
        store.delete()
    except StoreError as error:
        say(f"Not deleted: {error}")
        return 1
    say("Deleted.")
    return 0


def ask(question: str) -> bool:
    say(question)
    try:
        return input("[y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # nobody is there to answer
        print()
        return False


def say(text: str) -> None:
    """Print, with plain signs where the terminal or file cannot hold the others (Windows code pages)."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    print(text)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; a reader that has seen enough (``| head -3``) is no error."""
    try:
        code = obey(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return 1


def obey(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="cnngen", description="Look after the course.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="check this machine, the data and the weights")
    page = commands.add_parser("progress", help="how far you are: lessons, exercises, predictions, minutes")
    page.add_argument("--delete", action="store_true", help="delete all that is kept of what you did")
    page.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    train = commands.add_parser("train", help="train shipped weights anew (minutes to an hour)")
    train.add_argument("recipe", choices=list_recipes())
    measure = commands.add_parser("measure", help="measure shipped weights again and record the metrics")
    measure.add_argument("recipe", choices=list_recipes())
    chosen = parser.parse_args(arguments)
    if chosen.command == "measure":
        from cnngen_course.pretrained import load_pretrained, record_metrics

        record_metrics(chosen.recipe, load_recipe(chosen.recipe).measure(load_pretrained(chosen.recipe), None))
        return 0
    if chosen.command == "progress":
        return progress(chosen.delete, chosen.yes)
    if chosen.command == "train":
        load_recipe(chosen.recipe).run()
        return 0
    return doctor()


if __name__ == "__main__":
    sys.exit(main())
