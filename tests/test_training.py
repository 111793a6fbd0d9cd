"""The training loop: repeatable, safe to stop, clear when it fails, and it learns."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnngen_course.checkpoints import CheckpointError
from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import Classification, compute_accuracy
from cnngen_course.training import History, TrainingDiverged, WarmupCosine, fit, make_average, take

Batch = tuple[Tensor, Tensor]


class Point(nn.Module):
    """One number; the loss pulls it towards the batch."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))


def pull(model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {"loss": (model.value - batch[0]).square().mean()}


def make_batches(count: int, value: float = 10.0) -> list[tuple[Tensor]]:
    return [(torch.tensor([value]),)] * count


def fit_quietly(model: nn.Module, loader: object, **settings: object) -> History:
    return fit(model, pull, loader, **({"progress": False, "lr": 0.1} | settings))


def train_shapes(seed: int, **settings: object) -> Classifier:
    torch.manual_seed(seed)
    model = Classifier(class_count=3, widths=[4, 8])
    loader = make_loader(make_shapes(64, seed=1), 16)
    fit(model, Classification(), loader, **({"steps": 6, "lr": 1e-2, "progress": False} | settings))
    return model


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, third = train_shapes(0), train_shapes(0), train_shapes(1)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name]), name
    assert not torch.equal(first.head.weight, third.head.weight)


def test_one_step_is_one_step_of_adamw() -> None:
    model, by_hand = Point(1.0), Point(1.0)
    optimizer = torch.optim.AdamW(by_hand.parameters(), lr=0.1, betas=(0.9, 0.99), weight_decay=0.5)
    pull(by_hand, make_batches(1)[0])["loss"].backward()
    optimizer.step()
    fit_quietly(model, make_batches(1), steps=1, weight_decay=0.5)
    torch.testing.assert_close(model.value, by_hand.value)


def test_it_learns_shapes() -> None:
    torch.manual_seed(0)
    model = Classifier(class_count=3, widths=[8, 16])
    history = fit(model, Classification(), make_loader(make_shapes(512, seed=1), 32), steps=60, lr=1e-2, progress=False)
    test = make_shapes(200, seed=2)
    assert compute_accuracy(model, test.images, test.labels) > 0.9
    assert sum(history.curve("loss")[-5:]) < sum(history.curve("loss")[:5]) / 2
    assert len(history.steps) == 60 and not history.interrupted
    assert not model.training


class Stopping:
    """A loader that is interrupted, as by the stop button, after some batches."""

    def __init__(self, count: int, values: tuple[float, ...] = (10.0,)) -> None:
        self.count, self.values = count, values

    def __iter__(self) -> Iterator[tuple[Tensor]]:
        for index in range(self.count):
            yield (torch.tensor([self.values[index % len(self.values)]]),)
        raise KeyboardInterrupt


def test_an_interruption_keeps_what_was_trained(capsys: pytest.CaptureFixture[str]) -> None:
    model, whole = Point(), Point()
    history = fit_quietly(model, Stopping(5), steps=100)
    assert history.interrupted and len(history.steps) == 5
    assert "Stopped after 5 of 100 steps" in capsys.readouterr().out
    fit_quietly(whole, make_batches(100), steps=100)
    assert 0 < model.value.item() < whole.value.item()


def test_an_interruption_keeps_the_best_weights() -> None:
    seen: list[float] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        seen.append(model.value.item())
        return {"distance": abs(model.value.item() - 0.2)}

    model = Point()
    settings = {"evaluate": evaluate, "evaluate_every": 2, "monitor": "distance"}
    history = fit_quietly(model, Stopping(9), steps=20, **settings)
    best = min(seen, key=lambda value: abs(value - 0.2))
    assert model.value.item() == pytest.approx(best)
    assert best != seen[-1]
    assert [entry["step"] for entry in history.evaluations] == [2, 4, 6, 8]


def test_a_monitor_keeps_the_best_and_not_the_last_weights() -> None:
    values = iter([3.0, 1.0, 2.0])
    kept: list[float] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        kept.append(model.value.item())
        return {"score": next(values)}

    model = Point()
    fit_quietly(model, make_batches(6), steps=6, evaluate=evaluate, evaluate_every=2, monitor="score")
    assert model.value.item() == pytest.approx(kept[1])


def test_a_monitor_needs_an_evaluation() -> None:
    with pytest.raises(ValueError, match="needs evaluate"):
        fit_quietly(Point(), make_batches(2), steps=2, monitor="accuracy")


def test_evaluation_is_regular_and_also_at_the_end() -> None:
    drawn: list[int] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        assert not model.training and not torch.is_grad_enabled()
        return {"value": model.value.item()}

    def draw(model: nn.Module, history: History) -> None:
        drawn.append(len(history.evaluations))

    history = fit_quietly(Point(), make_batches(3), steps=7, evaluate=evaluate, evaluate_every=3, on_evaluate=draw)
    assert [entry["step"] for entry in history.evaluations] == [3, 6, 7]
    assert drawn == [1, 2, 3]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_and_says_why(bad: float) -> None:
    model = Point()
    with pytest.raises(TrainingDiverged, match=r"at step 4 .*learning rate is too high") as caught:
        fit_quietly(model, [*make_batches(3), *make_batches(1, bad)], steps=10)
    assert "last losses: " in str(caught.value)
    assert torch.isfinite(model.value).all()


