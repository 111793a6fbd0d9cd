"""Every lesson keeps the frame that learners rely on, and its stored outputs are whole."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from cnngen_course.desk.lesson import load_questions, load_words
from cnngen_course.paths import ROOT
from tools.execute import METADATA, describe_time, make_metadata

FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
MAX_BYTES = 480_000
MAX_LINES = 20
KNOWN_TAGS = {"nbval-check-output", "nbval-ignore-output", "predict", "raises-exception", "reveal"}
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s#]+)[^)]*\)")

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def read(lesson: Path) -> NotebookNode:
    return nbformat.read(lesson, as_version=4)


def select(notebook: NotebookNode, kind: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def join_text(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in select(notebook, "markdown"))


def list_outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in select(notebook, "code") for output in cell.outputs]


def find_claims(source: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", "") == "claim"]


def count_lines_of_claims(source: str) -> int:
    return sum(call.end_lineno - call.lineno + 1 for call in find_claims(source))


def test_lessons_are_numbered_without_gaps() -> None:
    assert [int(path.name[:2]) for path in LESSONS] == list(range(len(LESSONS)))
    assert len(LESSONS) >= 5


@every_lesson
def test_the_stored_run_is_whole(lesson: Path) -> None:
    notebook = read(lesson)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in select(notebook, "code")]
    assert counts == list(range(1, len(counts) + 1)), "run: python3 course.py execute"
    for output in list_outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        assert "widget-view" not in str(output.get("data", {}).keys())


@every_lesson
def test_metadata_is_normalised(lesson: Path) -> None:
    notebook = read(lesson)
    assert notebook.metadata == METADATA
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        assert cell.metadata == make_metadata(tags)
        assert set(tags) <= KNOWN_TAGS


@every_lesson
def test_it_is_small(lesson: Path) -> None:
    assert lesson.stat().st_size <= MAX_BYTES


@every_lesson
def test_it_opens_as_every_lesson_does(lesson: Path) -> None:
    title, goals, imports = read(lesson).cells[:3]
    assert re.match(rf"# {lesson.name[:2]} · \S", title.source)
    assert IMAGE.search(title.source), "the hero picture is missing"
    assert "After this lesson you can" in goals.source
    assert goals.source.count("\n- ") in (3, 4)
    assert "Needs:" in goals.source
    assert imports.cell_type == "code"
    assert "seed_everything(0)" in imports.source


@every_lesson
def test_it_closes_as_every_lesson_does(lesson: Path) -> None:
    closing = read(lesson).cells[-1].source
    for part in ("**Recap", "**New words**", "**Go further**", "**Next"):
        assert part in closing
    assert closing.count("\n- **") >= 3, "each new word is a list item in bold"


@every_lesson
def test_its_minutes_are_the_measured_ones(lesson: Path) -> None:
    notebook = read(lesson)
    assert describe_time(lesson.stem, notebook) in notebook.cells[1].source


def list_calls(source: str, name: str) -> list[ast.Call]:
    """Return the calls of ``lesson.<name>`` in a cell."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) == f"lesson.{name}"]


def is_folded(cell: NotebookNode) -> bool:
    return "reveal" in cell.metadata.get("tags", [])


@every_lesson
def test_it_asks_before_it_shows(lesson: Path) -> None:
    cells = read(lesson).cells
    text = join_text(read(lesson))
    assert text.count("**Predict") >= (2 if lesson.name.startswith("00") else 4)
    assert text.count("**What we see:**") >= (2 if lesson.name.startswith("00") else 4)
    assert "**Try:**" in text
    asked, told = [], []
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code":
            if "predict" in cell.metadata.get("tags", []):
                assert before.cell_type == "markdown" and "**Predict" in before.source, cell.source
                (call,) = list_calls(cell.source, "predict")
                asked.append(call.args[0].value)
            for call in list_calls(cell.source, "reveal"):
                told.append(call.args[0].value)
                assert is_folded(cell), "what comes out is told in a cell tagged reveal"
                assert told[-1] in asked, "told before it was asked"
    questions = sum(cell.cell_type == "markdown" and "**Predict" in cell.source for cell in cells)
    assert len(asked) >= questions, "after each Predict stands a cell with lesson.predict"
    assert len(set(asked)) == len(asked) and sorted(asked) == sorted(told)
    assert set(load_questions(lesson.stem[3:])) == set(asked)


