"""The exercises of the lesson on classifiers: the cost of a convolution, a loop with three faults, a shortcut."""

import copy
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, call_for_list, explain_number

Batches = Sequence[tuple[Tensor, Tensor]]

# ---------------------------------------------------------------- what a convolution costs

CASES = ((1, 16, 3, 28), (16, 16, 3, 28), (16, 32, 1, 14), (64, 10, 5, 7))


def solve_count_cost(in_channels: int, out_channels: int, kernel_size: int, size: int) -> tuple[int, int]:
    weights = out_channels * in_channels * kernel_size**2
    parameters = weights + out_channels  # one bias for each output channel
    multiply_adds = weights * size**2  # every weight works once at every place
    return parameters, multiply_adds


def judge_count_cost(answer: Any) -> str | None:
    """Judge ``count_cost(in_channels, out_channels, kernel_size, size)``: parameters and multiply-adds."""
    for case in CASES:
        got = call_for_list(answer, *case)
        if not isinstance(got, tuple | list) or len(got) != 2:
            return f"count_cost should return two numbers, (parameters, multiply_adds), got {got!r:.60}."
        parameters, multiply_adds = solve_count_cost(*case)
        where = f"for {case[0]} → {case[1]} channels, kernel {case[2]}, on {case[3]} × {case[3]} places"
        if tuple(got) == (multiply_adds, parameters):
            return "The two numbers are in the wrong order: first the parameters, then the multiply-adds."
        if got[0] == parameters - case[1]:
            return f"The bias is missing: one number for each output channel, {case[1]} more {where}."
        problem = explain_number(got[0], parameters, f"The number of parameters {where}")
        if not problem and got[1] == parameters * case[3] ** 2:
            return "Adding a bias is no multiplication: count only the weights, once at every place."
        if not problem and got[1] == multiply_adds // case[3]:
            return f"There are {case[3]} × {case[3]} places, not {case[3]}: square the size."
        problem = problem or explain_number(got[1], multiply_adds, f"The number of multiply-adds {where}")
        if problem:
            return problem
    return None


def _cost_without_bias(i: int, o: int, k: int, size: int) -> tuple[int, int]:
    return i * o * k**2, i * o * k**2 * size**2


def _cost_of_bias_too(i: int, o: int, k: int, size: int) -> tuple[int, int]:
    return i * o * k**2 + o, (i * o * k**2 + o) * size**2


def _cost_of_one_line(i: int, o: int, k: int, size: int) -> tuple[int, int]:
    return i * o * k**2 + o, i * o * k**2 * size


def _cost_swapped(*case: int) -> tuple[int, int]:
    return solve_count_cost(*case)[::-1]


def _cost_of_flat_kernel(i: int, o: int, k: int, size: int) -> tuple[int, int]:
    return i * o * k + o, i * o * k * size**2


# ---------------------------------------------------------------- a loop with three faults


def solve_loop(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches, test_images: Tensor, test_labels: Tensor
) -> float:
    for images, labels in batches:
        optimizer.zero_grad()  # else the gradients of all earlier batches would be added
        loss = nn.functional.cross_entropy(model(images), labels)  # takes logits: the softmax is inside
        loss.backward()
        optimizer.step()
    model.eval()  # batch norm and dropout now behave as in use
    with torch.no_grad():
        right = model(test_images).argmax(dim=1) == test_labels
    return right.float().mean().item()


def make_faulty_loop(clears: bool = True, softmax_once: bool = True, evaluates: bool = True) -> Callable[..., float]:
    """Return a training loop with the faults that are not excluded."""

    def train(
        model: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches, test_images: Tensor, test_labels: Tensor
    ) -> float:
        for images, labels in batches:
            if clears:
                optimizer.zero_grad()
            answers = model(images) if softmax_once else model(images).softmax(dim=1)
            nn.functional.cross_entropy(answers, labels).backward()
            optimizer.step()
        model.train(not evaluates)
        return (model(test_images).argmax(dim=1) == test_labels).float().mean().item()

    return train


