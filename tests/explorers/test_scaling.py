"""Mixtures, the true pictures beside what is drawn, and words that say which designs have a face."""

import pytest
import torch

from cnngen_course.explorers import scaling


def test_a_mixture_has_shares() -> None:
    shares = scaling.mix("a", "c", 0.25, ("a", "b", "c"))
    assert shares.tolist() == [[0.75, 0.0, 0.25]]
    assert scaling.mix("b", "b", 0.7, ("a", "b", "c")).sum() == pytest.approx(1)


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
