"""What is said of times before they pass: on this machine, and on others."""

import json
import re
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch

from cnngen_course.desk import catching_up, hooks, speed, store, times
from cnngen_course.desk.lesson import Lesson
from cnngen_course.desk.outline import read_cells
from cnngen_course.desk.speed import measure_speed
from cnngen_course.desk.times import Work
from tools import times as measured
from tools.execute import NOTEBOOKS

THREAD = Work(0.1, 0.02)  # what the samples take where the work was measured
TWO = Work(0.08, 0.016)
GAN = {"seconds": 40.0, "work": {"training": 60.0, "rest": 10.0}}


@pytest.fixture(autouse=True)
def timings(monkeypatch, tmp_path: Path) -> dict:
    """Timings of two lessons: one whose cells were measured, and one of which only the whole is known."""
    cells = {cell.id: {"training": 20.0, "rest": 2.0} for cell in read_cells("gan")[3:4]}
    told = {
        "one_thread": asdict(THREAD),
        "two_threads": asdict(TWO),
        "lessons": {"07_gan": GAN | {"cells": cells}, "06_likelihood": {"seconds": 50.0}},
    }
    (tmp_path / "timings.json").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setattr(times, "TIMINGS", tmp_path / "timings.json")
    return told


@pytest.fixture
def machine(monkeypatch):
    """This machine, as fast as is wanted."""

    def be(training: float, rest: float) -> None:
        monkeypatch.setattr(times, "find_speed", lambda: Work(training, rest))

    return be


@pytest.fixture
def desk(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "desk"))
    times._find_speed.cache_clear()
    yield tmp_path / "desk"
    times._find_speed.cache_clear()


def test_trainings_and_the_rest_count_each_by_its_own_speed(machine) -> None:
    machine(0.1, 0.02)
    assert times.predict_lesson("gan") == times.predict_lesson("07_gan") == pytest.approx(70)
    machine(0.3, 0.02)
    assert times.predict_lesson("gan") == pytest.approx(190)
    machine(0.1, 0.04)
    assert times.predict_lesson("gan") == pytest.approx(80)


def test_a_lesson_without_measured_cells_is_guessed_from_its_two_threads(machine) -> None:
    machine(*asdict(TWO).values())
    assert times.predict_lesson("likelihood") == pytest.approx(50)
    machine(0.16, 0.016)
    assert times.predict_lesson("likelihood") == pytest.approx(50 * (2 * times.USUAL + 1 - times.USUAL))
    assert times.predict_lesson("unheard_of") == 0


def test_samples_are_measured_in_seconds_and_change_nothing() -> None:
    torch.manual_seed(3)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(3)
    training, rest = measure_speed(seconds=0)
    assert 1e-3 < rest < training < 60
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    assert torch.get_num_threads() == threads


def test_the_speed_is_measured_once_a_day_and_for_each_kind_of_machine(desk: Path, monkeypatch) -> None:
    counted = []

    def count() -> tuple[float, float]:
        counted.append(1)
        return 0.1 * len(counted), 0.02

    def find() -> Work:
        times._find_speed.cache_clear()  # another kernel
        return times.find_speed()

    monkeypatch.setattr(speed, "measure_speed", count)
    assert find() == find() == Work(0.1, 0.02) and len(counted) == 1
    monkeypatch.setenv("CNNGEN_PRECISION", "no" if json.loads(read_machine(desk))[1] == "bf16" else "bf16")
    assert find().training == pytest.approx(0.2)
    now = time.time()
    monkeypatch.setattr(times.time, "time", lambda: now + times.DAY + 1)
    assert find().training == pytest.approx(0.3)
    (desk / times.FILE).write_text("{", encoding="utf-8")
    assert find().training == pytest.approx(0.4)


def read_machine(desk: Path) -> str:
    return json.loads((desk / times.FILE).read_text(encoding="utf-8"))["machine"]


def test_where_nothing_can_be_kept_it_is_measured_all_the_same(desk: Path, monkeypatch) -> None:
    desk.write_text("a file where the folder should be", encoding="utf-8")
    monkeypatch.setattr(speed, "measure_speed", lambda: (1, 2))
    assert times.find_speed() == Work(1, 2)


def test_a_long_cell_says_when_it_will_be_done(machine, monkeypatch) -> None:
    cell = read_cells("gan")[3]
    monkeypatch.setattr(times.time, "time", lambda: time.mktime((2026, 5, 1, 14, 30, 0, 0, 0, -1)))
    machine(0.3, 0.02)  # 62 s
    for cell_id in (cell.id, "another"):  # front ends that don't tell a cell's id
        told = times.describe_long_cell("gan", cell_id, cell.source)
        assert told == "About 60 s on this machine; done at about 14:31."
    assert times.describe_long_cell("gan", cell.id, f"{cell.source}\n1 + 1") == "", "it is another one now"
    machine(0.03, 0.02)  # 8 s
    assert times.describe_long_cell("gan", cell.id, cell.source) == ""
    assert times.describe_long_cell("gan", None, "1 + 1") == ""


