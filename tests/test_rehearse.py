"""Stopped, repeated or run backwards, a lesson may say that something is missing, in a sentence of the course's own."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import rehearse
from tools.execute import NOTEBOOKS

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def fail(name: str) -> nbformat.NotebookNode:
    return new_code_cell("...", id=name, outputs=[new_output("error", ename=name, evalue="why", traceback=[])])


@pytest.mark.parametrize(
    ("errors", "reported"),
    [
        ([], []),
        (["KeyError"], ["KeyError"]),
        (["NameError"], ["NameError"]),
        (["UnfinishedTraining", "NameError"], []),  # the cell that told would have made the name
        (["UnfinishedTraining", "KeyError"], ["KeyError"]),
    ],
)
def test_only_a_sentence_of_the_course_excuses_an_error(errors: list[str], reported: list[str]) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("text"), *map(fail, errors)])
    assert list(rehearse.find_failures(notebook)) == [f"{name}: {name}: why" for name in reported]


def test_cells_are_repeated_in_place_or_once_more_from_the_end() -> None:
    for way, order in {"twice": "aabb", "backwards": "abba"}.items():
        notebook = new_notebook(cells=[new_code_cell("a", id="a"), new_code_cell("b", id="b")])
        rehearse.WAYS[way](notebook)
        assert "".join(cell.source for cell in notebook.cells) == order
        assert len({cell.id for cell in notebook.cells}) == 4
        nbformat.validate(notebook)


@pytest.mark.parametrize("name", ["3", "03", "03_classifier", "notebooks/03_classifier.ipynb"])
def test_a_lesson_is_chosen_by_number_or_name(monkeypatch, capsys, name: str) -> None:
    monkeypatch.setattr(rehearse, "rehearse", lambda lesson, way: [])
    with pytest.raises(SystemExit) as ended:
        rehearse.main([name, "--ways", "twice"])
    assert not ended.value.code and capsys.readouterr().out == "03_classifier.ipynb, twice: no failures\n"


def test_a_lesson_that_is_not_there_is_told() -> None:
    with pytest.raises(SystemExit, match="no lesson nonesuch"):
        rehearse.main(["nonesuch"])


def test_a_stopped_training_is_stopped_and_found(tmp_path: Path) -> None:
    source = """
from cnngen_course.claims import Moments
from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import Classification
from cnngen_course.training import fit
history = fit(Classifier(widths=(4,), class_count=3), Classification(), make_loader(make_shapes(32), 8), steps=9)
assert len(history.steps) == 3 and history.interrupted
"""
    cells = [new_code_cell(source), new_code_cell("Moments()['9 batches']"), new_code_cell("[][1]", id="bad")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    assert rehearse.rehearse(tmp_path / "lesson.ipynb", "stopped") == ["bad: IndexError: list index out of range"]


@pytest.mark.nightly
@pytest.mark.parametrize("way", rehearse.WAYS)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_tells_what_is_missing(lesson: Path, way: str) -> None:
    assert not rehearse.rehearse(lesson, way)
