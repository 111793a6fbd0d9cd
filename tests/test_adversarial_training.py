"""The adversarial loop: it learns, stops at a quality, survives interruptions bit for bit, and explains failures."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnngen_course import adversarial_training
from cnngen_course.adversarial_training import (
    WarmupHoldDecay,
    compute_spread,
    find_collapse,
    fit_adversarial,
)
from cnngen_course.augmentation import RandomShift
from cnngen_course.checkpoints import CheckpointError
from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.gan import Discriminator, Generator, PointDiscriminator, PointGenerator
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, GradientPenalty, sample_images
from cnngen_course.training import History, TrainingDiverged

Pair = tuple[nn.Module, nn.Module]
OBJECTIVE = Adversarial("relativistic", DifferencePenalty(weight=0.1, every=2))


def make_pictures(count: int = 40) -> object:
    return make_loader(make_shapes(count).with_augmentation(RandomShift(1)), 8)


def make_networks(seed: int = 0) -> Pair:
    torch.manual_seed(seed)
    return Generator(4, width=2, class_count=3), Discriminator(4, class_count=3)


def fit_quietly(networks: Pair, loader: object, **settings: object) -> History:
    return fit_adversarial(*networks, OBJECTIVE, loader, **({"steps": 6, "progress": False} | settings))


def train(seed: int = 0, **settings: object) -> tuple[Pair, History]:
    networks = make_networks(seed)
    return networks, fit_quietly(networks, make_pictures(), **({"average": 0.9} | settings))


def assert_equal_weights(first: Pair, second: Pair) -> None:
    for one, other in zip(first, second, strict=True):
        for name, weight in one.state_dict().items():
            assert torch.equal(weight, other.state_dict()[name]), name


def drop_speed(history: History) -> list[dict[str, float]]:
    return [{name: value for name, value in step.items() if name != "images_per_second"} for step in history.steps]


class Interrupted:
    """A loader that raises what Ctrl-C raises when batch ``last + 1`` is asked for."""

    def __init__(self, loader: object, last: int) -> None:
        self.loader, self.left = loader, last

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.loader:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            yield batch


class Ring:
    """Points on a circle, without labels to speak of."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            angles = 6.2832 * torch.rand(128)
            yield torch.stack([angles.cos(), angles.sin()], dim=1), torch.zeros(128, dtype=torch.long)


def test_the_same_seed_gives_the_same_weights() -> None:
    (first, history), (second, _) = train(0), train(0)
    assert_equal_weights(first, second)
    assert not torch.equal(first[0].draw.weight, train(1)[0][0].draw.weight)
    assert len(history.steps) == 6 and not history.interrupted and history.reached is None
    names = {"discriminator_loss", "generator_loss", "score_real", "score_generated", "diversity", "images_per_second"}
    assert set(history.steps[0]) == names
    assert not first[0].training and not first[1].training
    assert all(parameter.requires_grad for parameter in first[1].parameters())
    assert first[0].draw.weight.is_contiguous()


def make_point_networks() -> Pair:
    return PointGenerator(width=4), PointDiscriminator(width=4)


def test_two_steps_by_hand() -> None:
    """The discriminator moves first; the generator then follows the discriminator that has moved."""
    networks, by_hand = make_point_networks(), make_point_networks()
    for copy, original in zip(by_hand, networks, strict=True):
        copy.load_state_dict(original.state_dict())
    settings = {"betas": (0.0, 0.99)}
    optimizers = [torch.optim.Adam(by_hand[i].parameters(), lr=lr, **settings) for i, lr in enumerate((0.1, 0.05))]
    real, labels = torch.randn(8, 2), torch.zeros(8, dtype=torch.long)
    objective, rates = Adversarial("non_saturating"), {"lr": 0.1, "discriminator_lr": 0.05}
    torch.manual_seed(7)
    fit_adversarial(*networks, objective, [(real, labels)], steps=2, **rates, progress=False)
    torch.manual_seed(7)
    for _ in range(2):
        generated = by_hand[0](torch.randn(8, 2))
        objective.compute_discriminator_loss(by_hand[1], real, generated, labels)["loss"].backward()
        optimizers[1].step()
        objective.compute_generator_loss(by_hand[1], real, generated, labels)["loss"].backward()
        optimizers[0].step()
        for optimizer in optimizers:
            optimizer.zero_grad()
    for trained, expected in zip(networks, by_hand, strict=True):
        for name, weight in trained.state_dict().items():
            torch.testing.assert_close(weight, expected.state_dict()[name], msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "relativistic"])
