"""The training loop: repeatable, safe to stop, clear when it fails, and it learns."""

import copy
import itertools
import resource
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnngen_course.checkpoints import CheckpointError, describe, save_checkpoint
from cnngen_course.datasets import make_loader, make_shapes
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.adversarial import Adversarial, Opponent
from cnngen_course.objectives.classification import Classification, compute_accuracy
from cnngen_course.objectives.cycle import ImagePool
from cnngen_course.training import History, Objective, TrainingDiverged, WarmupCosine, fit, make_average, take

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


def test_a_training_stopped_before_its_first_evaluation_is_evaluated_once() -> None:
    history = fit_quietly(Point(), Stopping(5), steps=100, evaluate=lambda model: {"value": 1.0}, evaluate_every=50)
    assert history.interrupted and [entry["step"] for entry in history.evaluations] == [5]


def test_an_interruption_keeps_what_was_trained(capsys: pytest.CaptureFixture[str]) -> None:
    model, whole = Point(), Point()
    history = fit_quietly(model, Stopping(5), steps=100)
    assert history.interrupted and len(history.steps) == 5
    assert "Stopped after 5 of 100 steps" in capsys.readouterr().out
    fit_quietly(whole, make_batches(100), steps=100)
    assert 0 < model.value.item() < whole.value.item()


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
    seconds = [entry["seconds"] for entry in history.evaluations]
    assert seconds == sorted(seconds) and seconds[-1] == pytest.approx(history.seconds, abs=0.01)


def test_to_look_needs_no_evaluation() -> None:
    looks: list[int] = []
    note = {"on_evaluate": lambda model, history: looks.append(len(history.steps))}
    fit_quietly(Point(), make_batches(3), steps=6, evaluate_every=3, **note)
    assert looks == [3, 6]


def test_after_each_step_the_network_as_it_is_now_is_handed_over() -> None:
    model, seen = Point(), []

    def keep(network: nn.Module, history: History) -> None:
        assert network is model and network.training
        seen.append((len(history.steps), network.value.item()))

    fit_quietly(model, make_batches(3), steps=4, on_step=keep)
    assert [step for step, _ in seen] == [1, 2, 3, 4]
    assert seen[-1][1] == model.value.item() > seen[0][1] > 0


def test_whoever_watches_draws_no_random_number_from_the_training() -> None:
    def draw(*_: object) -> dict[str, float]:
        return {"value": torch.randn(3).sum().item()}

    plain = train_shapes(0)
    watched = train_shapes(0, evaluate=draw, on_evaluate=draw, on_step=draw, evaluate_every=2)
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name]), name


def test_a_schedule_of_ones_own() -> None:
    model, rates = Point(), []
    note = {"on_step": lambda network, _: rates.append(network.value.item())}
    fit_quietly(model, make_batches(3), steps=6, schedule=lambda step: 1.0 if step < 3 else 0.0, **note)
    assert rates[0] < rates[1] < rates[2] == rates[3] == rates[5]


def test_it_stops_at_the_preset_quality_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    note = {"evaluate": lambda network: {"distance": 10 - network.value.item()}, "evaluate_every": 2}
    history = fit_quietly(Point(), make_batches(5), steps=50, until={"distance": 9.5}, **note)
    assert history.reached is True and 0 < len(history.steps) < 50
    assert f"Preset quality reached at step {len(history.steps)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 0}, "a whole number of steps, at least one"),
        ({"steps": 2.5}, "a whole number of steps, at least one"),
        ({"evaluate_every": 0}, "evaluate_every=0: it is a number of steps"),
        ({"lr": 0}, "a learning rate is above 0"),
        ({"lr": float("nan")}, "a learning rate is above 0"),
        ({"average": 1.0}, "from 0 to below 1"),
        ({"precision": "fp8"}, 'there are "no"'),
        ({"until": {"distance": 1.0}}, "needs evaluate"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_quietly(Point(), make_batches(3), **({"steps": 3} | settings))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda loss: loss, 'returns a dictionary with a "loss"; this one gave a Tensor'),
        (lambda loss: {"error": loss}, "this one gave the names error"),
        (lambda loss: {"loss": loss, "accuracy": 0.5}, "accuracy is a float: wrap it in torch.tensor"),
        (lambda loss: {"loss": loss.repeat(3)}, r"this one gave loss of shape \(3,\): take the mean"),
        (lambda loss: {"loss": loss.detach()}, "No gradient leads from the loss to any weight"),
    ],
)
def test_an_objective_that_gives_no_loss_is_told_so(answer: Callable[[Tensor], object], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        fit(Point(), lambda *parts: answer(pull(*parts)["loss"]), make_batches(3), steps=3, progress=False)


def test_a_class_a_set_and_a_tensor_are_not_what_is_wanted() -> None:
    shapes, model = make_shapes(8), Classifier(class_count=3, widths=[4])
    with pytest.raises(TypeError, match=r"write Classification\(\)"):
        fit(model, Classification, make_loader(shapes, 4), steps=1)
    with pytest.raises(TypeError, match=r"hand over make_loader\(data, batch_size\)"):
        fit(model, Classification(), shapes, steps=1, progress=False)
    with pytest.raises(TypeError, match="this loader yields a Tensor"):
        fit(model, Classification(), shapes.images, steps=1, progress=False)
    with pytest.raises(TypeError, match=r"evaluate returns a dictionary of names and numbers, got 3\.0"):
        fit_quietly(Point(), make_batches(3), steps=3, evaluate=lambda _: 3.0)


def test_a_network_without_weights_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"The network \(Flatten\) has no weights"):
        fit_quietly(nn.Flatten(), make_batches(3), steps=3)


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


