"""A number in a lesson's prose follows its source, and one that names a training has one."""

import re
from pathlib import Path

import nbformat
import pytest

from cnngen_course.pretrained import load_provenance
from tools import facts
from tools.execute import NOTEBOOKS

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
# How long something was trained is what new weights change first.
UNSOURCED = re.compile(r"trained (?:for|on) \d[\d,]*(?:\.\d+)? (?:steps|batches|minutes|hours)")


def read_text(lesson: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_prose_says_what_the_sources_say(lesson: Path) -> None:
    for text in read_text(lesson):
        assert facts.refresh(text) == text, "run: python3 course.py execute"
        assert text.count("<!--") == len(facts.FACT.findall(text)), f"a number must stand before the comment: {text}"
        assert not UNSOURCED.search(text), f"say where the number comes from: {UNSOURCED.search(text)}"


def test_sourced_numbers_are_there_at_all() -> None:
    assert sum(len(facts.FACT.findall(text)) for lesson in LESSONS for text in read_text(lesson)) >= 8


def test_a_changed_source_changes_the_text_and_nothing_else(monkeypatch) -> None:
    stored = load_provenance("generator")
    stored["training"] |= {"steps": 123456, "seconds": 90}
    monkeypatch.setattr(facts, "load_provenance", lambda name: stored)
    old = (
        "in 14,000<!-- generator.training.steps --> steps, 14.9<!-- generator.training.seconds / 60 --> minutes, 2,000"
    )
    new = (
        "in 123,456<!-- generator.training.steps --> steps, 1.5<!-- generator.training.seconds / 60 --> minutes, 2,000"
    )
    assert facts.refresh(old) == new


def test_sources_multiply_and_divide_from_left_to_right() -> None:
    training = load_provenance("judge")["training"]
    rounds = facts.compute("judge.training.steps * judge.training.batch_size / 60000")
    assert rounds == training["steps"] * training["batch_size"] / 60000
    assert facts.compute("timings.03_classifier.seconds") > 1


@pytest.mark.parametrize("source", ["generator.training.stpes", "generator.training", "timings.99.seconds"])
def test_a_source_that_is_not_there_is_told(source: str) -> None:
    with pytest.raises(ValueError, match="is no number in the facts of"):
        facts.refresh(f"7<!-- {source} -->")


def test_a_file_of_facts_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="no facts of nonesuch"):
        facts.refresh("7<!-- nonesuch.training.steps -->")


@pytest.mark.parametrize("source", ["8 + 1", "8 - 1", "8 // 2", "8 x 2", "8 *", "* 8", "8 2"])
def test_what_is_no_product_is_told(source: str) -> None:
    with pytest.raises(ValueError, match="with \\* or / between them"):
        facts.refresh(f"7<!-- {source} -->")
