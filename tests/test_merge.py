"""A merged lesson holds whatever a learner wrote, word for word, and whatever the course has changed."""

import json

import nbformat
from hypothesis import given
from hypothesis import strategies as st

from tools.merge import BACK, BOTH, GONE, Notebook, merge


def make(*cells: tuple[str, str], **outputs: str) -> Notebook:
    """Make a notebook of (id, code); a cell has an output if one is given under its id."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": name,
                "metadata": {},
                "source": code.splitlines(keepends=True),
                "outputs": [{"output_type": "stream", "name": "stdout", "text": outputs[name]}]
                if name in outputs
                else [],
                "execution_count": None,
            }
            for name, code in cells
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def read(notebook: Notebook) -> list[str]:
    nbformat.validate(nbformat.from_dict(notebook))
    return ["".join(cell["source"]) for cell in notebook["cells"]]


BASE = make(("a", "one"), ("b", "def f(real):\n    return ..."), ("c", "three"))
ANSWERED = "def f(real):\n    return real ** 2"


def test_an_answer_meets_a_lesson_that_changed_elsewhere() -> None:
    mine = make(("a", "one"), ("b", ANSWERED), ("c", "three"), a="1", c="3")
    merged, notes = merge(BASE, mine, make(("a", "one"), ("b", "def f(real):\n    return ..."), ("c", "3"), ("d", "4")))
    assert read(merged) == ["one", ANSWERED, "3", "4"] and notes == 0
    assert [len(cell["outputs"]) for cell in merged["cells"]] == [1, 0, 0, 0], "an output stays if its code stays"


def test_a_cell_that_both_changed_stands_there_twice() -> None:
    """Line by line the two would merge to "def f(true): return real ** 2", and nobody would be told."""
    new = "def f(true):\n    return ..."
    merged, notes = merge(BASE, make(("a", "one"), ("b", ANSWERED), ("c", "three")), make(("a", "one"), ("b", new)))
    assert read(merged) == ["one", ANSWERED, BOTH, new] and notes == 1
    assert [cell["id"] for cell in merged["cells"]][:2] == ["a", "b"], "the learner's is the one that stays"
    again, notes = merge(make(("a", "one"), ("b", new)), merged, make(("a", "1"), ("b", new)))
    assert read(again) == ["1", ANSWERED, BOTH, new] and notes == 0, "what stands side by side stays so"


def test_code_that_does_not_even_parse_is_kept_as_it_is() -> None:
    half = "def f(real):\n    return (real **"
    merged, _ = merge(
        BASE,
        make(("a", "one"), ("b", half), ("c", "three")),
        make(("a", "1"), ("b", "def f(real):\n    return ..."), ("c", "3")),
    )
    assert read(merged) == ["1", half, "3"]


def test_cells_of_ones_own_stay_where_they_stand() -> None:
    mine = make(
        ("x", "first"),
        ("a", "one"),
        ("y", "mine"),
        ("z", "and mine"),
        ("b", "def f(real):\n    return ..."),
        ("c", "three"),
    )
    new = make(("0", "zero"), ("a", "one"), ("n", "new"), ("b", "def f(real):\n    return ..."), ("c", "3"))
    assert read(merge(BASE, mine, new)[0]) == [
        *("first", "zero", "one", "mine", "and mine", "new", "def f(real):\n    return ...", "3")
    ]


def test_what_was_deleted_stays_deleted_unless_the_other_side_changed_it() -> None:
    mine = make(("b", ANSWERED))
    assert read(merge(BASE, mine, BASE)[0]) == [ANSWERED], "by the learner"
    assert read(merge(BASE, BASE, make(("a", "one")))[0]) == ["one"], "by the course"
    merged, notes = merge(BASE, mine, make(("a", "1"), ("c", "three")))
    assert read(merged) == [ANSWERED, GONE, BACK, "1"] and notes == 2
    again, notes = merge(make(("a", "1"), ("c", "three")), make(("b", ANSWERED)), make(("a", "1"), ("c", "3")))
    assert read(again) == [ANSWERED, BACK, "3"], "a cell that stayed is the learner's own from then on"


def test_ids_that_a_copied_cell_brought_along_cost_no_cell() -> None:
    mine = make(("a", "one"), ("a", "copied"), ("b", ANSWERED), ("a", "again"), ("c", "three"))
    merged, _ = merge(BASE, mine, make(("a", "1"), ("b", "new"), ("c", "three")))
    assert read(merged) == ["1", "copied", ANSWERED, BOTH, "new", "again", "three"]
    assert len({cell["id"] for cell in merged["cells"]}) == 7


def test_a_code_cell_that_became_text_was_changed() -> None:
    mine = make(("a", "one"), ("b", ANSWERED), ("c", "three"))
    mine["cells"][0] = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["one"]}
    merged, notes = merge(BASE, mine, make(("a", "1"), ("b", "x"), ("c", "three")))
    assert read(merged) == ["one", BOTH, "1", ANSWERED, BOTH, "x", "three"] and notes == 2


NAMES = [f"cell-{number}" for number in range(6)]
CODES = ["", "x = 1", "x = 2\ny", "def f(", "## words\n", "🖌 课"]


@st.composite
def lessons(draw) -> tuple[Notebook, Notebook, Notebook]:
    """Draw a lesson, and what two hands made of it: changed, deleted, moved and added cells; ids may come twice."""
    base = [(name, draw(st.sampled_from(CODES))) for name in draw(st.lists(st.sampled_from(NAMES), unique=True))]

    def edit(cells: list, own: str, may_move: bool) -> list:
        kept = [(name, draw(st.sampled_from([code, code, *CODES]))) for name, code in cells if draw(st.integers(0, 3))]
        for number in range(draw(st.integers(0, 3))):
            name = draw(st.sampled_from([f"{own}-{number}", *(NAMES if may_move else [])]))
            kept.insert(draw(st.integers(0, len(kept))), (name, draw(st.sampled_from(CODES))))
        return draw(st.permutations(kept)) if may_move and draw(st.booleans()) else kept

    return make(*base), make(*edit(base, "mine", True)), make(*edit(base, "new", False))


@given(lessons())
def test_nothing_is_lost(three: tuple[Notebook, Notebook, Notebook]) -> None:
    base, mine, new = three
    before = json.dumps(three)
    merged, _ = merge(base, mine, new)
    assert json.dumps(three) == before
    found = read(merged)
    assert len({cell["id"] for cell in merged["cells"]}) == len(found)
    was = {cell["id"]: "".join(cell["source"]) for cell in base["cells"]}
    for side in (mine, new):
        for cell in side["cells"]:
            code = "".join(cell["source"])
            assert code in found or was.get(cell["id"]) == code, "what a side wrote is there"
    again, notes = merge(new, merged, new)
    assert again["cells"] == merged["cells"] and notes == 0, "a second update changes nothing"
    assert merge(base, base, new)[0]["cells"] == new["cells"] and merge(base, mine, base)[1] == 0
