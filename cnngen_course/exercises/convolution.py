"""The exercises of the lesson on convolution: an output size, an edge kernel, a stack that sees far enough."""

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnngen_course.exercises.report import (
    Exercise,
    Mistake,
    Sheet,
    call,
    call_for_list,
    call_for_tensor,
    explain_number,
)
from cnngen_course.operations import compute_output_size, compute_receptive_field, convolve


def solve_output_size(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
    span = dilation * (kernel_size - 1) + 1  # how far the spread-out kernel reaches
    steps = (size + 2 * padding - span) // stride  # how often it can move on
    return steps + 1  # it also stands at its first place


# (size, kernel_size, stride, padding, dilation), and what it tells apart; plain cases first
SIZES = (
    ((10, 3, 1, 0, 1), "no stride, no padding, no dilation: count the places where a window of 3 starts in 10 pixels"),
    ((10, 3, 1, 1, 1), "the padding is added on both sides"),
    ((11, 3, 2, 0, 1), "with a stride of 2 only every second place counts"),
    ((10, 3, 2, 0, 1), "a step that would leave the picture is not made: round down"),
    ((20, 3, 1, 0, 3), "a dilated kernel reaches over dilation · (kernel_size − 1) + 1 pixels"),
)


def judge_output_size(answer: Any) -> str | None:
    """Judge a function ``output_size(size, kernel_size, stride, padding, dilation) -> int``."""
    chance = random.Random(0)
    more = [(chance.randint(20, 99), *(chance.randint(1, 5) for _ in range(4))) for _ in range(20)]
    for arguments, reason in (*SIZES, *((case, "check all five numbers together") for case in more)):
        what = "output_size(size={}, kernel_size={}, stride={}, padding={}, dilation={})".format(*arguments)
        problem = explain_number(call(answer, *arguments), compute_output_size(*arguments), what, 0)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


OUTPUT_SIZE = Exercise(
    "output_size",
    judge_output_size,
    (
        "Forget stride and dilation at first. A window of 3 in a row of 10 pixels: where can its first pixel stand?",
        "Padding makes the picture longer by 2 · padding. A dilated kernel reaches over "
        "dilation · (kernel_size − 1) + 1 pixels. What is left over can be walked in steps of the stride.",
        "Divide what is left over by the stride with //, which rounds down, and add 1 for the first place.",
    ),
    solve_output_size,
    (
        Mistake(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s, "count the places"),
        Mistake(lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1, "both sides"),
        Mistake(lambda n, k, s, p, d: n + 2 * p - d * (k - 1), "every second place"),
        Mistake(lambda n, k, s, p, d: -((d * (k - 1) + 1 - n - 2 * p) // s) + 1, "round down"),
        Mistake(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1, "a dilated kernel reaches"),
        Mistake(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1, "whole number"),
    ),
)


def solve_edge_kernel() -> Tensor:
    return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])


def make_edge(angle: str) -> Tensor:
    """Return a picture (1, 1, 8, 8), dark on one side and bright on the other: "right" is bright at the right."""
    line = torch.cat([-torch.ones(4), torch.ones(4)])
    upright = line.expand(8, 8)
    turned = {"right": upright, "left": upright.flip(1), "below": upright.T, "above": upright.T.flip(0)}
    return turned[angle][None, None]


def judge_edge_kernel(answer: Any) -> str | None:
    """Judge a function ``edge_kernel() -> Tensor (3, 3)`` by what it does to edges."""
    kernel = call_for_tensor(answer)
    if not isinstance(kernel, Tensor):
        return f"edge_kernel() should return a tensor, got {type(kernel).__name__}."
    if kernel.shape != (3, 3):
        return f"the kernel should have shape (3, 3), got {tuple(kernel.shape)}."
    kernel = kernel.float()
    if not torch.isfinite(kernel).all():
        return "the kernel holds values that are not numbers (NaN or infinity)."
    return _judge_responses(lambda images: convolve(images, kernel[None, None]))


def _judge_responses(respond: Callable[[Tensor], Tensor]) -> str | None:
    plain = respond(torch.full((1, 1, 8, 8), 0.7)).abs().max().item()
    if plain > 1e-3:
        return f"a plain area should give 0, but yours answers {plain:.2g} there: make the nine weights add up to 0."
    level = max(respond(make_edge(side)).abs().max().item() for side in ("below", "above"))
    right, left = respond(make_edge("right")), respond(make_edge("left"))
    if max(right.abs().max().item(), level) < 1e-3:
        return "nothing at all is found, neither upright nor level edges: some weights must differ from 0."
    if right.abs().max() < 1e-3:
        return "it finds level edges and misses upright ones: turn the kernel by a quarter, kernel.T does it."
    if right.min() < -1e-3 and right.max() > 1e-3:
        return "one edge gives a bright and a dark line: the answer should have one sign all over an edge."
    if right.max() <= 0 or left.min() >= 0:
        return "the sign is wrong way round: bright on the right should give a positive answer. Turn all signs."
    if level > 1e-3:
        return f"level edges should give 0, but yours answers {level:.2g}: each column must weigh all its rows alike."
    return None


EDGE_KERNEL = Exercise(
    "edge_kernel",
    judge_edge_kernel,
    (
        "An edge is a difference between neighbours. Which pixels must be compared if the edge is upright?",
        "Weigh the left column with negative and the right column with positive numbers. "
        "The weights must add up to 0, so that a plain area gives 0.",
        "Every row of the kernel may be the same: −1, 0, 1.",
    ),
    solve_edge_kernel,
    (
        Mistake(lambda: torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]), "add up to 0"),
        Mistake(lambda: solve_edge_kernel().T, "turn the kernel by a quarter"),
        Mistake(lambda: -solve_edge_kernel(), "sign is wrong way round"),
        Mistake(lambda: torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]), "a bright and a dark line"),
        Mistake(lambda: torch.tensor([[-2.0, -1, 0], [-1, 0, 1], [0, 1, 2]]), "level edges should give 0"),
        Mistake(lambda: torch.zeros(3, 3), "nothing at all is found"),
        Mistake(lambda: solve_edge_kernel()[None, None], "shape (3, 3)"),
        Mistake(lambda: {"left": -1, "right": 1}, "should return a tensor"),
    ),
)

