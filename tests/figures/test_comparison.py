"""Figures of the comparison show who has which number, and who has none."""

from cnngen_course.experiments.comparison import CONTESTANTS, EVERYONE
from cnngen_course.figures.comparison import plot_table


def test_the_table_says_none_where_a_model_has_no_such_number() -> None:
    table = {"bits": {"pixelcnn": [1.1, 1.2]}, "distance": {name: [1.0] for name in CONTESTANTS}}
    figure = plot_table(table, {"bits": 0, "distance": 0})
    first, second = figure.axes[:2]
    assert [text.get_text() for text in first.texts] == ["none"] * 3 and not second.texts
    assert [len(line.get_xdata()) for line in second.lines[1:]] == [1, 1, 1, 1]


def test_a_newcomer_is_shown_where_it_is_asked_for() -> None:
    figure = plot_table({"distance": {name: [1.0] for name in EVERYONE}}, {"distance": 0}, list(EVERYONE))
    assert [len(line.get_xdata()) for line in figure.axes[0].lines[1:]] == [1] * 5
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()][-1] == "flow"
