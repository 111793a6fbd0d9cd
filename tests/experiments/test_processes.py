"""A training of its own, on two processes, and killed on the way: real processes, the same result."""

from pathlib import Path

import pytest
import torch

from cnngen_course.experiments import processes
from cnngen_course.galleries import load_table
from cnngen_course.recipes.artist import draw

pytestmark = pytest.mark.slow


def draw_some(outcome: processes.Outcome) -> torch.Tensor:
    model, held = processes.make_artist(), load_table().held_out
    model.load_state_dict(outcome.weights)
    return draw(model.eval(), held.faces, held.styles)


def test_two_processes_draw_as_one_does(tmp_path: Path) -> None:
    """Two shares of 16 make the same steps as batches of 32, up to rounding; two of 32 are another training."""
    one = processes.run(6, 32)
    outcomes = [
        processes.finish(processes.start(tmp_path / f"{size}.pt", 2, steps=6, batch_size=size), tmp_path / f"{size}.pt")
        for size in (16, 32)
    ]
    assert [outcome.processes for outcome in outcomes] == [2, 2] and one.processes == 1
    assert [outcome.pictures for outcome in (one, *outcomes)] == [192, 192, 384]
    same, other = ((draw_some(outcome) - draw_some(one)).abs().mean().item() for outcome in outcomes)
    assert same < 1e-3 < 1e-2 < other


def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    options = {"steps": 12, "batch_size": 16, "checkpoint_every": 3, "noise": 0.2}
    whole = processes.start(tmp_path / "whole.pt", checkpoint=tmp_path / "whole.checkpoint", **options)
    victim = processes.start(tmp_path / "cut.pt", checkpoint=tmp_path / "cut.checkpoint", **options)
    processes.kill_after(victim, tmp_path / "cut.checkpoint")
    assert victim.returncode == -9 and not (tmp_path / "cut.pt").exists()
    again = processes.start(tmp_path / "cut.pt", checkpoint=tmp_path / "cut.checkpoint", **options)
    resumed, wanted = (
        processes.finish(process, tmp_path / name) for process, name in ((again, "cut.pt"), (whole, "whole.pt"))
    )
    assert resumed.losses == wanted.losses and len(wanted.losses) == 12
    assert all(torch.equal(value, resumed.weights[name]) for name, value in wanted.weights.items())


def test_a_training_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="batch_size"):
        processes.finish(processes.start(tmp_path / "no.pt", steps=1, batch_size=-1), tmp_path / "no.pt")


def test_a_training_that_ends_cannot_be_killed(tmp_path: Path) -> None:
    process = processes.start(tmp_path / "no.pt", steps=1, batch_size=-1)
    with pytest.raises(RuntimeError, match="wrote no checkpoint"):
        processes.kill_after(process, tmp_path / "no.checkpoint")


def test_no_process_is_refused() -> None:
    with pytest.raises(ValueError, match="processes=0"):
        processes.make_command(0)
    assert processes.make_command(1)[-1] == "cnngen_course.experiments.processes"
    assert "accelerate.commands.launch" in processes.make_command(2)


def test_bf16_keeps_weights_in_32_bits() -> None:
    full, mixed = (processes.run(3, 16, precision=precision) for precision in ("no", "bf16"))
    assert all(value.dtype == torch.float32 for value in mixed.weights.values())
    assert full.losses == pytest.approx(mixed.losses, rel=0.05) and full.losses != mixed.losses
