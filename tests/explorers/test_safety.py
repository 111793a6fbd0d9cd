"""Attacks in the explorer fool the judge; no true face of the course's pictures is ever shown."""

import pytest
import torch

from cnngen_course.explorers import safety
from cnngen_course.safety.faces import find_hits, hide_all


def test_nothing_changed_nothing_said() -> None:
    names = safety.load_pictures().class_names
    view = safety.draw_attack(0, "noise", 0, safety.ANY)
    true = names[int(safety.load_pictures().labels[0])]
    assert f"The judge says {true}" in view.text


def test_a_strong_attack_fools_the_judge() -> None:
    texts = [safety.draw_attack(index, "ten steps (PGD)", 8, safety.ANY).text for index in range(6)]
    names = safety.load_pictures().class_names
    right = [
        f"The judge says {names[label]} " in text
        for label, text in zip(safety.load_pictures().labels, texts, strict=False)
    ]
    assert sum(right) <= 1


def test_a_target_is_read() -> None:
    assert "The judge says Bag" in safety.draw_attack(0, "ten steps (PGD)", 24, "Bag").text


@pytest.mark.parametrize("name", safety.PEOPLE)
@pytest.mark.parametrize("detector", safety.DETECTORS)
def test_every_true_face_is_hidden(name: str, detector: str) -> None:
    pixels, true, _ = safety.load_person(name)
    found = safety.detect(pixels, detector, "nearly sure")
    hidden, missed = hide_all(pixels, found, true, "pixelate")
    met = find_hits(found, true).any(dim=0) if len(found) else torch.zeros(len(true), dtype=torch.bool)
    assert len(missed) == int((~met).sum())
    for left, top, right, bottom in true.long().tolist():
        part = (slice(None), slice(top, bottom), slice(left, right))
        assert (hidden[part] != pixels[part]).any(dim=0).float().mean() > 0.4


def test_words_count_what_was_missed() -> None:
    text = safety.draw_hidden(*safety.load_person("orchestra"), "MTCNN", "likely", "cover", 1.0).text
    assert "Of 35 true faces it missed 35" in text


def test_of_an_own_picture_only_the_eye_knows() -> None:
    pixels = torch.full((3, 100, 640), 90, dtype=torch.uint8)
    text = safety.draw_hidden(pixels, None, None, "MTCNN", "likely", "blur", 1.0).text
    assert "found 0 places" in text and "Nothing of your picture leaves this computer" in text
