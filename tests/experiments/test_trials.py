"""Trials repeat, differ in what they say, survive a loss that is no number; the stored logs are whole and plausible."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from cnngen_course.blocks import BLOCKS, count_multiply_adds, count_weights
from cnngen_course.experiments import stored, trials
from cnngen_course.experiments.trials import (
    SCHEDULES,
    SEEDS,
    Log,
    Trial,
    find_equal_time,
    find_scores_at,
    list_series,
    load_logs,
)
from cnngen_course.objectives.classification import Classification
from cnngen_course.paths import DATA

SHORT = Trial(width=4, steps=6, batch_size=16, pictures=200, evaluations=2)


@pytest.fixture(autouse=True)
def _few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MEASURED", 90)


@pytest.mark.parametrize("task", ["classify", "draw"])
@pytest.mark.parametrize("block", BLOCKS)
def test_networks_of_a_task_have_about_the_same_size(task: str, block: str) -> None:
    network = trials.build(Trial(task, block))
    weights = count_weights(trials.pick_counted(network))
    assert weights == pytest.approx(trials.WEIGHTS[task], rel=0.2)


@pytest.mark.parametrize("task", ["classify", "draw"])
def test_a_trial_repeats_and_leaves_random_numbers_alone(task: str) -> None:
    trial = replace(SHORT, task=task)
    state = torch.get_rng_state()
    first, second = trials.run(trial), trials.run(trial)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.losses, second.losses) and torch.equal(first.pixels, second.pixels)
    assert first.steps.tolist() == [3, 6] and first.ends.tolist() == [1, 2, 3, 4, 5, 6]
    assert first.pixels.shape == ((2, 10, 1, 28, 28) if task == "draw" else (2, 0))
    assert 0 < first.step_seconds < 5 and first.seconds[1] == 2 * first.seconds[0]


def test_what_a_trial_says_is_what_is_done() -> None:
    plain = trials.run(SHORT)
    changes = ({"lr": 0.1}, {"schedule": "constant"}, {"seed": 1}, {"augment": True}, {"activation": "tanh"})
    for change in (*changes, {"normalise": False}, {"block": "dense"}, {"depth": 2}, {"batch_size": 20}):
        assert not torch.equal(trials.run(replace(SHORT, **change)).losses, plain.losses), change
    averaged = trials.run(replace(SHORT, average=0.9))
    assert torch.equal(averaged.losses, plain.losses)  # the average is measured, not trained


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    log = trials.run(replace(SHORT, activation="none", normalise=False, lr=1e12, schedule="constant", steps=40))
    assert log.steps[-1] < 40 and log.steps[-1] == log.ends[-1]
    assert not math.isfinite(log.losses[-1]) and log.verdict == "diverged"


def make_log(*losses: float) -> Log:
    count = torch.arange(1, len(losses) + 1)
    scores = torch.linspace(0.2, 0.8, len(losses))
    return Log(torch.tensor(losses), count, 10 * count, scores, 0.5, 1, 1, torch.empty(0))


def test_verdicts() -> None:
    assert make_log(2.3, 1.0).verdict == "learns"
    assert make_log(2.3, 2.3).verdict == "stuck"
    assert make_log(2.3, 9.0).verdict == make_log(2.3, math.nan).verdict == "diverged"


def test_a_score_between_two_evaluations_lies_on_a_line() -> None:
    log = make_log(2.0, 1.0, 0.5)
    assert log.seconds.tolist() == [5, 10, 15]
    assert log.find_score(7.5) == pytest.approx(0.35)
    with pytest.raises(ValueError, match=r"20\.0 s is not between the evaluations, at 5\.0 to 15\.0 s"):
        log.find_score(20)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_between_nothing_and_all(name: str) -> None:
    factors = [SCHEDULES[name](step / 100) for step in range(100)]
    assert all(0 <= factor <= 1 for factor in factors) and max(factors) > 0.9


def test_wrong_names_are_named() -> None:
    with pytest.raises(ValueError, match="task is"):
        trials.build(Trial("sing", width=4))
    with pytest.raises(ValueError, match="unknown block 'cube'"):
        trials.build(Trial(block="cube", width=4))
    with pytest.raises(ValueError, match="no series 'colours'; there are: blocks"):
        load_logs("colours")


def test_the_finder_raises_the_rate_step_by_step() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    torch.manual_seed(0)
    batches = [(torch.randn(8, 1, 28, 28), torch.arange(8))] * 12
    start = [parameter.detach().clone() for parameter in model.parameters()]
    losses = trials.sweep_rate(model, Classification(), batches, torch.logspace(-9, -1, 12))
    first, fourth, last = losses[0].item(), losses[3].item(), losses[-1].item()
    assert first == pytest.approx(fourth, rel=1e-4) and last < 0.9 * first
    assert not torch.equal(start[0], next(model.parameters()))
    broken = trials.sweep_rate(model, lambda m, b: {"loss": m[1].bias.sum() * torch.inf}, batches, torch.ones(3))
    assert not torch.isfinite(broken).any()


def test_storing_keeps_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    log = trials.run(replace(SHORT, task="draw"))
    content = trials.encode_logs({"one": log, "broken": make_log(2.0, math.nan)})
    monkeypatch.setattr(stored, "read_data", lambda *_: content)
    load_logs.cache_clear()
    back = load_logs("drawing")
    load_logs.cache_clear()
    for name in ("losses", "scores", "ends", "steps", "pixels"):
        torch.testing.assert_close(getattr(back["one"], name), getattr(log, name), rtol=1e-4, atol=1e-6)
    assert back["one"].weights == log.weights and back["one"].step_seconds == log.step_seconds
    assert back["broken"].verdict == "diverged"


@pytest.mark.parametrize("series", list_series())
def test_stored_logs_are_whole(series: str) -> None:
    logs, wanted = load_logs(series), list_series()[series]
    assert list(logs) == list(wanted)
    for name, log in logs.items():
        if series != "rates":
            assert log.steps[-1] == wanted[name].steps, name
            assert len(log.scores) == wanted[name].evaluations
            assert torch.isfinite(log.losses).all()
        assert (log.scores > (5 if series == "drawing" else 0)).all()
        assert log.step_seconds > 0 and log.weights > 1000 and log.multiply_adds > 10_000


def test_stored_networks_are_those_that_are_built_today() -> None:
    for name, log in load_logs("blocks").items():
        network = trials.build(list_series()["blocks"][name])
        assert log.weights == count_weights(network)
        assert log.multiply_adds == count_multiply_adds(network, torch.zeros(1, 1, 28, 28))


def test_a_stored_trial_begins_as_it_does_today() -> None:
    """The first loss of a stored training, run anew: seeds, data and network are still the same."""
    trial = list_series()["schedules"]["constant, 0.003"]
    log = load_logs("schedules")["constant, 0.003"]
    first = int(log.ends[0])
    again = trials.run(replace(trial, steps=first, evaluations=1))
    assert again.losses.mean().item() == pytest.approx(log.losses[0].item(), rel=0.05)


def test_the_logs_are_small() -> None:
    assert sum(path.stat().st_size for path in (DATA / "optimisation").glob("*")) < 1_000_000


def test_compiling_was_measured() -> None:
    facts = trials.load_compile()
    assert set(facts) == {"plain", "compiled", "compiling"} and all(seconds > 0 for seconds in facts.values())
    assert json.dumps(facts)


def test_equal_time_is_the_end_of_the_quickest() -> None:
    seconds = find_equal_time()
    assert all(log.seconds[-1] >= seconds - 1e-6 for log in load_logs("blocks").values())
    for block in BLOCKS:
        assert len(find_scores_at(block, seconds)) == len(SEEDS)
