"""Charts hold what they are given, and the explorers say what the logs say."""

import math

import numpy as np
import pytest

from cnngen_course.blocks import ACTIVATIONS, BLOCKS
from cnngen_course.experiments.trials import RATES, SEEDS, load_logs, name_grid
from cnngen_course.explorers import optimisation as explorer
from cnngen_course.explorers.optimisation import Line, draw_chart, find_ticks
from cnngen_course.runtime import compare_speed


@pytest.mark.parametrize(
    ("end", "ticks"), [(80, [0, 20, 40, 60, 80]), (7.3, [0, 2, 4, 6]), (240, [0, 50, 100, 150, 200])]
)
def test_ticks_are_round(end: float, ticks: list[float]) -> None:
    assert find_ticks(end) == ticks


def count_colour(picture, colour: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(picture).astype(int) - colour).max(axis=2) < 40).sum())


def test_a_line_is_where_its_points_are() -> None:
    flat = draw_chart([Line((0, 10), (5, 5), "#FF0000", 3)], "x", "y", (0, 10), (0, 10), (0, 10))
    rows = np.nonzero((np.asarray(flat)[:, :, 1] < 60) & (np.asarray(flat)[:, :, 0] > 200))[0]
    assert rows.min() == pytest.approx((12 + 320 - 42) / 2, abs=4) and rows.max() - rows.min() < 5
    assert count_colour(flat, (255, 0, 0)) > 1000


def test_a_value_that_is_no_number_gets_a_cross() -> None:
    pictures = [
        draw_chart([Line((1, 2, 3), (1, 1, end), "#0000FF")], "x", "y", (0, 4), (0, 2), (1,)) for end in (1, math.nan)
    ]
    assert [count_colour(picture, (213, 94, 0)) > 20 for picture in pictures] == [False, True]


def test_dashes_have_gaps() -> None:
    drawn = [draw_chart([Line((0, 9), (1, 1), "#FF0000", 3, dash)], "x", "y", (0, 9), (0, 2), (1,)) for dash in (0, 9)]
    through, dashed = (count_colour(picture, (255, 0, 0)) for picture in drawn)
    assert 0.4 * through < dashed < 0.9 * through


def test_equal_time_is_the_end_of_the_quickest() -> None:
    seconds = explorer.find_equal_time()
    assert all(log.seconds[-1] >= seconds - 1e-6 for log in load_logs("blocks").values())
    for block in BLOCKS:
        assert len(explorer.find_scores_at(block, seconds)) == len(SEEDS)


def test_the_comparator_says_accuracy_weights_and_cost() -> None:
    text = explorer.draw_architectures("vgg", "dense", "training steps").text
    log = load_logs("blocks")["vgg, seed 0"]
    for part in (
        "VGG:",
        "DenseNet:",
        f"{log.weights:,} weights",
        f"{log.scores[-1]:.1%}",
        "multiply-adds",
        "ms a step",
    ):
        assert part in text


def test_moments_of_drawing_are_those_stored() -> None:
    log = load_logs("drawing")["vgg"]
    for moment in (1, len(log.steps)):
        text = explorer.draw_drawings("vgg", "dense", moment).text
        assert f"{log.scores[moment - 1]:.1f} dB after {log.steps[moment - 1]} steps" in text


def test_the_verdict_is_said() -> None:
    logs = load_logs("rates")
    words = {"diverged": "diverged", "stuck": "stuck", "learns": "it learns"}
    for activation in ("relu", "sigmoid"):
        for rate in RATES:
            for normalise in (True, False):
                log = logs[name_grid(activation, rate, normalise)]
                assert words[log.verdict] in explorer.draw_rates(activation, rate, normalise).text


def test_the_grid_holds_every_activation_and_rate() -> None:
    grid = explorer.compute_grid(normalise=True)
    assert grid.shape == (len(ACTIVATIONS), len(RATES)) and (grid >= 0).all() and (grid <= 100).all()
    assert grid[list(ACTIVATIONS).index("tanh"), 1] == 100 * load_logs("rates")["tanh, 0.001, normalised"].scores[-1]
    assert len(explorer.plot_grid().axes) == 2


def test_plots_name_what_they_show() -> None:
    race = explorer.plot_race(explorer.find_equal_time()).axes[0]
    assert [label.get_text() for label in race.get_yticklabels()][:2] == ["VGG", "ResNet"]
    bars = explorer.plot_ratios({"a": 2.0, "b": 0.5}).axes[0]
    assert [bar.get_width() for bar in bars.patches] == [2.0, 0.5]
    assert len({bar.get_facecolor() for bar in bars.patches}) == 2
    assert explorer.plot_schedules().axes[0].get_title() == "constant"


def test_explorers_answer_quickly() -> None:
    ways = {
        "architectures": lambda: explorer.draw_architectures("vgg", "dense", "training steps").encode(),
        "rates": lambda: explorer.draw_rates("relu", 1e-2, True).encode(),
        "drawings": lambda: explorer.draw_drawings("vgg", "dense", 1).encode(),
    }
    assert max(compare_speed(ways, rounds=9).values()) < 0.3  # 10 ms on a quiet machine
