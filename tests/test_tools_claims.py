"""``course.py claims``: seeds move, each lesson meets each machine, results stay, the nearest to failing is first."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import claims
from tools.claims import MACHINES, Machine, Row, Run, describe, plan, shift_seeds, summarise
from tools.execute import NOTEBOOKS


@pytest.mark.parametrize(
    ("source", "shifted"),
    [
        ("seed_everything(0)", "seed_everything(2000)"),
        ("torch.Generator().manual_seed(12)", "torch.Generator().manual_seed(2012)"),
        ("sample_masks(kind, seed=4)", "sample_masks(kind, seed=2004)"),
        ("invent(12, seed=100 + seed)", "invent(12, seed=2100 + seed)"),
        ("torch.manual_seed(seed)", "torch.manual_seed(seed)"),
        ("reseed=4, seeds=5", "reseed=4, seeds=5"),
    ],
)
def test_every_seed_that_a_cell_names_moves(source: str, shifted: str) -> None:
    assert shift_seeds(source, 2) == shifted
    assert shift_seeds(source, 0) == source


def test_every_lesson_has_a_seed_that_moves() -> None:
    for lesson in NOTEBOOKS.glob("*.ipynb"):
        code = "\n".join(cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "code")
        assert shift_seeds(code, 1) != code


def test_five_seeds_bring_every_lesson_to_every_machine_once() -> None:
    lessons = sorted(NOTEBOOKS.glob("*.ipynb"))
    runs = list(plan(lessons, range(5), MACHINES[:5], everything=False))
    assert len(runs) == len(set(runs)) == 5 * len(lessons)
    assert {(run.lesson, run.machine) for run in runs} == {
        (path.stem, m.name) for path in lessons for m in MACHINES[:5]
    }
    assert len(list(plan(lessons[:2], range(5), MACHINES[:3], everything=True))) == 30


def test_what_the_processor_lacks_is_not_played(monkeypatch, tmp_path: Path) -> None:
    names = {machine.name for machine in claims.list_machines()}
    assert {"as it is", "two threads", "default"} <= names <= {machine.name for machine in MACHINES}
    monkeypatch.setattr(claims, "MACHINES", (Machine("moon", needs=("a_flag_of_no_processor",)),))
    assert claims.list_machines() == []


def result(seed: int, *found: tuple[str, bool, float | None], error: str | None = None) -> dict:
    lines = [{"words": words, "held": held, "margin": margin, "measured": "1 > 0"} for words, held, margin in found]
    run = {"lesson": "03_classifier", "code": "abc", "seed": seed, "machine": "avx2"}
    return {**run, "seconds": 1, "error": error, "claims": lines}


def test_the_nearest_to_failing_comes_first_measured_in_its_own_spread() -> None:
    results = [
        result(0, ("steady", True, 0.01), ("shaky", True, 0.10), ("fails", True, 0.5), ("exact", True, None)),
        result(1, ("steady", True, 0.01), ("shaky", True, 0.30), ("fails", False, -0.1), ("exact", True, None)),
    ]
    rows = summarise(results)
    assert [row.words for row in rows] == ["fails", "shaky", "steady", "exact"]
    assert (rows[0].held, rows[0].count, rows[0].smallest) == (1, 2, -0.1)
    assert rows[0].worst.startswith("seed 1, avx2")
    table = "\n".join(describe(rows, results))
    assert table.index("fails") < table.index("shaky") < table.index("steady")
    assert "4 claims, 2 runs, seeds [0, 1], avx2: 1 fail" in table


def test_a_claim_that_fails_without_a_number_comes_first_too() -> None:
    rows = summarise([result(0, ("near", True, 0.01), ("broken", False, None)), result(1, ("near", True, 0.02))])
    assert [row.words for row in rows] == ["broken", "near"]
    assert isinstance(rows[0], Row) and rows[0].distance <= 0


def test_a_run_records_claims_goes_on_after_a_failure_and_tells_an_error(monkeypatch, tmp_path: Path) -> None:
    source = """
