"""Charts hold what they are given, and the explorers say what the logs say."""

from cnngen_course.blocks import ACTIVATIONS, BLOCKS
from cnngen_course.experiments.trials import RATES, SEEDS, load_logs, name_grid
from cnngen_course.explorers import optimisation as explorer
from cnngen_course.runtime import compare_speed


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