def test_a_generator_that_is_used_up_is_named() -> None:
    batches = (batch for batch in make_batches(3))
    with pytest.raises(ValueError, match="a generator runs once only"):
        fit_quietly(Point(), batches, steps=5)
    with pytest.raises(ValueError, match="a generator that is used up"):
        fit_quietly(Point(), batches, steps=5)


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


def fail_at(step: int) -> Iterator[None]:
    """The power, of which a generator tells nothing to who compares two runs."""
    for done in itertools.count(1):
        if done == step:
            raise RuntimeError("the power went out")
        yield


class NoisyPull:
    """Pulls towards the batch with noise, and is interrupted as by a crash when a step is asked for."""

    def __init__(self, crash_at: int = 0) -> None:
        self.power = fail_at(crash_at)

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        next(self.power)
        return {"loss": (model.value - batch[0].mean() + torch.randn(())).square().mean()}


def run_noisily(checkpoint: Path, crash_at: int = 0, steps: int = 20) -> tuple[Point, History]:
    torch.manual_seed(0)
    model, loader = Point(), make_loader(make_shapes(80, seed=1), 16)  # five batches a pass
    settings = {"lr": 0.1, "average": 0.9, "checkpoint": checkpoint, "checkpoint_every": 3, "progress": False}
    measure = {"evaluate": lambda network: {"value": -network.value.item()}, "evaluate_every": 4}
    return model, fit(model, NoisyPull(crash_at), loader, steps=steps, **settings, **measure)


def drop_seconds(history: History) -> list[dict[str, float]]:
    return [{name: entry[name] for name in entry if name != "seconds"} for entry in history.evaluations]


@pytest.mark.parametrize("crash_at", [5, 7, 11, 16])
def test_it_goes_on_after_a_crash_as_if_nothing_had_been(tmp_path: Path, crash_at: int) -> None:
    whole, history = run_noisily(tmp_path / "whole.pt")
    with pytest.raises(RuntimeError, match="power"):
        run_noisily(tmp_path / "cut.pt", crash_at)
    torch.rand(7)  # whatever is drawn meanwhile
    resumed, later = run_noisily(tmp_path / "cut.pt")
    assert torch.equal(resumed.value, whole.value)
    assert later.steps == history.steps and drop_seconds(later) == drop_seconds(history)


def test_a_finished_run_is_only_read_again(tmp_path: Path) -> None:
    whole, _ = run_noisily(tmp_path / "run.pt")
    again, history = run_noisily(tmp_path / "run.pt", crash_at=1)
    assert torch.equal(again.value, whole.value) and len(history.steps) == 20


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    run_noisily(tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="belongs to another run: steps is 20, here it is 21"):
        run_noisily(tmp_path / "run.pt", steps=21)


def test_what_a_run_is_saved_under_does_not_matter(tmp_path: Path) -> None:
    """With a checkpoint, under a path or a string, or without: the same weights."""
    torch.manual_seed(0)
    saved, _ = run_noisily(str(tmp_path / "new" / "run.pt"))
    unsaved, _ = run_noisily(None)
    assert torch.equal(saved.value, unsaved.value) and (tmp_path / "new" / "run.pt").exists()


