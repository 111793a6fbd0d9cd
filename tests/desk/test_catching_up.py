"""Going on in the middle of a lesson: the variables are those of a whole run, and nothing is trained a second time."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from cnngen_course.desk import catching_up
from cnngen_course.desk.catching_up import Script, load_script
from cnngen_course.desk.moments import load_book
from cnngen_course.paths import DamagedFileError
from tools import moments
from tools.execute import NOTEBOOKS
from tools.recording import save_book

CELLS = [
    "# 03 · Tiny",
    "import copy\nimport tempfile\nfrom dataclasses import dataclass\nfrom pathlib import Path\n\n"
    "import counted\nimport torch\nfrom torch import nn\n\n"
    "from cnngen_course.training import History\n\ntorch.manual_seed(0)",
    "## Things\n\nSome.",
    "folder = Path(tempfile.mkdtemp())\nnet, seen = nn.Linear(4, 4), []\n"
    "both = {'net': net, 'seen': seen}\nlatents = torch.randn(2, 4)",
    "SIZE = 3\n\n\ndef learn(network, steps):\n    counted.times += 1\n    history = History()\n"
    "    for step in range(steps):\n        with torch.no_grad():\n            network.weight += torch.randn(4, 4)\n"
    "        history.steps.append({'loss': float(step)})\n        seen.append(network(latents).sum().item())\n"
    "    return history",
    "@dataclass\nclass Pair:\n    first: nn.Module\n    second: nn.Module\n\n\n"
    "def make_pair():\n    counted.times += 1\n"
    "    return Pair(nn.Sequential(nn.Conv2d(1, SIZE, 1), nn.ReLU()).eval(), net)",
    "## The loop, in full",
    "history = learn(net, 20)\nprint('trained')\ntorch.randn(5)",
    "before = copy.deepcopy(net)",
    "def write():\n    counted.times += 1\n    (folder / 'a.txt').write_text('kept')\n    return folder / 'a.txt'\n\n\n"
    "file = write()",
    "## A pair",
    "pair = make_pair()\nfor _ in range(2):\n    counted.loops += 1\n    print('losses', len(history.steps))",
    "## Exercise: a stub",
    "def stub():\n    return ...\n\n\nprint('exercise.check(')",
    "## The end",
    "answer = torch.cat([net(latents).flatten(), before(latents).flatten(), torch.randn(3)])\n"
    "answer = torch.cat([answer, torch.tensor(both['seen'])])\n"
    "answer = torch.cat([answer, pair.second(latents).flatten(), pair.first(torch.ones(1, 1, 1, 1)).flatten()])\n"
    "read = file.read_text()\nclaimed = history.curve('loss')[-1]",
]


def write_lesson(path: Path, cells: list[str]) -> Path:
    notebook = nbformat.v4.new_notebook()
    for number, text in enumerate(cells):
        make = nbformat.v4.new_markdown_cell if text.startswith("#") else nbformat.v4.new_code_cell
        notebook.cells.append(make(text, id=f"cell-{number:03}"))
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module that counts what was really run."""
    module = types.ModuleType("counted")
    module.times = module.loops = 0
    monkeypatch.setitem(sys.modules, "counted", module)
    return module


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: types.ModuleType) -> Path:
    """A lesson of which everything is stored that can be."""
    monkeypatch.setattr(moments, "KEPT", -1.0)
    monkeypatch.setattr(moments, "WORTH", float("inf"))
    monkeypatch.setattr(moments, "weigh", lambda result: 1.0)
    for module in (moments, catching_up):
        monkeypatch.setattr(module, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(moments, "FOLDER", tmp_path)
    monkeypatch.setattr(catching_up, "FOLDER", tmp_path)
    monkeypatch.setattr(catching_up, "load_timings", lambda: {"03_tiny": {"seconds": 41.0}})
    path = write_lesson(tmp_path / "03_tiny.ipynb", CELLS)
    book, problems = moments.record_lesson(path)
    assert all("mkdtemp" in problem for problem in problems)
    save_book(tmp_path / "tiny.safetensors", keep_only(book, "history = learn", "pair = make_pair", "file =", path))
    counted.times = 0
    return path


def keep_only(book: dict, *rest: Any) -> dict:
    """Return a book with the results of the long statements alone, as if the others had taken no time."""
    *heads, path = rest
    keys = {s.key for s in Script(path, {}).statements if s.text.startswith(tuple(heads))}
    return {key: facts if key in keys else type(facts)(**vars(facts) | {"result": None}) for key, facts in book.items()}


@pytest.fixture
def namespace() -> Iterator[dict[str, Any]]:
    with moments.open_notebook() as names:
        yield names


def run_whole(path: Path, start: int, names: dict[str, Any]) -> None:
    for statement in Script(path, {}).statements:
        if statement.place >= start:
            moments.run(statement, names)


@pytest.mark.parametrize("section", ["Things", "The loop, in full", "A pair", "Exercise: a stub", "The end"])
def test_the_rest_of_the_lesson_comes_out_as_in_a_whole_run(
    lesson: Path, counted: types.ModuleType, namespace: dict[str, Any], section: str
) -> None:
    run_whole(lesson, 0, namespace)
    whole, trained = namespace["answer"], counted.times
    assert trained == 3
    names: dict[str, Any] = {"net": "the learner's own", "latents": None, "__name__": "__main__"}
    catching_up.catch_up("03", section, names)
    assert counted.times == trained, "nothing that is stored was computed again"
    run_whole(lesson, load_script("tiny").sections[section], names)
    torch.testing.assert_close(names["answer"], whole, rtol=0, atol=0)
    assert names["claimed"] == 19.0 and names["read"] == "kept"
    assert names["pair"].second is names["net"] and not names["pair"].first.training
    assert names["both"]["seen"] is names["seen"]


def test_only_what_the_rest_needs_is_run(lesson: Path, namespace: dict[str, Any], counted: types.ModuleType) -> None:
    script = load_script("03")
    texts = [script.statements[number].text for number in script.plan("The end")]
    assert "torch.manual_seed(0)" in texts and "pair = make_pair()" in texts
    assert not any(text.startswith(("print", "for ", "def stub", "def learn")) for text in texts)
    stubs = {number for number, statement in enumerate(script.statements) if statement.is_stub}
    assert stubs and not stubs & set(script.trace(len(script.statements), {"stub"}, {}))
    namespace["stub"] = "my answer"
    counted.loops = 0
    catching_up.catch_up("3", "the end")
    catching_up.catch_up("3", "the end")
    assert namespace["stub"] == "my answer" and counted.loops == 0
    assert len(namespace["seen"]) == 20, "a second time changes nothing"


def test_a_section_that_is_not_there_is_told_with_those_that_are(lesson: Path) -> None:
    script = load_script("tiny")
    assert script.find_section("loop") == script.find_section("THE LOOP IN FULL") == "The loop, in full"
    with pytest.raises(LookupError, match=r"Lesson 03 has no section “A pear”. Did you mean “A pair”\? .*“The end”"):
        script.find_section("A pear")
    with pytest.raises(LookupError, match=r"no lesson '99'; there are 03_tiny"):
        load_script("99")


def change(lesson: Path, old: str, new: str) -> None:
    text = lesson.read_text(encoding="utf-8")
    assert old in text
    lesson.write_text(text.replace(old, new), encoding="utf-8")


def test_a_result_of_another_program_is_not_taken(
    lesson: Path, counted: types.ModuleType, namespace: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    assert len(load_script("03").stored) == 3
    change(lesson, "print('trained')", "print('trained well')")
    assert len(load_script("03").stored) == 3, "words don't matter"
    change(lesson, "SIZE = 3", "SIZE = 5")
    script = load_script("03")
    assert [script.statements[n].text for n in script.stored] == ["history = learn(net, 20)", "file = write()"]
    catching_up.catch_up("03", "The end")
    assert counted.times == 1 and namespace["pair"].first[0].out_channels == 5
    (lesson.parent / "tiny.safetensors").unlink()
    capsys.readouterr()
    catching_up.catch_up("03", "The end")
    assert counted.times == 4, "without a file everything is computed"
    assert "is computed now (at most 41 s" in capsys.readouterr().out


def test_hurry_takes_results_where_nothing_was_changed(
    lesson: Path, counted: types.ModuleType, namespace: dict[str, Any], capsys: pytest.CaptureFixture
) -> None:
    shell = InteractiveShell.instance()
    catching_up.hurry("03")
    assert "3 long computations" in capsys.readouterr().out
    trained = "print(1)\nhistory = learn(net, 20)"
    assert catching_up.is_hurried(trained) and not catching_up.is_hurried("history = learn(net, 2)")
    for number in (1, 3, 4, 5, 7):
        shell.run_cell(CELLS[number]).raise_error()
    told = capsys.readouterr().out
    assert counted.times == 0 and len(namespace["history"].steps) == 20
    assert "(Stored result of the published lesson" in told and "\ntrained\n" in told
    shell.run_cell("history = learn(net, 2)").raise_error()
    assert counted.times == 1, "changed, so it is run"
    namespace["net"] = namespace["both"]["net"] = torch.nn.Linear(4, 5)
    assert isinstance(shell.run_cell(CELLS[7]).error_in_exec, RuntimeError), "the learner's network has its own error"
    assert counted.times == 2
    assert "does not fit" in capsys.readouterr().out
    del namespace["net"]
    missing = shell.run_cell(CELLS[7]).error_in_exec
    assert isinstance(missing, NameError) and missing.name == "net"
    catching_up.hurry("03", False)
    assert not catching_up.is_hurried(trained)
    shell.run_cell("\n".join([CELLS[3], "history = learn(net, 20)"])).raise_error()
    assert counted.times == 3


def test_what_cannot_be_written_down_is_told_and_computed(
    tmp_path: Path, lesson: Path, counted: types.ModuleType, namespace: dict[str, Any]
) -> None:
    change(lesson, "pair = make_pair()", "pair, way = make_pair(), iter([1])")
    change(lesson, "claimed =", "way\\nclaimed =")
    book, problems = moments.record_lesson(lesson)
    (problem,) = [problem for problem in problems if "mkdtemp" not in problem]
    assert "list_iterator" in problem and "pair, way" in problem
    save_book(tmp_path / "tiny.safetensors", book)
    counted.times = 0
    with moments.open_notebook() as names:
        catching_up.catch_up("03", "The end")
        assert counted.times == 1 and names["pair"].second is names["net"]


def test_a_damaged_file_is_told(lesson: Path) -> None:
    path = lesson.parent / "tiny.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match=r"tiny.safetensors is damaged"):
        load_book(path)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_lesson_is_understood(path: Path) -> None:
    script = load_script(path.stem)
    assert not script.stale, f"changed since its results were stored; run: python3 course.py moments {script.name}"
    assert script.sections
    for section in script.sections:
        assert not any(script.statements[number].is_stub for number in script.plan(section))