def test_averaging_equals_the_average_by_hand() -> None:
    decay, model, plain = 0.7, Point(), Point()
    path: list[float] = []
    note = {"evaluate": lambda network: path.append(network.value.item()) or {}, "evaluate_every": 1}
    fit_quietly(plain, make_batches(5), steps=5, **note)
    average = path[0]  # the average begins with the weights after the first step
    for value in path[1:]:
        average = decay * average + (1 - decay) * value
    fit_quietly(model, make_batches(5), steps=5, average=decay)
    assert model.value.item() == pytest.approx(average, rel=1e-5)
    assert model.value.item() != pytest.approx(plain.value.item(), rel=1e-2)


def test_the_average_is_what_is_evaluated() -> None:
    seen: list[float] = []
    model = Point()
    note = {"evaluate": lambda network: seen.append(network.value.item()) or {}}
    fit_quietly(model, make_batches(5), steps=5, average=0.9, **note)
    assert seen == [pytest.approx(model.value.item())]


def test_the_average_holds_the_batch_norms_statistics_too() -> None:
    network = nn.BatchNorm1d(2)
    averaged = make_average(network, 0.5)
    averaged.update_parameters(network)
    network.running_mean.fill_(4.0)
    averaged.update_parameters(network)
    assert averaged.module.running_mean.tolist() == [2.0, 2.0]
    assert make_average(network, None) is None


def test_too_small_a_set_is_said() -> None:
    with pytest.raises(ValueError, match="smaller than one batch"):
        fit_quietly(Point(), make_loader(make_shapes(4), 16), steps=3)


def test_the_loader_starts_again() -> None:
    assert list(take([1, 2, 3], 7)) == [1, 2, 3, 1, 2, 3, 1]


def test_bf16_trains_and_keeps_32_bit_weights() -> None:
    model = train_shapes(0, precision="bf16")
    assert model.head.weight.dtype == torch.float32
    exact = train_shapes(0)
    assert not torch.equal(model.head.weight, exact.head.weight)
    torch.testing.assert_close(model.head.weight, exact.head.weight, atol=0.05, rtol=0)


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    factors = [WarmupCosine(100)(step) for step in range(101)]
    assert factors[0] == pytest.approx(0.1) and factors[9] == 1.0
    assert factors[55] == pytest.approx(0.5) and factors[100] == pytest.approx(0.0)
    assert factors[9:] == sorted(factors[9:], reverse=True)
    assert WarmupCosine(10_000).warmup == 500 and WarmupCosine(3)(0) == 1.0


def test_a_curve_is_smoothed_over_the_past() -> None:
    history = History(steps=[{"loss": value} for value in (4.0, 2.0, 0.0)])
    assert history.curve("loss") == [4.0, 2.0, 0.0]
    assert history.curve("loss", smooth=2) == [4.0, 3.0, 1.0]


def test_the_model_itself_is_trained_not_a_copy() -> None:
    model = Point()
    before = copy.deepcopy(model.state_dict())
    fit_quietly(model, make_batches(1), steps=1)
    assert not torch.equal(model.value, before["value"])
    assert model.value.device.type == "cpu"


class NoisyPull:
    """Pulls towards the batch with noise, and is interrupted as by a crash at one of its steps."""

    def __init__(self, crash_at: int = 0) -> None:
        self.crash_at, self.steps = crash_at, 0

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        self.steps += 1
        if self.steps == self.crash_at:
            raise RuntimeError("the power went out")
        return {"loss": (model.value - batch[0].mean() + torch.randn(())).square().mean()}


def run_noisily(checkpoint: Path, crash_at: int = 0, steps: int = 20) -> tuple[Point, History]:
    torch.manual_seed(0)
    model, loader = Point(), make_loader(make_shapes(80, seed=1), 16)  # five batches a pass
    settings = {"lr": 0.1, "average": 0.9, "checkpoint": checkpoint, "checkpoint_every": 3, "progress": False}
    measure = {"evaluate": lambda network: {"value": -network.value.item()}, "evaluate_every": 4, "monitor": "value"}
    return model, fit(model, NoisyPull(crash_at), loader, steps=steps, **settings, **measure)


@pytest.mark.parametrize("crash_at", [5, 7, 11, 16])
def test_it_goes_on_after_a_crash_as_if_nothing_had_been(tmp_path: Path, crash_at: int) -> None:
    whole, history = run_noisily(tmp_path / "whole.pt")
    with pytest.raises(RuntimeError, match="power"):
        run_noisily(tmp_path / "cut.pt", crash_at)
    torch.rand(7)  # whatever is drawn meanwhile
    resumed, later = run_noisily(tmp_path / "cut.pt")
    assert torch.equal(resumed.value, whole.value)
    assert later.steps == history.steps and later.evaluations == history.evaluations


def test_a_finished_run_is_only_read_again(tmp_path: Path) -> None:
    whole, _ = run_noisily(tmp_path / "run.pt")
    again, history = run_noisily(tmp_path / "run.pt", crash_at=1)
    assert torch.equal(again.value, whole.value) and len(history.steps) == 20


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    run_noisily(tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="of another run"):
        run_noisily(tmp_path / "run.pt", steps=21)