WANTED_FIELD, MOST_LAYERS = 15, 3


def solve_far_sight() -> list[tuple[int, int]]:
    return [(3, 2), (3, 2), (3, 1)]  # 1 + 2·1 + 2·2 + 2·4 = 15


def judge_far_sight(answer: Any) -> str | None:
    """Judge a function ``far_sight() -> list of (kernel_size, stride)`` by what it sees."""
    layers = call_for_list(answer)
    if not isinstance(layers, list | tuple) or not layers:
        return f"far_sight() should return a list of (kernel_size, stride), got {layers!r}."[:300]
    for layer in layers:
        if not isinstance(layer, list | tuple) or len(layer) != 2 or not all(type(number) is int for number in layer):
            return f"each layer is a pair of whole numbers (kernel_size, stride), got {layer!r}."[:300]
        if layer[0] < 1 or layer[1] < 1:
            return f"kernel size and stride start at 1, got {layer}."
    if max(kernel_size for kernel_size, _ in layers) > 3:
        return "one kernel is larger than 3 × 3: weights grow with its square. Reach far with small ones."
    if len(layers) > MOST_LAYERS:
        return f"{len(layers)} layers are more than {MOST_LAYERS}: let a stride make the later kernels reach further."
    return _judge_field([tuple(layer) for layer in layers])


def _judge_field(layers: list[tuple[int, int]]) -> str | None:
    field = compute_receptive_field(layers)
    if field == WANTED_FIELD:
        return None
    if all(stride == 1 for _, stride in layers):
        return f"it sees {field} pixels, not {WANTED_FIELD}: without any stride each layer adds only kernel_size − 1."
    if all(stride == 1 for _, stride in layers[:-1]):
        return (
            f"it sees {field} pixels, not {WANTED_FIELD}: a stride widens only what comes after it, "
            "and nothing comes after the last layer."
        )
    direction = "too few" if field < WANTED_FIELD else "too many"
    return f"it sees {field} pixels, {direction}: {WANTED_FIELD} are wanted, 1 + the sum of (kernel_size − 1) · step."


FAR_SIGHT = Exercise(
    "far_sight",
    judge_far_sight,
    (
        "Without strides three 3 × 3 layers see 7 pixels. What makes the third layer's pixels lie further apart?",
        "A layer adds (kernel_size − 1) · step; step is the product of all strides before it. You need 14 in sum.",
        "14 = 2·1 + 2·2 + 2·4: the steps are 1, 2 and 4.",
    ),
    solve_far_sight,
    (
        Mistake(lambda: [(3, 1)] * 7, "more than 3"),
        Mistake(lambda: [(15, 1)], "larger than 3 × 3"),
        Mistake(lambda: [(3, 1), (3, 1), (3, 1)], "without any stride"),
        Mistake(lambda: [(3, 1), (3, 1), (3, 2)], "nothing comes after"),
        Mistake(lambda: [(3, 2), (3, 1), (3, 1)], "too few"),
        Mistake(lambda: [(3, 3), (3, 3), (3, 1)], "too many"),
        Mistake(lambda: [3, 3, 3], "pair of whole numbers"),
    ),
)

SHEET = Sheet(OUTPUT_SIZE, EDGE_KERNEL, FAR_SIGHT)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