class Watched(nn.Module):
    """A tiny classifier that notes in which mode it saw the test pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(16, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 3)
        )
        self.tested_in_training_mode: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        if len(images) == TEST_COUNT:
            self.tested_in_training_mode.append(self.training)
        return self.layers(images)


TEST_COUNT = 40


def run_loop(loop: Callable[..., Any], seed: int) -> tuple[Any, Watched, Tensor]:
    """Return what the loop returned, the trained network, and how far its weights (P,) have moved."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Watched()
        before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        batches = [_make_pictures(8, random) for _ in range(5)]
        result = call(loop, model, torch.optim.SGD(model.parameters(), lr=0.3), batches, *_make_pictures(40, random))
    return result, model, nn.utils.parameters_to_vector(model.parameters()).detach() - before


def _make_pictures(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    labels = torch.randint(3, (count,), generator=random)
    return torch.randn(count, 1, 4, 4, generator=random) + labels[:, None, None, None], labels


def judge_loop(answer: Any) -> str | None:
    """Judge ``train_and_measure(model, optimizer, batches, test_images, test_labels)`` by weights and result."""
    for seed in (0, 1):
        result, model, moved = run_loop(answer, seed)
        if not moved.any():
            return "No weight has moved: each batch needs loss.backward(), then optimizer.step()."
        for clears, softmax_once in product((True, False), repeat=2):
            _, _, expected = run_loop(make_faulty_loop(clears, softmax_once), seed)
            if torch.allclose(moved, expected, atol=1e-5):
                break
        else:
            return (
                "The weights after five batches are not those of a right loop: for each batch zero_grad, model, "
                "cross_entropy, backward, step, in that order and once each."
            )
        if not clears:
            return (
                "The gradients of earlier batches are still there and add up: clear them for each batch. "
                + ("" if softmax_once else "(That is not the only fault.)")
            ).strip()
        if not softmax_once:
            return "Softmax is applied twice: cross_entropy takes the logits and does its own softmax."
        if not model.tested_in_training_mode:
            return "The test pictures, all at once, never went through the network."
        if any(model.tested_in_training_mode):
            return (
                "The network was measured in training mode: dropout still throws answers away and batch norm looks at "
                "the other test pictures. Call model.eval() first."
            )
        wanted, _, _ = run_loop(solve_loop, seed)
        if problem := explain_number(result, wanted, "The share of test pictures named rightly"):
            return problem
    return None


def _loop_without_step(model: nn.Module, _optimizer: Any, batches: Batches, images: Tensor, labels: Tensor) -> float:
    for pictures, targets in batches:
        nn.functional.cross_entropy(model(pictures), targets).backward()
    return (copy.deepcopy(model).eval()(images).argmax(dim=1) == labels).float().mean().item()


def _loop_in_percent(*arguments: Any) -> float:
    return 100 * solve_loop(*arguments)


# ---------------------------------------------------------------- a shortcut that fits


def solve_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)


SHORTCUTS = ((8, 8, 1, 14), (8, 12, 1, 14), (12, 8, 1, 9), (8, 8, 2, 14), (6, 12, 2, 7), (12, 4, 2, 9))


def judge_shortcut(answer: Any) -> str | None:
    """Judge ``make_shortcut(in_channels, out_channels, stride)``, the layer that makes the input fit."""
    for in_channels, out_channels, stride, size in SHORTCUTS:
        shortcut = call(answer, in_channels, out_channels, stride)
        if not isinstance(shortcut, nn.Module):
            return f"make_shortcut should return a layer (nn.Module), got {type(shortcut).__name__}."
        x = torch.randn(2, in_channels, size, size)
        correction = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)(x)
        where = f"for {in_channels} → {out_channels} channels with stride {stride}"
        y = shortcut(x.clone())  # a layer may change its input in place
        if y.shape[1] != out_channels:
            return f"The shortcut gives {y.shape[1]} channels, not {out_channels}, {where}: they cannot be added."
        if y.shape != correction.shape:
            return f"The shortcut gives {_shape(y)} places, the correction {_shape(correction)} {where}."
        weights = sum(parameter.numel() for parameter in shortcut.parameters())
        changes = in_channels != out_channels or stride > 1
        if not changes and (weights or not torch.equal(y, x)):
            return (
                "Where nothing changes, the shortcut should hand its input on untouched: nn.Identity() has no weights."
            )
        if changes and weights > in_channels * out_channels:
            return (
                f"The shortcut has {weights} weights {where}; a 1x1 convolution without bias does it with "
                f"{in_channels * out_channels}."
            )
        if torch.allclose(y, shortcut(-x)):
            return f"The shortcut {where} hands nothing on: the same comes out whatever goes in."
    return None


