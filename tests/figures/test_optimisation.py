"""Figures of optimisation hold what they are given."""

from cnngen_course.blocks import ACTIVATIONS
from cnngen_course.experiments.trials import (
    RATES,
    compute_grid,
    find_equal_time,
    load_logs,
)
from cnngen_course.figures.optimisation import (
    plot_grid,
    plot_race,
    plot_ratios,
    plot_schedules,
)


def test_the_grid_holds_every_activation_and_rate() -> None:
    grid = compute_grid(normalise=True)
    assert grid.shape == (len(ACTIVATIONS), len(RATES)) and (grid >= 0).all() and (grid <= 100).all()
    assert grid[list(ACTIVATIONS).index("tanh"), 1] == 100 * load_logs("rates")["tanh, 0.001, normalised"].scores[-1]
    assert len(plot_grid().axes) == 2


def test_plots_name_what_they_show() -> None:
    race = plot_race(find_equal_time()).axes[0]
    assert [label.get_text() for label in race.get_yticklabels()][:2] == ["VGG", "ResNet"]
    bars = plot_ratios({"a": 2.0, "b": 0.5}).axes[0]
    assert [bar.get_width() for bar in bars.patches] == [2.0, 0.5]
    assert len({bar.get_facecolor() for bar in bars.patches}) == 2
    assert plot_schedules().axes[0].get_title() == "constant"