def play_against_an_opponent(checkpoint: Path | None, crash_at: int = 0, size: int = 4) -> tuple[nn.Module, nn.Module]:
    """Train a network to be taken for real by an opponent that learns along and remembers older pictures."""
    torch.manual_seed(0)
    model, discriminator = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, size), nn.LeakyReLU(), nn.Linear(size, 1))
    objective = Playful(Opponent(Judge(discriminator), Adversarial("non_saturating")), fail_at(crash_at))
    batches = [(torch.randn(8, 2, generator=torch.Generator().manual_seed(i)),) for i in range(5)]
    settings = {"steps": 20, "lr": 1e-2, "checkpoint": checkpoint, "checkpoint_every": 3, "progress": False}
    fit(model, objective, batches, **settings)
    return model, discriminator


class Judge(nn.Module):
    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, images: Tensor, _: Tensor | None = None) -> Tensor:
        return self.layers(images)[:, 0]


class Playful:
    def __init__(self, opponent: Opponent, power: Iterator[None]) -> None:
        self.opponents, self.pool, self.power = [opponent], ImagePool(16), power

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        next(self.power)
        generated = model(torch.randn(8, 2))
        values = self.opponents[0].play(batch[0], generated, older=self.pool.swap(generated))
        return {"loss": values["loss"]}


@pytest.mark.parametrize("crash_at", [5, 14])
def test_an_opponent_goes_on_as_if_nothing_had_been(tmp_path: Path, crash_at: int) -> None:
    whole = play_against_an_opponent(None)
    with pytest.raises(RuntimeError, match="power"):
        play_against_an_opponent(tmp_path / "run.pt", crash_at)
    resumed = play_against_an_opponent(tmp_path / "run.pt", crash_at=1000)
    for one, other in zip(whole, resumed, strict=True):
        for name, weight in one.state_dict().items():
            assert torch.equal(weight, other.state_dict()[name]), name