def _shape(x: Tensor) -> str:
    return " × ".join(str(size) for size in x.shape[2:])


def _always_identity(_in: int, _out: int, _stride: int) -> nn.Module:
    return nn.Identity()


def _without_stride(i: int, o: int, _stride: int) -> nn.Module:
    return nn.Identity() if i == o else nn.Conv2d(i, o, 1, bias=False)


def _always_convolution(i: int, o: int, stride: int) -> nn.Module:
    return nn.Conv2d(i, o, 1, stride, bias=False)


def _three_by_three(i: int, o: int, stride: int) -> nn.Module:
    return nn.Identity() if i == o and stride == 1 else nn.Conv2d(i, o, 3, stride, padding=1, bias=False)


SHEET = Sheet(
    Exercise(
        name="count_cost",
        check=judge_count_cost,
        hints=(
            "Begin with one output channel: how many input channels does its kernel look at, how many places each?",
            "The weights have the shape (out_channels, in_channels, kernel_size, kernel_size). The bias adds one "
            "number for each output channel.",
            "parameters = out_channels * in_channels * kernel_size**2 + out_channels. Each weight (not the bias) is "
            "multiplied once at each of the size**2 places of the output.",
        ),
        solution=solve_count_cost,
        mistakes=(
            Mistake(_cost_without_bias, "The bias is missing"),
            Mistake(_cost_of_bias_too, "Adding a bias is no multiplication"),
            Mistake(_cost_of_one_line, "square the size"),
            Mistake(_cost_swapped, "wrong order"),
            Mistake(_cost_of_flat_kernel, "The number of parameters for 1 → 16"),
        ),
    ),
    Exercise(
        name="train_and_measure",
        check=judge_loop,
        hints=(
            "Compare it line by line with the loop of this lesson. One call is missing before the backward pass, one "
            "before measuring, and one is too many.",
            "What happens to weight.grad if nobody clears it? What does cross_entropy expect, logits or probabilities? "
            "In which mode should batch norm and dropout be when you measure?",
            "Add optimizer.zero_grad() as the first line of the loop, take .softmax(dim=1) away, and call model.eval() "
            "before the test pictures.",
        ),
        solution=solve_loop,
        mistakes=(
            Mistake(make_faulty_loop(False, False, False), "not the only fault"),
            Mistake(make_faulty_loop(clears=False), "clear them for each batch"),
            Mistake(make_faulty_loop(softmax_once=False), "Softmax is applied twice"),
            Mistake(make_faulty_loop(evaluates=False), "measured in training mode"),
            Mistake(_loop_without_step, "No weight has moved"),
            Mistake(_loop_in_percent, "The share of test pictures"),
        ),
    ),
    Exercise(
        name="make_shortcut",
        check=judge_shortcut,
        hints=(
            "Two tensors can be added if all their sizes agree. Which sizes does a convolution with stride 2 change?",
            "Nothing changes: nn.Identity(). Otherwise a convolution that looks at one place only, and takes the same "
            "steps as the correction.",
            "nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False) whenever the channels "
            "differ or the stride is not 1.",
        ),
        solution=solve_shortcut,
        mistakes=(
            Mistake(_always_identity, "they cannot be added"),
            Mistake(_without_stride, "The shortcut gives 14 × 14 places"),
            Mistake(_always_convolution, "hand its input on untouched"),
            Mistake(_three_by_three, "a 1x1 convolution without bias does it"),
        ),
    ),
)

check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