def test_it_learns_a_ring(loss: str) -> None:
    torch.manual_seed(0)
    networks = PointGenerator(), PointDiscriminator()
    before = measure_ring(networks[0])
    objective = Adversarial(loss, GradientPenalty(weight=0.05, every=1))
    fit_adversarial(*networks, objective, Ring(), steps=250, lr=1e-2, average=0.98, progress=False)
    after = measure_ring(networks[0])
    assert after < before / 3, (before, after)


@torch.no_grad()
def measure_ring(generator: nn.Module) -> float:
    """How far points lie from the circle on average, plus how unevenly they fill its eight parts."""
    points = sample_images(generator, torch.zeros(2000), generator=torch.Generator().manual_seed(0))
    eighths = torch.atan2(points[:, 1], points[:, 0]).mul(4 / torch.pi).add(4).long().clamp(0, 7)
    parts = eighths.bincount(minlength=8)
    return (points.norm(dim=1) - 1).abs().mean().item() + (parts / 2000 - 1 / 8).abs().sum().item()


@pytest.mark.parametrize("pause", [7, 10, 13])
def test_it_goes_on_after_an_interruption_bit_for_bit(
    pause: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five batches a pass: the pause lies within a pass or between two; the set itself draws random shifts."""
    whole, history = train(steps=20)
    file, networks = tmp_path / "run.pt", make_networks()
    first = fit_quietly(networks, Interrupted(make_pictures(), pause), steps=20, average=0.9, checkpoint=file)
    assert first.interrupted and len(first.steps) == pause
    assert f"Stopped after {pause} of 20 steps" in capsys.readouterr().out
    resumed = make_networks(seed=5)  # other weights, other random numbers: all comes from the file
    second = fit_quietly(resumed, make_pictures(), steps=20, average=0.9, checkpoint=file)
    assert drop_speed(second) == drop_speed(history)
    assert_equal_weights(resumed, whole)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_waits_for_the_end_of_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Hasty(Adversarial):
        def compute_generator_loss(self, *parts: object) -> dict[str, Tensor]:
            if len(asked) < 4:
                asked.append(1)
                if len(asked) == 4:
                    signal.raise_signal(signal.SIGINT)  # after the discriminator's step, before the generator's
            return super().compute_generator_loss(*parts)

    asked: list[int] = []
    file, networks = tmp_path / "run.pt", make_networks()
    settings = {"steps": 8, "average": 0.9, "progress": False}
    before = signal.getsignal(signal.SIGINT)
    history = fit_adversarial(*networks, Hasty(), make_pictures(), checkpoint=file, **settings)
    assert history.interrupted and len(history.steps) == 4
    assert signal.getsignal(signal.SIGINT) is before
    assert "Stopped after 4 of 8" in capsys.readouterr().out
    fit_adversarial(*networks, Hasty(), make_pictures(), checkpoint=file, **settings)
    whole = make_networks()
    fit_adversarial(*whole, Hasty(), make_pictures(), **settings)
    assert_equal_weights(networks, whole)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    networks, history = train(checkpoint=tmp_path / "run.pt", evaluate=lambda model: {"frechet": 2.0})
    again = make_networks(3)
    later = fit_quietly(again, make_pictures(), average=0.9, checkpoint=tmp_path / "run.pt", evaluate=pytest.fail)
    assert_equal_weights(networks, again)
    assert later.evaluations == history.evaluations and len(later.steps) == 6


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    train(checkpoint=file)
    with pytest.raises(CheckpointError, match="belongs to another run: steps is 6, here it is 9"):
        train(checkpoint=file, steps=9)
    others = Adversarial("hinge", OBJECTIVE.penalty), Adversarial("relativistic", DifferencePenalty(0.3))
    for other in (*others, Adversarial("relativistic", OBJECTIVE.penalty, naming=0.5)):
        with pytest.raises(CheckpointError, match="belongs to another run"):
            fit_adversarial(*make_networks(), other, make_pictures(), steps=6, average=0.9, checkpoint=file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(CheckpointError, match=r"run\.pt is damaged"):
        train(checkpoint=file)


def test_frozen_layers_stay_frozen() -> None:
    generator, discriminator = make_networks()
    frozen = next(discriminator.parameters()).requires_grad_(False)
    before = frozen.clone()
    fit_quietly((generator, discriminator), make_pictures())
    assert torch.equal(frozen, before) and not frozen.requires_grad


def test_a_refused_checkpoint_changes_neither_network(tmp_path: Path) -> None:
    train(checkpoint=tmp_path / "run.pt")
    generator, before = make_networks(3)[0], make_networks(3)[0]
    with pytest.raises(CheckpointError, match="belongs to another network"):
        fit_quietly(
            (generator, Discriminator(8, class_count=3)), make_pictures(), average=0.9, checkpoint=tmp_path / "run.pt"
        )
    assert_equal_weights((generator,), (before,))
    assert not generator.training


def test_rates_and_shares_that_make_no_sense_are_refused() -> None:
    for wrong in ({"discriminator_lr": 0.0}, {"decay": 2.0}):
        with pytest.raises(ValueError, match=r"learning rate is above 0|share of the steps"):
            train(**wrong)


def test_evaluating_does_not_change_the_training() -> None:
    def evaluate(model: nn.Module) -> dict[str, float]:
        assert not model.training and not torch.is_grad_enabled()
        return {"value": torch.randn(3).sum().item()}

    plain, _ = train()
    measured, history = train(evaluate=evaluate, evaluate_every=2)
    assert_equal_weights(plain, measured)
    assert [entry["step"] for entry in history.evaluations] == [2, 4, 6]
    assert history.evaluations[0]["seconds"] < history.evaluations[2]["seconds"]


def test_the_averaged_generator_is_what_is_evaluated_and_kept() -> None:
    seen: list[Tensor] = []
    networks, _ = train(evaluate=lambda model: seen.append(model.draw.weight.clone()) or {})
    assert torch.equal(seen[0], networks[0].draw.weight)
    assert not torch.equal(seen[0], train(average=None)[0][0].draw.weight)


def test_it_stops_at_the_preset_quality_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    distances = iter([3.0, 1.5, 0.9, 0.5])
    settings = {"until": {"frechet": 1.0}, "evaluate_every": 2, "steps": 20, "checkpoint": tmp_path / "run.pt"}
    _, history = train(evaluate=lambda model: {"frechet": next(distances)}, **settings)
    assert history.reached is True and len(history.steps) == 6
    assert "Preset quality reached at step 6" in capsys.readouterr().out
    _, again = train(evaluate=pytest.fail, **settings)  # there is nothing left to do
    assert again.reached is True and len(again.steps) == 6


def test_it_says_when_the_preset_quality_is_not_reached(capsys: pytest.CaptureFixture[str]) -> None:
    distances = iter([3.0, 1.5, 1.75])
    settings = {"until": {"frechet": 1.0}, "evaluate_every": 2}
    _, history = train(evaluate=lambda model: {"frechet": next(distances)}, **settings)
    assert history.reached is False
    said = capsys.readouterr().out
    assert "Preset quality not reached at step 6" in said
    assert "frechet is 1.75 (wanted: at most 1, best 1.5 at step 4)" in said
    interrupted = fit_quietly(make_networks(), Interrupted(make_pictures(), 0), evaluate=dict, until={"frechet": 1.0})
    assert interrupted.reached is None
    assert "The preset quality was not measured" in capsys.readouterr().out


def test_a_preset_quality_must_be_evaluated() -> None:
    with pytest.raises(ValueError, match="needs evaluate"):
        train(until={"frechet": 1.0})
    with pytest.raises(ValueError, match="until asks for frechet, but what is evaluated is step, seconds, kid"):
        train(until={"frechet": 1.0}, evaluate=lambda model: {"kid": 1.0})


def test_a_loss_that_is_no_number_stops_and_says_why() -> None:
    bad = (torch.full((8, 1, 28, 28), torch.nan), torch.zeros(8, dtype=torch.long))
    networks = make_networks()
    reason = r"discriminator's loss became nan at step 6 .*gradient penalty"
    with pytest.raises(TrainingDiverged, match=reason) as caught:
        fit_quietly(networks, [*make_pictures(), bad], steps=9)
    assert "last scores, real / generated: 0." in str(caught.value)
    for network in networks:
        assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())


def test_collapse_is_said_once_in_numbers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Same(PointGenerator):
        """Draws nearly one point, whatever it learns."""

        def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
            return super().forward(0.01 * latents)

    monkeypatch.setattr(adversarial_training, "PATIENCE", 20)
    torch.manual_seed(0)
    objective = Adversarial("non_saturating")
    history = fit_adversarial(Same(), PointDiscriminator(), objective, Ring(), steps=50, lr=1e-4, progress=False)
    assert len(history.warnings) == 1 and "mode collapse: in the 20 steps up to step 20" in history.warnings[0]
    assert capsys.readouterr().out.count(history.warnings[0]) == 1
    healthy = fit_adversarial(PointGenerator(), PointDiscriminator(), objective, Ring(), steps=1, progress=False)
    assert healthy.warnings == []


def test_collapse_needs_patience() -> None:
    low = [{"diversity": 0.1}] * 200
    assert find_collapse(History(steps=low[:-1])) is None
    assert "varied 10% as much" in find_collapse(History(steps=low))
    assert find_collapse(History(steps=[*low[:-1], {"diversity": 0.5}])) is None


@pytest.mark.slow
def test_a_batch_of_one_picture_a_class_is_no_collapse(capsys: pytest.CaptureFixture[str]) -> None:
    networks = make_networks()
    loader = make_loader(make_shapes(40), 1)
    history = fit_adversarial(*networks, Adversarial("non_saturating"), loader, steps=210, lr=1e-4, progress=False)
    assert history.warnings == [] and capsys.readouterr().out == ""
    assert not any("diversity" in step for step in history.steps)


def test_spread_is_the_deviation_within_classes() -> None:
    torch.manual_seed(0)
    labels = torch.arange(3).repeat(400)
    images = 10 * labels.view(-1, 1, 1, 1) + 0.5 * torch.randn(1200, 1, 4, 4)
    assert compute_spread(images, labels).item() == pytest.approx(0.5, rel=0.02)
    assert compute_spread(images, torch.zeros_like(labels)).item() > 5
    few = torch.tensor([[0.0], [2.0], [5.0], [5.0]])
    assert compute_spread(few, torch.tensor([0, 0, 4, 4])).item() == pytest.approx(1.0)


def test_the_learning_rate_warms_up_is_held_and_falls_to_a_twentieth() -> None:
    factors = [WarmupHoldDecay(2000)(step) for step in range(2001)]
    assert factors[0] == pytest.approx(0.01) and factors[99] == 1 == factors[1300]
    assert factors[1650] == pytest.approx(0.525) and factors[2000] == pytest.approx(0.05)
    assert factors[1300:] == sorted(factors[1300:], reverse=True)
    assert WarmupHoldDecay(1)(0) > 0
    assert [WarmupHoldDecay(2000, decay=0.0)(step) for step in (100, 1999, 2000)] == [1, 1, 1]


def test_bf16_trains_and_keeps_32_bit_weights() -> None:
    exact, (networks, history) = train()[0], train(precision="bf16")
    assert networks[0].draw.weight.dtype == torch.float32 and len(history.steps) == 6
    assert not torch.equal(networks[0].draw.weight, exact[0].draw.weight)
    torch.testing.assert_close(networks[0].draw.weight, exact[0].draw.weight, atol=0.05, rtol=0)