import os
from cnngen_course.claims import claim
from cnngen_course.runtime import pick_precision
claim("the machine is played", pick_precision() + os.environ["ATEN_CPU_CAPABILITY"], "==", "noavx2")
claim("the seed moved", 1000 + 7, "==", int(os.environ.get("nothing", "0")) or dict(seed=7)["seed"])
claim("this fails", 1, ">", 2)
claim("and this is still said", 3, ">", 2)
[][1]
"""
    monkeypatch.setattr(claims, "NOTEBOOKS", tmp_path)
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "03_tiny.ipynb")
    machine = Machine("avx2", "avx2", "AVX2", "no")
    measured = claims.measure(Run("03_tiny", "abc", 1, "avx2"), machine)
    assert [line["held"] for line in measured["claims"]] == [True, True, False, True]
    assert measured["error"] == "IndexError: list index out of range"


def test_what_was_measured_is_not_measured_again(monkeypatch, tmp_path: Path, capsys) -> None:
    calls: list[Run] = []

    def measure(run: Run, machine: Machine) -> dict:
        calls.append(run)
        return {**vars(run), "seconds": 1, "error": None, "claims": [{**result(0, ("a", True, 0.5))["claims"][0]}]}

    monkeypatch.setattr(claims, "measure", measure)
    arguments = ["00", "01_convolution.ipynb", "--seeds", "0,3", "--file", str(tmp_path / "new" / "claims.jsonl")]
    claims.main(arguments)
    assert len(calls) == 4
    claims.main(arguments)
    assert len(calls) == 4
    assert "2 claims, 4 runs, seeds [0, 3]" in capsys.readouterr().out
    stored = [json.loads(line) for line in (tmp_path / "new" / "claims.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(stored) == 4
    monkeypatch.setattr(claims, "hash_code", lambda lesson: "changed")
    claims.main([*arguments[:1], *arguments[2:]])
    assert len(calls) == 6, "a lesson whose code changed runs anew"


@pytest.fixture
def calls(monkeypatch) -> list[Run]:
    """The runs that are measured from now on, in which every claim holds."""
    measured: list[Run] = []

    def measure(run: Run, machine: Machine) -> dict:
        measured.append(run)
        return result(0, ("schön", True, 0.5)) | vars(run)

    monkeypatch.setattr(claims, "measure", measure)
    return measured


def test_a_lesson_that_is_not_there_is_told(calls: list[Run], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no lesson nonesuch; there are 00_start_here, 01_convolution, "):
        claims.main(["00", "nonesuch", "--file", str(tmp_path / "claims.jsonl")])
    assert not calls


def test_a_result_of_another_seed_does_not_count(monkeypatch, calls: list[Run], tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(claims, "measure", lambda run, machine: result(0, ("a", run.seed == 1, 0.5)) | vars(run))
    arguments = ["3", "--file", str(tmp_path / "claims.jsonl")]
    with pytest.raises(SystemExit):
        claims.main([*arguments, "--seeds", "0,1"])
    claims.main([*arguments, "--seeds", "1"])
    claims.main([*arguments, "--seeds", "1", "--show"])
    assert capsys.readouterr().out.count("1 claims, 1 runs, seeds [1]") == 2


@pytest.mark.parametrize("last", [b"\xc3", b"seed", b"}"])  # half a letter; half a line; all but its end
def test_a_line_that_was_cut_is_measured_again(calls: list[Run], tmp_path: Path, last: bytes) -> None:
    file = tmp_path / "claims.jsonl"
    arguments = ["3", "--seeds", "0,1", "--file", str(file)]
    claims.main(arguments)
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(last) + len(last)])
    claims.main(arguments)
    assert len(calls) == 3 and file.read_bytes() == whole


def test_the_code_of_a_lesson_is_also_that_of_the_package(monkeypatch, tmp_path: Path) -> None:
    lesson = NOTEBOOKS / "03_classifier.ipynb"
    monkeypatch.setattr(claims, "PACKAGE", tmp_path)
    (tmp_path / "models").mkdir()
    found = set()
    for number in range(3):
        (tmp_path / "models" / "unet.py").write_text(f"width = {number}", encoding="utf-8")
        claims.hash_package.cache_clear()
        found.add(claims.hash_code(lesson))
        (tmp_path / "notes.txt").write_text(str(number), encoding="utf-8")
        claims.hash_package.cache_clear()
        found.add(claims.hash_code(lesson))
    claims.hash_package.cache_clear()
    assert len(found) == 3


def test_a_failure_is_the_exit_status(monkeypatch, tmp_path: Path) -> None:
    failed = result(0, ("a", False, -1.0))
    monkeypatch.setattr(claims, "measure", lambda run, machine: failed | vars(run))
    with pytest.raises(SystemExit) as stopped:
        claims.main(["00", "--seeds", "0", "--file", str(tmp_path / "claims.jsonl")])
    assert stopped.value.code == 1