def test_the_hook_says_it_before_the_cell(machine, capsys) -> None:
    cell = read_cells("gan")[3]
    machine(0.3, 0.02)
    hooks.announce("gan", SimpleNamespace(cell_id=cell.id, raw_cell=cell.source))
    assert re.fullmatch(r"About 60 s on this machine; done at about \d\d:\d\d\.\n", capsys.readouterr().out)


def test_nothing_is_said_before_a_cell_whose_result_is_stored(machine, capsys, monkeypatch) -> None:
    cell = read_cells("gan")[3]
    machine(0.3, 0.02)
    monkeypatch.setattr(catching_up, "is_hurried", lambda source: source == cell.source)
    hooks.announce("gan", SimpleNamespace(cell_id=cell.id, raw_cell=cell.source))
    assert capsys.readouterr().out == ""


def test_a_lesson_that_takes_three_times_its_budget_offers_what_is_stored(
    desk: Path, machine, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(times, "STORED", desk)
    machine(0.3, 0.04)
    Lesson("gan")
    assert capsys.readouterr().out == ""
    machine(0.4, 0.02)  # 250 s
    Lesson("gan")
    told = capsys.readouterr().out
    assert told == "The computing of this lesson takes about 4 minutes on this machine.\n", "nothing is stored"
    (desk / "gan.safetensors").touch()
    Lesson("gan")
    assert "lesson.hurry() takes the stored results" in capsys.readouterr().out


def test_nothing_is_measured_or_said_where_nothing_is_kept(monkeypatch, capsys) -> None:
    monkeypatch.setenv(store.VARIABLE, store.OFF[store.VARIABLE])
    monkeypatch.setattr(times, "find_speed", lambda: pytest.fail("a test or execute would wait for it"))
    Lesson("gan")
    assert capsys.readouterr().out == ""


def test_damaged_timings_stop_no_lesson(desk: Path, capsys) -> None:
    times.TIMINGS.write_text("{}", encoding="utf-8")
    Lesson("gan")
    hooks.announce("gan", SimpleNamespace(cell_id=None, raw_cell=read_cells("gan")[3].source))
    assert capsys.readouterr().out.count("git checkout") == 2


@pytest.mark.parametrize(
    ("seconds", "words"), [(2, "5 s"), (12, "10 s"), (63, "65 s"), (94, "95 s"), (96, "2 minutes"), (352, "6 minutes")]
)
def test_times_are_as_exact_as_they_are_known(seconds: float, words: str) -> None:
    assert times.describe_seconds(seconds) == words


def test_the_stored_cells_are_those_of_the_lessons(monkeypatch) -> None:
    monkeypatch.undo()
    told = times.read_timings()
    assert set(told["lessons"]) == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    for name, facts in told["lessons"].items():
        cells = facts.get("cells", {})
        assert set(cells) <= {cell.id for cell in read_cells(name[3:])}, "run: python3 course.py bench work"
        if cells:
            parts = measured.add_up(Work(**work) for work in cells.values())
            assert parts.training <= facts["work"]["training"] + 1 and parts.rest <= facts["work"]["rest"] + 1


@pytest.mark.slow
def test_the_work_of_cells_is_measured_apart(tmp_path: Path, timings: dict, monkeypatch) -> None:
    training = """
from cnngen_course.training import fit
from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import Classification
fit(Classifier(class_count=3), Classification(), make_loader(make_shapes(64), 32), steps=30, progress=False)
"""
    waiting = "import time; time.sleep(1.5)"
    counting = "end = time.process_time() + 1\nwhile time.process_time() < end: pass"
    cells = [
        nbformat.v4.new_code_cell(source, id=name)
        for name, source in {"training": training, "waiting": waiting, "counting": counting}.items()
    ]
    path = tmp_path / "06_likelihood.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    found = measured.measure_cells(path)
    assert found["training"].training > 0.1 and found["counting"].training == found["waiting"].training == 0
    assert found["waiting"].rest < 1 <= found["counting"].rest + 0.05 < 3
    monkeypatch.setattr(measured, "SHORT", 0.9)
    monkeypatch.setattr(measured, "TIMINGS", times.TIMINGS)
    measured.write_work(path, found, THREAD)
    facts = times.load_timings()["06_likelihood"]
    assert facts["seconds"] == 50 and "counting" in facts["cells"] and "waiting" not in facts["cells"]
    measured.write_work(path, found, Work(THREAD.training, 2 * THREAD.rest))  # on a machine that is half as fast
    slower = times.load_timings()["06_likelihood"]["work"]
    assert slower["training"] == facts["work"]["training"]
    assert slower["rest"] == pytest.approx(facts["work"]["rest"] / 2, abs=0.1)
