"""Pieces to rate: as many of each source, the same ones each time, with the judge's own opinion."""

import torch

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.pieces import QUESTIONS, SOURCES, compute_chances, make_pieces


def test_each_source_draws_as_many() -> None:
    pieces = make_pieces(3)
    counts = {source: sum(piece.source == source for piece in pieces) for source in SOURCES}
    assert set(counts.values()) == {QUESTIONS // len(SOURCES)}
    assert all(piece.image.shape == (1, 1, 28, 28) and piece.image.abs().max() <= 1.001 for piece in pieces)
    assert pieces == make_pieces(3) and make_pieces(4)[0].image.ne(pieces[0].image).any()
    assert sum(piece.judge for piece in pieces) / len(pieces) > 0.6  # most show what they shall


def test_real_pictures_are_real() -> None:
    pieces = [piece for piece in make_pieces(0) if piece.source == "real"]
    test = load_fashion_mnist("test")
    for piece in pieces:
        same = (test.images == piece.image).flatten(1).all(dim=1)
        assert same.any() and test.labels[same][0] == piece.label


def test_chances_are_the_judges() -> None:
    test = load_fashion_mnist("test")
    chances = compute_chances(test.images[:50], test.labels[:50])
    assert chances.shape == (50,) and chances.mean() > 0.8 and chances.max() <= 1


def test_torch_is_left_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    make_pieces.cache_clear()
    make_pieces(2)
    assert torch.equal(torch.rand(3), wanted)
