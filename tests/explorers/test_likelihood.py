"""The arithmetic behind the explorers of the lesson on likelihood."""

import pytest
import torch

from cnngen_course.explorers import likelihood as explorer
from cnngen_course.explorers.likelihood import (
    DRAWS,
    Draws,
    compute_chances,
    compute_draws,
    compute_ranking,
    describe_drawing,
    paint_partial,
    paint_surprise,
)
from cnngen_course.models.classifier import Classifier
from cnngen_course.models.pixelcnn import PixelCNN, compute_order
from cnngen_course.objectives.likelihood import compute_log_likelihood, to_bits_per_dimension


@pytest.fixture
def model() -> PixelCNN:
    torch.manual_seed(0)
    return PixelCNN(width=8, depth=2, head_width=8).eval()


def test_chances_are_those_of_the_likelihood(model: PixelCNN) -> None:
    levels, labels = torch.randint(16, (3, 1, 28, 28)), torch.tensor([0, 4, 9])
    row, column = compute_order(28).T
    chances = compute_chances(model, levels, labels)
    taken = chances.gather(2, levels[:, 0, row, column][..., None]).log().sum(dim=(1, 2))
    torch.testing.assert_close(taken, compute_log_likelihood(model, levels, labels), rtol=1e-4, atol=1e-2)
    cold = compute_chances(model, levels, labels, temperature=0.5)
    torch.testing.assert_close(cold, chances.square() / chances.square().sum(dim=2, keepdim=True))


def test_draws_begin_with_what_is_given(model: PixelCNN) -> None:
    beginning = torch.randint(16, (1, 1, 28, 28))
    draws = compute_draws(model, 3, 1.0, beginning)
    assert draws.levels.shape == (DRAWS, 28, 28) and draws.given == 392
    assert (draws.levels[:, :14] == beginning[0, :, :14]).all()
    assert len(draws.levels.unique(dim=0)) == DRAWS
    assert compute_draws(model, 3, 1.0, None).given == 0


def test_a_partial_picture_shows_what_is_drawn_and_no_more() -> None:
    levels = torch.full((2, 4, 4), 15)
    pictures = paint_partial(levels, 5)
    colours = [pictures[0].getpixel((column, row)) for row, column in compute_order(4).tolist()]
    assert colours == [(255, 255, 255)] * 5 + [explorer.UNDRAWN] * 11
    assert paint_partial(levels, 16)[1].getcolors() == [(16, (255, 255, 255))]


def test_surprise_is_white_at_none_and_dark_at_much() -> None:
    painted = paint_surprise(torch.tensor([[0.0, 3.0], [6.0, 60.0]]))
    shades = [sum(painted.getpixel((x, y))) for y, x in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert shades[0] == 765 and shades[0] > shades[1] > shades[2] == shades[3]


def test_the_words_give_bits_and_chances() -> None:
    chances = torch.full((784, 16), 0.1 / 15)
    chances[:, 5] = 0.9
    chances[400:] = 1 / 16
    draws = Draws(torch.full((1, 28, 28), 5), chances[None], given=0)
    first = describe_drawing(draws, 0, 1, 9, 1.0)
    assert "pixel 1 of 784: the likeliest level is 5 with 90%, and it was drawn (0.2 bits)" in first
    assert "So far" not in first
    assert "(4.0 bits). So far the draw took 0.15 bits a pixel" in describe_drawing(draws, 400, 1, 9, 1.0)
    assert "finished. So far" in describe_drawing(draws, 784, 1, 9, 1.0)
    unlikely = Draws(torch.full((1, 28, 28), 2), chances[None], given=392)
    assert "but level 2 was given, which had 0.7%" in describe_drawing(unlikely, 10, 1, 9, 0.5)


def test_a_ranking_goes_from_most_to_least_probable(model: PixelCNN) -> None:
    ranking = compute_ranking(model, Classifier(widths=(4, 8)).eval(), label=2, count=5)
    assert (ranking.bits.diff() >= 0).all()
    expected = to_bits_per_dimension(compute_log_likelihood(model, ranking.levels, torch.full((5,), 2)), 784)
    torch.testing.assert_close(ranking.bits, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ranking.surprise.mean(dim=(1, 2)), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ranking.verdicts.sum(dim=1), torch.ones(5))


def test_a_slow_drawing_is_announced_and_a_kept_one_is_not(monkeypatch: pytest.MonkeyPatch, model: PixelCNN) -> None:
    monkeypatch.setattr(explorer, "load_model", lambda: model)
    monkeypatch.setattr(explorer, "DRAWN", {})
    panel = explorer.make_drawing_explorer()
    said: list[str] = []
    monkeypatch.setattr(panel, "_say", said.append)
    panel.controls["drawn"].value = 100
    panel.controls["temperature"].value = 0.5
    assert [text == "Drawing ..." for text in said] == [False, True, False]
