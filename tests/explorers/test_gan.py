"""The arithmetic behind the explorers of the lesson on adversarial training."""

import numpy as np
import pytest
import torch

from cnngen_course.experiments.clinic import CASES, SIGNS, load_run
from cnngen_course.explorers.gan import (
    OPEN,
    compare_lines,
    describe_step,
    draw_case,
    draw_games,
    draw_plots,
    judge_case,
)


def test_the_mark_moves_along_the_curves() -> None:
    groups = {"diversity": {"": torch.full((100,), 0.5)}}
    dark = [np.asarray(draw_plots(groups, share).convert("L"))[60] < 50 for share in (0.0, 0.5, 1.0)]
    places = [np.flatnonzero(row).mean() for row in dark]
    assert places[1] == pytest.approx((places[0] + places[2]) / 2, abs=1) and places[2] - places[0] > 600


def test_both_games_are_shown_together() -> None:
    alone, together = draw_games("A", 5), draw_games("AB", 5)
    assert alone.text.count("Training") == 1 and together.text.count("Training") == 2
    assert together.picture.height > alone.picture.height and together.picture.width == alone.picture.width
    lines = compare_lines({"A": load_run("game_0"), "B": load_run("game_1")})
    assert lines["diversity"]["B"] is load_run("game_1").curves["diversity"]


def test_words_hold_the_numbers() -> None:
    run = load_run("G")
    text = describe_step(run, len(run.moments) - 1)
    assert "After 1,000 steps" in text and "gradient 0" in text


def test_every_diagnosis_is_answered() -> None:
    for case in CASES:
        answers = {name: judge_case(case, name)[0] for name in SIGNS}
        right = [name for name, answer in answers.items() if answer.startswith("✓")]
        assert right == [CASES[case]]
        assert len(set(answers.values())) == len(answers)
    assert "Choose" in judge_case("A", OPEN)[0]


def test_the_mended_run_is_another() -> None:
    sick, mended = (draw_case("B", 7, OPEN, mended) for mended in (False, True))
    assert sick.picture.tobytes() != mended.picture.tobytes()
    assert "mended" in mended.text