@every_lesson
def test_nothing_in_sight_gives_an_answer_away(lesson: Path) -> None:
    """Claims are folded away, and the words of pictures stand beside the lesson."""
    for cell in select(read(lesson), "code"):
        assert is_folded(cell) or not find_claims(cell.source), cell.source
        # JupyterLab shows the first line of a folded cell
        assert cell.source.startswith("# What came out, and what the text says of it\n") == is_folded(cell)
        assert "alt=" not in cell.source, "use lesson.show(figure, name)"


@every_lesson
def test_its_words_are_all_used(lesson: Path) -> None:
    words = load_words(lesson.stem[3:])
    code = [cell.source for cell in select(read(lesson), "code")]
    shown = {call.args[1].value for source in code for call in list_calls(source, "show")}
    described = {call.args[0].value for source in code for call in list_calls(source, "describe")}
    assert shown | described == set(words)


@every_lesson
def test_it_looks_back(lesson: Path) -> None:
    assert "lesson.look_back()" in read(lesson).cells[-2].source


@every_lesson
def test_code_comes_in_small_pieces(lesson: Path) -> None:
    notebook = read(lesson)
    aside = {"predict", "reveal"}
    cells = [cell for cell in notebook.cells if not aside & set(cell.metadata.get("tags", []))]
    assert "cccc" not in "".join("c" if cell.cell_type == "code" else "t" for cell in cells)
    for cell in select(notebook, "code"):
        lines = len(cell.source.splitlines()) - count_lines_of_claims(cell.source)
        assert lines <= MAX_LINES or "def " in cell.source, cell.source
        assert lines <= MAX_LINES + 15, cell.source


@every_lesson
def test_what_it_says_of_its_numbers_is_a_claim(lesson: Path) -> None:
    """A bare ``assert`` would stop a learner whose processor rounds otherwise, and say nothing."""
    code = [cell.source for cell in select(read(lesson), "code")]
    asserts = [node for source in code for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    assert not asserts, [ast.unparse(node) for node in asserts]
    words = [call.args[0].value for source in code for call in find_claims(source)]
    assert words and len(set(words)) == len(words), "course.py claims tells claims apart by their words"


@every_lesson
def test_every_picture_has_words(lesson: Path) -> None:
    notebook = read(lesson)
    for output in list_outputs(notebook):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                assert len(output.metadata.get(kind, {}).get("alt", "")) > 20, "use show(figure, alt=...)"
    for image in IMAGE.finditer(join_text(notebook)):
        assert len(image["alt"]) > 15, f"{image['target']} needs alt text"
        assert (FOLDER / image["target"]).is_file(), image["target"]


@every_lesson
def test_its_links_lead_somewhere(lesson: Path) -> None:
    for link in LINK.finditer(join_text(read(lesson))):
        if "://" not in link["target"]:
            assert (FOLDER / link["target"]).exists(), link["target"]


@every_lesson
def test_it_has_an_explorer_and_checked_exercises(lesson: Path) -> None:
    code = [cell for cell in select(read(lesson), "code")]
    checks = [cell for cell in code if "exercise.check(" in cell.source]
    assert len(checks) >= (1 if lesson.name.startswith("00") else 3)
    for cell in checks:
        assert "nbval-check-output" in cell.metadata.get("tags", [])
        assert "Not started" in str(cell.outputs), "an exercise is stored unanswered"
    assert any("explorer.make_" in cell.source for cell in code)


@every_lesson
def test_it_takes_only_explorers_from_explorers(lesson: Path) -> None:
    code = "\n".join(cell.source for cell in select(read(lesson), "code"))
    taken = set(re.findall(r"\bexplorer\.(\w+)", code))
    assert taken and all(re.fullmatch(r"make_\w+_explorer", name) for name in taken), taken
    assert "from cnngen_course.explorers." not in code


@every_lesson
def test_it_hides_nothing(lesson: Path) -> None:
    """No magics, no network, nothing that swallows an error inside a widget."""
    for cell in select(read(lesson), "code"):
        for forbidden in ("%", "!", "interact(", "interactive_output(", "warnings.filter", "except Exception"):
            lines = [line for line in cell.source.splitlines() if line.startswith(forbidden)]
            assert not lines, lines


def test_spelling() -> None:
    """codespell reads the lessons' words; in the notebook files it would stumble over the pictures."""
    words = "\n".join(join_text(read(lesson)) for lesson in LESSONS)
    found = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "-"], input=words, capture_output=True, encoding="utf-8", cwd=ROOT
    )
    assert found.returncode == 0, found.stdout
