"""Each stored run really has the symptoms of its fault, and of no other; the mended runs have none."""

from dataclasses import replace

import pytest
import torch

from cnngen_course.experiments import clinic
from cnngen_course.experiments.clinic import (
    CASES,
    FAULTS,
    GAMES,
    SIGNS,
    Setup,
    find_contradiction,
    load_fixed,
    load_run,
)
from cnngen_course.paths import DATA

pytestmark = pytest.mark.slow

every_case = pytest.mark.parametrize("case", CASES)
FEW = 50  # steps: the first two moments after the start


@every_case
def test_a_case_shows_its_own_fault_and_no_other(case: str) -> None:
    shown = [name for name in SIGNS if find_contradiction(load_run(case), name) is None]
    assert shown == [CASES[case]]


@every_case
def test_every_wrong_diagnosis_has_its_own_sentence(case: str) -> None:
    sentences = {find_contradiction(load_run(case), name) for name in SIGNS} - {None}
    assert len(sentences) == len(SIGNS) - 1


@every_case
def test_the_mended_run_shows_nothing(case: str) -> None:
    assert all(find_contradiction(load_fixed(case), name) for name in SIGNS)


def test_collapse_and_its_remedy_by_diversity() -> None:
    """Pictures of one moment, drawn from different latents, as a share of how much real ones differ."""
    assert clinic.compute_latent_spread(load_run("B")) < 0.4
    assert clinic.compute_latent_spread(load_fixed("B")) > 0.7


def test_a_leak_is_a_matter_of_batches() -> None:
    leaking, mended = (load("H") for load in (load_run, load_fixed))
    assert clinic.compute_gap(leaking) > 0.6 and clinic.compute_mixed_gap(leaking) < 0.3
    assert abs(clinic.compute_gap(mended)) < 0.1
    assert FAULTS[CASES["H"]].fixed == replace(FAULTS[CASES["H"]].broken, batch_norm=False)


def test_batches_of_one_class() -> None:
    with torch.random.fork_rng():
        mixed, sorted_ = (clinic.Patient(Setup(shuffled=shuffled)) for shuffled in (True, False))
    assert [len(members) for members in mixed.members] == [18_000]
    assert [len(members) for members in sorted_.members] == [6_000] * 3
    for members, label in zip(sorted_.members, clinic.CLASSES, strict=True):
        assert (sorted_.train.labels[members] == label).all()


def test_each_fault_differs_from_its_remedy() -> None:
    assert all(fault.broken != fault.fixed for fault in FAULTS.values())
    assert FAULTS.keys() == SIGNS.keys() == set(CASES.values())


def test_an_unknown_diagnosis_is_named() -> None:
    with pytest.raises(ValueError, match="'flu' is no diagnosis"):
        find_contradiction(load_run("A"), "flu")


@pytest.mark.parametrize("file", clinic.list_runs())
def test_stored_runs_are_whole(file: str) -> None:
    run = load_run(file)
    assert run.pixels.dtype == torch.uint8 and len(run.pixels) == len(run.moments)
    assert all(len(values) == run.moments[-1] and torch.isfinite(values).all() for values in run.curves.values())
    assert all(len(values) == len(run.moments) for values in run.checks.values())


def test_the_games_learn() -> None:
    for index in range(len(GAMES)):
        run = load_run(f"game_{index}")
        start, end = (run.pixels[place].float().std(dim=0).mean() for place in (0, -1))
        assert end > 5 * start


def test_the_clinic_is_small() -> None:
    assert sum(path.stat().st_size for path in (DATA / "clinic").glob("*.npz")) < 1_500_000


def test_a_run_is_repeatable_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = (clinic.run(Setup(steps=FEW)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.moments == (0, 25, 50) and torch.equal(first.pixels, second.pixels)
    assert set(first.curves) == set(clinic.CURVES) and set(first.checks) == set(clinic.CHECKS)
    assert not torch.equal(first.pixels[0], first.pixels[-1])


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_runs(name: str) -> None:
    run = clinic.run(replace(FAULTS[name].broken, steps=30, head_start=min(5, FAULTS[name].broken.head_start)))
    assert all(torch.isfinite(values).all() for values in run.curves.values())


def test_gradients_pile_up_only_where_they_are_not_cleared() -> None:
    with torch.random.fork_rng():
        kept, cleared = (clinic.Patient(Setup(clear=clear)) for clear in (False, True))
    for patient in (kept, cleared):
        patient.play(0)
    assert next(kept.generator.parameters()).grad is not None
    assert next(cleared.generator.parameters()).grad is None


def test_storing_keeps_pictures_and_means() -> None:
    run = load_run("A")
    content = clinic.encode_run(run)
    assert content[:2] == b"PK" and len(content) < 150_000
    assert run.curves["diversity"][0] == run.curves["diversity"][9] != run.curves["diversity"][10]
