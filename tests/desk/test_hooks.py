"""The hooks of a lesson: time and place are kept, a missing name is explained, and no cell is ever broken by them."""

import os
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from cnngen_course.desk import hooks
from cnngen_course.desk.outline import NOTEBOOKS, Cell, find_maker, read_cells
from cnngen_course.desk.store import VARIABLE, Store
from tools import environment

LESSON = (
    Cell("a", "", "import math\nthings = [1, 2]"),
    Cell("b", "First", "for step in things:\n    loss = step"),
    Cell("c", "First", "print(loss)"),
    Cell("d", "Second", "loss = 2 * loss\ndef draw(size):\n    inner = size\n    return inner"),
    Cell("e", "Third", "print([each for each in things], loss)"),
)


class Desk:
    """Stands for a lesson: it keeps in a real store."""

    slug = "gan"

    def __init__(self, store: Store) -> None:
        self.store = store

    def work(self, seconds: float, section: str) -> None:
        self.store.work(self.slug, seconds, section)


@pytest.fixture
def now(monkeypatch) -> list[float]:
    """The time, in a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(hooks, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def shell(monkeypatch, now: list[float]) -> InteractiveShell:
    shell = InteractiveShell()
    shell.user_ns["pass_time"] = lambda seconds: now.__setitem__(0, now[0] + seconds)
    monkeypatch.setattr(hooks, "get_ipython", lambda: shell)
    monkeypatch.setattr(hooks, "read_cells", lambda slug: LESSON)
    monkeypatch.setattr(hooks, "_attached", None)
    return shell


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def run(shell: InteractiveShell, cell_id: str | None, source: str | None = None) -> None:
    code = next((cell.source for cell in LESSON if cell.id == cell_id), "") if source is None else source
    shell.run_cell(code, cell_id=cell_id)


def test_time_and_place_are_kept_and_long_pauses_are_not_counted(shell, store: Store, now: list[float]) -> None:
    hooks.attach(Desk(store))
    now[0] += 60  # of reading
    run(shell, "b", "pass_time(7)")
    assert (store.load()["gan"].seconds, store.load()["gan"].section) == (67, "First")
    now[0] += hooks.LONGEST + 1  # of sleeping
    run(shell, "d", "pass_time(3)")
    assert (store.load()["gan"].seconds, store.load()["gan"].section) == (70, "Second")


def test_a_cell_of_ones_own_is_work_at_the_section_before_it(shell, store: Store) -> None:
    hooks.attach(Desk(store))
    run(shell, "b", "things = []")
    run(shell, "a cell of my own", "pass_time(5)")
    run(shell, None, "pass_time(6)")
    assert (store.load()["gan"].seconds, store.load()["gan"].section) == (11, "First")


def test_without_an_id_a_cell_is_known_by_its_code(shell, store: Store) -> None:
    hooks.attach(Desk(store))
    shell.run_cell(LESSON[3].source)
    assert store.load()["gan"].section == "Second"


def test_the_first_cell_may_run_twice(shell, store: Store) -> None:
    for _ in range(3):
        hooks.attach(Desk(store))
    run(shell, "b", "pass_time(10)")
    assert store.load()["gan"].seconds == 10, "it is counted once"
    assert sum(call.__name__ == "run_after" for call in shell.events.callbacks["post_run_cell"]) == 1


@pytest.mark.parametrize(
    ("cell", "source", "told"),
    [
        ("e", None, "`things` is made in the lesson's first cell: run that first."),
        ("e", "loss", 'in the section “Second”: run its cells first. Or run lesson.catch_up("Third") in a new cell'),
        ("c", None, "`loss` is made further up in this section"),
        ("my own", "draw(3)", "`draw` is made in the section “Second”: run its cells first.\n"),
        ("b", "draw(3)", '“Second”: run its cells first. Or run lesson.catch_up("First")'),
    ],
)
def test_a_missing_name_is_explained(shell, store: Store, capsys, cell: str, source: str | None, told: str) -> None:
    hooks.attach(Desk(store))
    run(shell, cell, source)
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("source", ["1 / 0", "a_typo", "inner", "def f():\n    draw += 1\nf()", "syntax error", "each"])
def test_other_errors_are_left_alone(shell, store: Store, capsys, source: str) -> None:
    hooks.attach(Desk(store))
    run(shell, "c", source)
    said = capsys.readouterr().out
    assert "Error" in said and "→ `" not in said


def test_after_a_restart_the_first_cell_is_asked_for(shell, capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setenv(hooks.SESSION, "desk/07_gan.ipynb")
    hooks.load_ipython_extension(shell)
    run(shell, "c")
    assert f"→ {hooks.NEW} `loss` is made further up" in capsys.readouterr().out
    hooks.attach(Desk(Store(tmp_path)))
    run(shell, "c")
    assert "→ `loss` is made further up" in capsys.readouterr().out, "once, and by the lesson's own hooks"


def test_a_kernel_for_something_else_has_no_hooks(shell, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for name in ("", "notes.ipynb", "07_gan.ipynb.txt"):
        monkeypatch.setenv(hooks.SESSION, name)
        hooks.load_ipython_extension(shell)
    monkeypatch.setenv(hooks.SESSION, "07_gan.ipynb")
    monkeypatch.setenv(VARIABLE, "off")
    hooks.load_ipython_extension(shell)
    assert hooks._attached is None


def test_of_several_makers_the_last_one_above_counts() -> None:
    assert find_maker(LESSON, "loss", LESSON[4]) == LESSON[3]
    assert find_maker(LESSON, "loss", LESSON[2]) == LESSON[1]
    assert find_maker(LESSON, "loss") == LESSON[1]
    assert find_maker(LESSON, "nothing") is None


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")), ids=lambda path: path.stem)
def test_every_lesson_has_an_outline(path: Path) -> None:
    cells = read_cells(path.stem[3:])
    assert cells[0].section == "" and len({cell.section for cell in cells}) > 2
    assert "exercise" in cells[0].makes and all(cell.makes or "\ndef " not in cell.source for cell in cells)


@pytest.mark.slow
def test_a_real_kernel_explains_a_missing_name_and_keeps_the_time(monkeypatch, tmp_path: Path) -> None:
    """As at the desk: the environment's settings load the hooks, Jupyter names the notebook, then a lesson begins."""
    monkeypatch.setattr(environment, "ENVIRONMENT", tmp_path)
    environment.explain_restarts()
    (tmp_path / "etc/ipython").rename(tmp_path / "profile_default")
    variables = {VARIABLE: str(tmp_path / "desk"), hooks.SESSION: "desk/07_gan.ipynb", "IPYTHONDIR": str(tmp_path)}
    manager, client = start_new_kernel(env=os.environ | variables)
    try:
        said = [run_there(client, code) for code in ("scores", "1 / 0", BEGIN, "scores", "quick = 1")]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert hooks.NEW in said[0] and "`scores` is made in the section" in said[0]
    assert "→" not in said[1]
    assert hooks.NEW not in said[3] and "`scores` is made in the section" in said[3]
    assert Store(tmp_path / "desk").load()["gan"].seconds > 0


BEGIN = "from cnngen_course.desk.lesson import Lesson\nlesson = Lesson('gan')"


def run_there(client: BlockingKernelClient, code: str) -> str:
    """Run a cell in a kernel and return what it prints."""
    said = []
    client.execute_interactive(code, timeout=100, output_hook=lambda message: said.append(message["content"]))
    return "".join(content.get("text", "") for content in said)
