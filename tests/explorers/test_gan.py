"""The arithmetic behind the explorers of the lesson on adversarial training."""

import numpy as np
import pytest
import torch

from cnngen_course.experiments.clinic import CASES, SIGNS, load_run
from cnngen_course.explorers.gan import (
    CENTRES,
    OPEN,
    choose_lines,
    compare_lines,
    compute_coverage,
    compute_moment,
    describe_step,
    draw_case,
    draw_games,
    draw_plots,
    find_range,
    judge_case,
    sample_ring,
)
from cnngen_course.models.gan import PointDiscriminator, PointGenerator


def test_the_ring_covers_itself() -> None:
    points = sample_ring(2000, torch.Generator().manual_seed(0))
    share, clusters = compute_coverage(points)
    assert share > 0.98 and clusters == 8
    assert points.norm(dim=1).mean().item() == pytest.approx(2, abs=0.02)


def test_coverage_sees_lost_clusters() -> None:
    assert compute_coverage(CENTRES[[0, 3]].repeat(50, 1)) == (1.0, 2)
    assert compute_coverage(torch.zeros(10, 2)) == (0.0, 0)


def test_a_moment_maps_the_plane_from_the_top_left() -> None:
    torch.manual_seed(0)
    generator, discriminator = PointGenerator(), PointDiscriminator()
    latents = torch.randn(7, 2)
    moment = compute_moment(3, generator, discriminator, latents)
    corner = discriminator(torch.tensor([[-3.2, 3.2]])).sigmoid()
    torch.testing.assert_close(moment.scores[0, :1], corner.detach())
    torch.testing.assert_close(moment.points, generator(latents).detach())


def test_curves_find_their_plot() -> None:
    assert list(choose_lines(load_run("A"))) == ["losses", "scores", "diversity", "gradient"]
    assert list(choose_lines(load_run("game_0"))) == ["losses", "scores", "diversity"]


def test_ranges_are_never_empty() -> None:
    flat = {"": torch.full((10,), -6.0)}
    assert find_range("scores", flat) == (0, 1)
    low, high = find_range("gradient", flat)
    assert high > low == -6
    assert find_range("losses", {"": torch.tensor([-9.0, 700.0])}) == (-2, 5)


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
