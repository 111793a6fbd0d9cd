"""Mixtures, the true pictures beside what is drawn, and words that say which designs have a face."""

import pytest
import torch

from cnngen_course.experiments.scaling import SERIES
from cnngen_course.explorers import scaling


def test_a_mixture_has_shares() -> None:
    shares = scaling.mix("a", "c", 0.25, ("a", "b", "c"))
    assert shares.tolist() == [[0.75, 0.0, 0.25]]
    assert scaling.mix("b", "b", 0.7, ("a", "b", "c")).sum() == pytest.approx(1)


def test_pictures_are_found_and_gaps_and_held_out_ones_told_apart() -> None:
    assert scaling.find_picture("partying face", "noto-v1") == (None, False)
    known, seen = scaling.find_picture("grinning face", "noto")
    assert known.shape == (3, 64, 64) and seen
    kept, seen = scaling.find_picture("nerd face", "noto")
    assert kept is not None and not seen


def test_every_face_to_choose_is_known() -> None:
    assert scaling.choose_faces() == list(scaling.FACES)


def test_the_words_say_who_has_the_face() -> None:
    text = scaling.describe_artist("pleading face", "nerd face", 0.2, "noto", "fluent", 0.0)
    assert "80% pleading face and 20% nerd face, in the design noto." in text
    assert "emojione and noto-v1 never drew it" in text
    assert "noto and twemoji was kept" in scaling.describe_artist("nerd face", "alien", 0.0, "noto", "noto", 0.5)


def test_style_and_face_both_count() -> None:
    names, styles = scaling.load_table().face_names, torch.eye(6)
    face = scaling.mix("grinning face", "angry face", 0.0, names).expand(6, -1)
    drawn = scaling.draw_faces(face, styles)
    assert drawn.shape == (6, 3, 64, 64) and drawn.std(dim=0).mean() > 0.02


@pytest.mark.parametrize("name", SERIES)
def test_the_plot_holds_every_run(name: str) -> None:
    figure = scaling.plot_series(name, budget=1e30)
    left, right = figure.axes
    assert len(left.lines) == 2 and len(left.lines[0].get_xdata()) == len(SERIES[name])
    assert len(right.lines) == len(SERIES[name]) + 2  # the budget, and the ring about the best


def test_too_small_a_budget_is_said() -> None:
    assert "none of them has come to its first" in scaling.describe_scaling("width", 1.0, True)
    assert "the best is width" in scaling.describe_scaling("width", 1e30, False)
