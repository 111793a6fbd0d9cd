"""Shades and error bars are as large as what they stand for."""

from cnngen_course.figures.quality import plot_answers, plot_with_errors


def test_shades_are_distances_from_the_best_row() -> None:
    figure = plot_answers({"good": [1.0, 0.5], "bad": [3.0, 0.5], "worse": [0.0, -0.001]}, {"a": 0, "b": 2}, "good")
    shades = figure.axes[0].images[0].get_array()
    assert shades[0].tolist() == [0, 0]
    assert shades[1].tolist() == [1, 0] and shades[2, 0] == 0.5 and shades[2, 1] == 1
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "0.50", "3", "0.50", "0", "0.00"]  # never -0.00


def test_error_bars_are_as_long_as_the_errors() -> None:
    figure = plot_with_errors({"one": ([1, 10], [2.0, 3.0], [0.5, 0.25])}, "n", ["value"])
    segments = figure.axes[0].collections[0].get_segments()
    assert [(low[1], high[1]) for low, high in segments] == [(1.5, 2.5), (2.75, 3.25)]
