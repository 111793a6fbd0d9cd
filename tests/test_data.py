"""The ledger tells the truth about every file in data/, and README.md is its faithful print."""

import json

import pytest

from cnngen_course.paths import DATA, LEDGER
from data.build.ledger import render
from data.build.sources import sha256_of

BOOK = json.loads(LEDGER.read_text(encoding="utf-8"))
APART = {"build", "sources", "weights", "moments", "__pycache__"}


def test_every_folder_is_in_the_ledger() -> None:
    assert {path.name for path in DATA.iterdir() if path.is_dir()} - APART == set(BOOK)


@pytest.mark.parametrize("name", BOOK)
def test_files_are_as_entered(name: str) -> None:
    folder = DATA / name
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(found) == set(BOOK[name]["files"])
    for file, path in found.items():
        assert sha256_of(path) == BOOK[name]["files"][file]["sha256"], f"{name}/{file} was altered"


@pytest.mark.parametrize("name", BOOK)
def test_licence_and_attribution_are_given(name: str) -> None:
    assert (DATA / name / "LICENSE").stat().st_size > 100
    assert (DATA / name / "ATTRIBUTION.md").stat().st_size > 20
    for entry in ("author", "licence", "attribution", "left_out", "sources"):
        assert BOOK[name][entry], f"{name} has no {entry}"
    for source in BOOK[name]["sources"]:
        assert len(source["sha256"]) == 64


def test_readme_is_the_ledger_in_print() -> None:
    assert (DATA / "README.md").read_text(encoding="utf-8") == render(BOOK)
