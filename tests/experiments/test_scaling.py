"""The stored curves are whole and say what the lesson says; a run is repeatable; costs and power laws are right."""

import pytest
import torch

from cnngen_course.experiments import scaling
from cnngen_course.experiments.scaling import (
    SERIES,
    Run,
    Setup,
    find_best,
    fit_power,
    list_setups,
    load_runs,
    load_series,
)

TINY = Setup(width=8, depth=1, pictures=100)


@pytest.mark.parametrize("setup", list_setups(), ids=str)
def test_stored_runs_are_whole_and_of_these_networks(setup: Setup) -> None:
    run, model = load_runs()[setup], scaling.make_model(setup)
    assert len(run.test) == len(run.train) == len(run.steps) == len(scaling.MOMENTS)
    assert all(0 < bits < 4 for bits in run.test + run.train)  # 4 bits tell 16 levels apart without any model
    assert run.parameters == sum(weight.numel() for weight in model.parameters())
    assert run.multiplications == scaling.count_multiplications(model)


@pytest.mark.parametrize("name", SERIES)
def test_more_is_better_at_the_end(name: str) -> None:
    runs = load_series(name)
    assert runs[0].test[-1] > runs[-1].test[-1] + 0.02


def test_few_pictures_are_learned_by_heart() -> None:
    few, *_, all_of_them = load_series("pictures")
    assert few.test[-1] - few.train[-1] > 0.3 > 0.05 > abs(all_of_them.test[-1] - all_of_them.train[-1])


def test_a_run_is_repeatable_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = (scaling.run(TINY, moments=(2, 4, 8), measured=50) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first == second and len(first.test) == len(first.train) == 3 and first.test[-1] < first.test[0]


def test_storing_changes_nothing() -> None:
    run = Run(TINY, 10, 20, (1, 2), (3.0, 2.5), (3.0, 2.25))
    assert [scaling.decode_run(facts) for facts in scaling.json.loads(scaling.encode_runs([run]))] == [run]


def test_the_best_run_for_a_budget() -> None:
    small, large = (Run(Setup(width=w), w, w, (1, 2), test, test) for w, test in ((1, (3.0, 2.9)), (10, (2.8, 2.0))))
    unit = 3.0 * scaling.BATCH
    assert find_best([small, large], unit - 1) is None
    assert find_best([small, large], unit * 2) == (small, 1)
    assert find_best([small, large], unit * 10) == (large, 0)
    assert find_best([small, large], unit * 20) == (large, 1)


def test_a_power_law_is_found_again() -> None:
    sizes = [10.0, 100.0, 1000.0]
    exponent, curve = fit_power(sizes, [0.5 + 3 * size**-0.25 for size in sizes], floor=0.5)
    assert exponent == pytest.approx(0.25) and curve(10_000.0) == pytest.approx(0.8)


def test_an_unknown_series_is_named() -> None:
    with pytest.raises(ValueError, match="there are: width, depth, pictures"):
        load_series("height")
