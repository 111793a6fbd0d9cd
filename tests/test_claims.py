"""A claim that holds is silent; one that fails stops a test and never a lesson; margins say how near it was."""

import json

import pytest
import torch

from cnngen_course.claims import FILE, Moments, UnfinishedTraining, claim, compute_margin


@pytest.fixture
def lines(monkeypatch, tmp_path):
    monkeypatch.setenv(FILE, str(tmp_path / "claims.jsonl"))
    return lambda: [json.loads(line) for line in (tmp_path / "claims.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "terms",
    [(2, ">", 1), (1, "<", torch.tensor(2.0), "<=", 2), ((3, 4), "==", (3, 4)), ("a", "!=", "b"), (True,), ([1],)],
)
def test_what_holds_is_silent_in_either_mode(terms, capsys, monkeypatch) -> None:
    claim("it holds", *terms)
    monkeypatch.delenv("CNNGEN_CLAIMS")
    claim("it holds", *terms)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "terms", [(1, ">", 1), (3, ">", 2, ">", 2), (float("nan"), "<", 1), (False,), ("a", "==", "b")]
)
def test_what_fails_stops_a_test_and_tells_a_learner(terms, capsys, monkeypatch) -> None:
    with pytest.raises(AssertionError, match="more data helps"):
        claim("more data helps", *terms)
    monkeypatch.delenv("CNNGEN_CLAIMS")
    claim("more data helps", *terms)
    said = capsys.readouterr().out
    assert "came out differently" in said and "more data helps" in said and "another processor" in said


def test_the_numbers_stand_in_the_message() -> None:
    with pytest.raises(AssertionError, match=r"more data helps, but this run has 0\.1235 > 0\.5$"):
        claim("more data helps", torch.tensor(0.123456), ">", 0.5)


@pytest.mark.parametrize("terms", [(), (1, ">"), (1, "about", 2), (1, 2, 3)])
def test_a_claim_that_says_nothing_is_refused(terms) -> None:
    with pytest.raises(TypeError, match="sign between them"):
        claim("half a claim", *terms)


def test_the_margin_is_a_share_of_the_larger_side_and_that_of_the_nearest_pair() -> None:
    assert compute_margin([(10, ">", 9)]) == pytest.approx(0.1)
    assert compute_margin([(9, ">", 10)]) == pytest.approx(-0.1)
    assert compute_margin([(1, "<", 4), (4, "<=", 5)]) == pytest.approx(0.2)
    assert compute_margin([(0.3, ">", 0)]) == pytest.approx(0.3)
    assert compute_margin([(0, "<", 1e-5)]) == 1  # an error of nothing is as far from its limit as can be
    assert compute_margin([(3, "==", 3)]) is None
    assert compute_margin([(float("nan"), ">", 0)]) is None


def test_every_claim_is_recorded_with_its_margin(lines) -> None:
    claim("ten is more", 10, ">", 8)
    claim("they are equal", torch.equal(torch.ones(2), torch.ones(2)))
    with pytest.raises(AssertionError):
        claim("nine is more", 9, ">", 10)
    first, second, third = lines()
    assert first == {"words": "ten is more", "held": True, "margin": 0.2, "measured": "10 > 8"}
    assert second["held"] and second["margin"] is None
    assert not third["held"] and third["margin"] == pytest.approx(-0.1)


def test_a_moment_that_was_never_reached_is_told_in_a_sentence() -> None:
    moments = Moments()
    moments["100 batches"] = 1
    assert moments["100 batches"] == 1
    with pytest.raises(UnfinishedTraining, match=r"nothing from 700 batches.*\(it left: 100 batches\)\. Run the cell"):
        moments["700 batches"]
