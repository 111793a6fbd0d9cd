"""What is stored comes back: tensors bit for bit, and facts."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from cnngen_course.experiments import stored
from cnngen_course.experiments.ablation import WAYS, load_ablation
from cnngen_course.paths import DamagedFileError, read_data


@dataclass(frozen=True)
class Outcome:
    pixels: Tensor
    name: str
    losses: list[float]
    scores: Tensor


def test_a_record_survives_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Outcome(torch.arange(6, dtype=torch.uint8).view(2, 3), "été", [0.1, 2.0], torch.rand(4))
    monkeypatch.setattr(stored, "read_data", lambda *_: stored.encode_record(outcome))
    again = stored.load_record(Outcome, "any", "file.npz")
    assert torch.equal(again.pixels, outcome.pixels) and torch.equal(again.scores, outcome.scores)
    assert (again.name, again.losses) == (outcome.name, outcome.losses)


def test_tensors_may_come_without_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "read_data", lambda *_: stored.encode_parts({"a": torch.ones(2)}))
    tensors, facts = stored.load_parts("any", "file.npz")
    assert tensors["a"].tolist() == [1, 1] and list(tensors) == ["a"] and facts is None


@pytest.mark.parametrize("way", WAYS)
def test_the_stored_files_are_what_would_be_stored_today(way: str) -> None:
    assert stored.encode_record(load_ablation(way)) == read_data("ablation", f"{way.lower()}.npz")


def test_a_damaged_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("cnngen_course.paths.DATA", tmp_path)
    with pytest.raises(DamagedFileError, match=r"l1\.npz is missing"):
        stored.load_parts("ablation", "l1.npz")
