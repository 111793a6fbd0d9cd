"""The ``cnngen`` command: look after the course from a terminal."""

import argparse
import importlib
import pkgutil
import sys

from cnngen_course import recipes
from cnngen_course.doctor import PROBLEM, describe, describe_lessons, examine
from cnngen_course.pretrained import load_pretrained, record_metrics
from cnngen_course.recipes.recipe import Recipe


def list_recipes() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(recipes.__path__) if module.name != "recipe"]


def load_recipe(name: str) -> Recipe:
    return importlib.import_module(f"cnngen_course.recipes.{name}").RECIPE


def doctor() -> int:
    findings = examine()
    print(describe(findings))
    print(describe_lessons())
    return 1 if any(finding.level == PROBLEM for finding in findings) else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="cnngen", description="Look after the course.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="check this machine, the data and the weights")
    train = commands.add_parser("train", help="train shipped weights anew (minutes to an hour)")
    train.add_argument("recipe", choices=list_recipes())
    measure = commands.add_parser("measure", help="measure shipped weights again and record the metrics")
    measure.add_argument("recipe", choices=list_recipes())
    chosen = parser.parse_args(arguments)
    if chosen.command == "measure":
        record_metrics(chosen.recipe, load_recipe(chosen.recipe).measure(load_pretrained(chosen.recipe), None))
        return 0
    if chosen.command == "train":
        load_recipe(chosen.recipe).run()
        return 0
    return doctor()


if __name__ == "__main__":
    sys.exit(main())
