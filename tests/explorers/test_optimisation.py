"""The explorers say what the logs say."""

from cnngen_course.experiments.trials import RATES, load_logs, name_grid
from cnngen_course.explorers import optimisation as explorer
from cnngen_course.runtime import compare_speed


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


def test_explorers_answer_quickly() -> None:
    ways = {
        "architectures": lambda: explorer.draw_architectures("vgg", "dense", "training steps").encode(),
        "rates": lambda: explorer.draw_rates("relu", 1e-2, True).encode(),
        "drawings": lambda: explorer.draw_drawings("vgg", "dense", 1).encode(),
    }
    assert max(compare_speed(ways, rounds=9).values()) < 0.3  # 10 ms on a quiet machine
