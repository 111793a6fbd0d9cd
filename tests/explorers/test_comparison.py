"""The blind test counts rightly and repeats; the comparison shows what it says."""

import torch

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.comparison import CONTESTANTS, KEPT, load_outcome
from cnngen_course.explorers.comparison import (
    QUESTIONS,
    BlindTest,
    draw_blind_test,
    draw_comparison,
    make_blind_test_explorer,
    make_questions,
)
from cnngen_course.figures.comparison import REAL


def test_half_of_the_questions_are_real() -> None:
    sources = [question.source for question in make_questions(3)]
    assert len(sources) == QUESTIONS and sources.count(REAL) == QUESTIONS // 2
    assert {sources.count(name) for name in CONTESTANTS} == {QUESTIONS // 8}
    assert sources != sorted(sources, key=(REAL, *CONTESTANTS).index)


def test_a_series_repeats_and_another_differs() -> None:
    first, again, other = make_questions(1), make_questions(1), make_questions(2)
    assert all(torch.equal(a.pixels, b.pixels) and a.source == b.source for a, b in zip(first, again, strict=True))
    assert [question.source for question in first] != [question.source for question in other]


def test_questions_show_what_they_claim() -> None:
    test, kept = load_fashion_mnist("test").pixels, {name: load_outcome(name, 0).pixels for name in CONTESTANTS}
    for question in make_questions(0)[:20]:
        pool = test if question.source == REAL else None
        if pool is not None:
            assert (pool == question.pixels).flatten(1).all(dim=1).any()
        else:
            assert not (test == question.pixels).flatten(1).all(dim=1).any()
    assert all(len(pixels) == KEPT for pixels in kept.values())


def test_errors_are_counted_by_source() -> None:
    test = BlindTest(0)
    while test.current:
        test.answer(real=True)  # takes everything for real: no error with real pictures, only errors with the others
    errors = test.count_errors()
    assert errors[REAL].value == 0 and errors[REAL].n == QUESTIONS // 2
    assert all(errors[name].value == 1 and errors[name].n == QUESTIONS // 8 for name in CONTESTANTS)
    assert errors[REAL].high < errors["gan"].low
    test.answer(real=True)  # after the last question an answer counts no more
    assert len(test.answers) == QUESTIONS and "That was the last one" in test.describe()


def test_the_verdict_is_said() -> None:
    test = BlindTest(5)
    first = test.questions[0]
    assert "Nothing that you answer leaves this computer" in test.describe()
    test.answer(real=first.source == REAL)
    assert test.describe().startswith("Right: it ") and "Question 2 of" in test.describe()
    test.answer(real=test.questions[1].source != REAL)
    assert test.describe().startswith("Wrong: it ")


def test_buttons_answer_and_start_anew() -> None:
    panel = make_blind_test_explorer()
    before = panel.picture.value
    panel.buttons["real"].click()
    assert "Question 2 of" in panel.describe() and panel.picture.value != before
    panel.buttons["generated"].click()
    assert "Question 3 of" in panel.describe()
    panel.buttons["start anew"].click()
    assert "Question 1 of" in panel.describe() and panel.picture.value == before
    panel.buttons["real"].click()
    panel.controls["series"].value = 4
    assert "Question 1 of" in panel.describe()


def test_the_score_is_drawn_even_at_the_end() -> None:
    test = BlindTest(0)
    empty = draw_blind_test(test).tobytes()
    for _ in range(QUESTIONS):
        test.answer(real=False)
    assert draw_blind_test(test).size == (660, 316) and draw_blind_test(test).tobytes() != empty


def test_the_comparison_shows_the_numbers_of_its_training() -> None:
    view = draw_comparison(label=8, seed=1)
    assert "class Bag" in view.text and f"GAN distance {load_outcome('gan', 1).metrics['frechet']:.2f}" in view.text