class Counting:
    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        self.steps += 1
        return pull(model, batch)

    def count(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        return self(model, batch)


def close_over(counting: Counting) -> Objective:
    return lambda model, batch: counting(model, batch)


class Rolling(nn.Module):
    """Has nothing to train and remembers how often it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        self.calls += 1
        return pull(model, batch)


@pytest.mark.parametrize(
    "make",
    [
        Counting,
        lambda: Counting().count,
        lambda: partial(Counting().count),
        lambda: close_over(Counting()),
        Rolling,
    ],
)
def test_an_objective_that_remembers_without_saving_is_refused_at_once(make: Callable, tmp_path: Path) -> None:
    fit(Point(), make(), make_batches(3), steps=3, progress=False)
    seen: list[int] = []
    note = {"on_step": lambda _, history: seen.append(len(history.steps))}
    with pytest.raises(CheckpointError, match=r"keeps something from step to step .*(steps|calls) was .* and is "):
        fit(Point(), make(), make_batches(3), steps=300, progress=False, checkpoint=tmp_path / "run.pt", **note)
    assert seen == [1]


def test_what_two_objectives_are_made_of_is_compared(tmp_path: Path) -> None:
    def pull_by(weight: float) -> Objective:
        return lambda model, batch: {"loss": weight * pull(model, batch)["loss"]}

    def loss_of(module: nn.Module) -> Objective:
        return lambda model, batch: {"loss": module(model.value, batch[0])}

    others = {
        "weight": (pull_by(1.0), pull_by(2.0)),
        "delta": (loss_of(nn.HuberLoss(delta=1.0)), loss_of(nn.HuberLoss(delta=50.0))),
        "code": (lambda model, batch: pull(model, batch), lambda model, batch: {"loss": model.value.abs().mean()}),
    }
    for name, (first, second) in others.items():
        settings = {"steps": 3, "progress": False, "checkpoint": tmp_path / f"{name}.pt"}
        fit(Point(), first, make_batches(3), **settings)
        fit(Point(), first, make_batches(3), **settings)
        with pytest.raises(CheckpointError, match=f"belongs to another run: .*{name}"):
            fit(Point(), second, make_batches(3), **settings)


def test_an_objective_may_hold_itself() -> None:
    class Knot:
        def __init__(self) -> None:
            self.me = self

        def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
            return pull(model, batch)

    fit(Point(), Knot(), make_batches(3), steps=1, progress=False)


def test_random_generators_are_told_apart_in_the_same_words_in_every_process() -> None:
    first, second = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    assert describe(first) == {"": "Generator in state f5defda1"} != describe(second)


def measure_value(model: nn.Module) -> dict[str, float]:
    return {"value": np.float64(model.value.item())}


def test_numbers_of_numpy_can_be_saved(tmp_path: Path) -> None:
    settings = {"steps": 4, "evaluate": measure_value, "evaluate_every": 2, "checkpoint": tmp_path / "run.pt"}
    fit_quietly(Point(), make_batches(3), lr=np.float64(0.1), **settings)
    again = fit_quietly(Point(), make_batches(3), **settings)
    assert [entry["step"] for entry in again.evaluations] == [2, 4]


@pytest.mark.parametrize("failing", [2, 6])
def test_a_measurement_that_fails_loses_no_training(failing: int, tmp_path: Path) -> None:
    def evaluate(model: nn.Module) -> dict[str, float]:
        if next(calls) == failing // 2:
            raise RuntimeError("no room for the pictures")
        return measure_value(model)

    calls, model, whole = itertools.count(1), Point(), Point()
    settings = {"steps": 6, "evaluate": evaluate, "evaluate_every": 2, "checkpoint": tmp_path / "run.pt"}
    with pytest.raises(RuntimeError, match="no room"):
        fit_quietly(Point(), make_batches(3), **settings)
    again = fit_quietly(model, make_batches(3), **settings)
    fit_quietly(whole, make_batches(3), steps=6)
    assert torch.equal(model.value, whole.value)
    assert [entry["step"] for entry in again.evaluations] == [2, 4, 6]


def test_a_stop_while_measuring_is_one_stop(tmp_path: Path) -> None:
    def evaluate(_: nn.Module) -> dict[str, float]:
        calls.append(1)
        raise KeyboardInterrupt

    calls: list[int] = []
    settings = {"evaluate": evaluate, "evaluate_every": 2, "checkpoint": tmp_path / "run.pt"}
    history = fit_quietly(Point(), make_batches(3), steps=6, **settings)
    assert history.interrupted and len(history.steps) == 2 and len(calls) == 1 and (tmp_path / "run.pt").exists()


def test_a_preset_quality_is_that_of_this_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"steps": 8, "evaluate_every": 2, "checkpoint": tmp_path / "run.pt"}
    distance = {"evaluate": lambda network: {"distance": 10 - network.value.item()}}
    early = fit_quietly(Point(), make_batches(3), until={"distance": 9.95}, **distance, **settings)
    assert early.reached and len(early.steps) == 2
    later = fit_quietly(Point(), make_batches(3), until={"distance": 9.6}, **distance, **settings)
    assert later.reached and 2 < len(later.steps) < 8
    capsys.readouterr()
    other = {"evaluate": lambda network: {"nearness": network.value.item()}, "until": {"nearness": 0.0}}
    assert fit_quietly(Point(), make_batches(3), **other, **settings).reached is False
    assert "nearness" in capsys.readouterr().out


def test_a_checkpoint_is_further_than_a_shorter_loader(tmp_path: Path) -> None:
    fit_quietly(Point(), Stopping(4), steps=9, checkpoint=tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="this loader ends before them"):
        fit_quietly(Point(), make_batches(2), steps=9, checkpoint=tmp_path / "run.pt")


def test_whoever_watches_cannot_end_the_training_mode() -> None:
    watched, plain = train_shapes(0, on_step=lambda network, _: network.eval()), train_shapes(0)
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name]), name


def test_a_checkpoint_of_another_objective_or_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    settings = {"steps": 3, "progress": False, "checkpoint": file}
    fit(Point(), pull, make_batches(3), **settings)
    with pytest.raises(CheckpointError, match=r"objective is pull of code .* here it is Classification"):
        fit(Point(), Classification(), make_batches(3), **settings)
    with pytest.raises(CheckpointError, match=r"run\.pt belongs to another network"):
        fit(nn.Linear(2, 1), pull, make_batches(3), **settings)


def test_a_checkpoint_that_finds_no_room_says_so(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does; what was written before stays whole."""
    before, file = resource.getrlimit(resource.RLIMIT_FSIZE), tmp_path / "run.pt"
    run_noisily(file)
    content = file.read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(CheckpointError, match=r"run\.pt could not be written: is the disk full"):
            save_checkpoint(file, {}, {"weights": torch.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_bytes() == content and list(tmp_path.iterdir()) == [file]


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_waits_for_the_end_of_the_step_and_saves(tmp_path: Path) -> None:
    def hasty(model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        if next(calls) == 7:
            signal.raise_signal(signal.SIGINT)
        return pull(model, batch)

    calls, whole, model = itertools.count(1), Point(), Point()
    settings = {"steps": 20, "progress": False, "lr": 0.1}
    history = fit(model, hasty, make_batches(3), checkpoint=tmp_path / "run.pt", **settings)
    assert history.interrupted and len(history.steps) == 7
    again = fit(model, hasty, make_batches(3), checkpoint=tmp_path / "run.pt", **settings)
    fit(whole, pull, make_batches(3), **settings)
    assert torch.equal(model.value, whole.value) and not again.interrupted
