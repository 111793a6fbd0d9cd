"""The exercises of the lesson on upsampling: an output size, overlaps, a fair start for shuffling, a walk."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.exercises.report import (
    Exercise,
    Mistake,
    Sheet,
    call,
    call_for_tensor,
    explain_number,
    explain_tensor,
)
from cnngen_course.operations import compute_transposed_size, count_overlaps


def solve_transposed_size(size: int, kernel_size: int, stride: int, padding: int) -> int:
    last_start = (size - 1) * stride  # where the last stamp begins
    return last_start + kernel_size - 2 * padding


# (size, kernel_size, stride, padding), and what it tells apart; plain cases first
SIZES = (
    ((5, 1, 1, 0), "stamps of one pixel, side by side, change nothing"),
    ((1, 4, 3, 0), "a single pixel leaves one stamp, as large as the kernel"),
    ((5, 2, 2, 0), "the next stamp begins one stride further on"),
    ((4, 3, 2, 0), "the last stamp begins at (size − 1) · stride and is kernel_size long"),
    ((5, 4, 2, 1), "the padding is cut off, once on each side"),
)


def judge_transposed_size(answer: Any) -> str | None:
    """Judge ``transposed_size(size, kernel_size, stride, padding)``."""
    chance = torch.Generator().manual_seed(0)
    more = torch.randint(2, 8, (20, 4), generator=chance).add(torch.tensor([10, 0, 0, -2])).tolist()
    for arguments, reason in (*SIZES, *((case, "check all four numbers together") for case in more)):
        what = "transposed_size(size={}, kernel_size={}, stride={}, padding={})".format(*arguments)
        problem = explain_number(call(answer, *arguments), compute_transposed_size(*arguments), what, 0)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


TRANSPOSED_SIZE = Exercise(
    "transposed_size",
    judge_transposed_size,
    (
        "Forget the padding at first. Where does the stamp of the first input pixel begin? And that of the last?",
        "The stamp of pixel i begins at i · stride, and the last pixel is i = size − 1. How long is a stamp?",
        "(size − 1) · stride, plus kernel_size for the last stamp, minus the padding at both ends.",
    ),
    solve_transposed_size,
    (
        Mistake(lambda n, k, s, p: (n + 2 * p - k) // s + 1, "a single pixel leaves one stamp"),
        Mistake(lambda n, k, s, p: n * s, "should be 4, got 3"),
        Mistake(lambda n, k, s, p: n * s + k - 2 * p, "change nothing"),
        Mistake(lambda n, k, s, p: (n - 1) * s + k, "cut off, once on each side"),
        Mistake(lambda n, k, s, p: (n - 1) * s + k - p, "got 11"),
        Mistake(lambda n, k, s, p: n + k - 1 - 2 * p, "one stride further on"),
    ),
)


def solve_overlap_line(size: int, kernel_size: int, stride: int) -> Tensor:
    counts = torch.zeros((size - 1) * stride + kernel_size)
    for place in range(size):
        start = place * stride
        counts[start : start + kernel_size] += 1  # one more stamp covers these pixels
    return counts


OVERLAPS = (
    ((3, 2, 2), "kernel 2 and stride 2: the stamps lie side by side"),
    ((4, 3, 2), "kernel 3 and stride 2: neighbours share every second pixel"),
    ((5, 4, 2), "kernel 4 and stride 2: the ends of the line are covered by one stamp only"),
    ((3, 1, 3), "kernel 1 and stride 3: between the stamps there are holes, with a count of 0"),
    ((6, 5, 2), "kernel 5 and stride 2: up to three stamps meet"),
    ((7, 6, 3), "check all three numbers together"),
)


def judge_overlap_line(answer: Any) -> str | None:
    """Judge ``overlap_line(size, kernel_size, stride)``, the counts along one line."""
    for arguments, reason in OVERLAPS:
        size, kernel_size, stride = arguments
        wanted = count_overlaps(size, kernel_size, stride)[:, 0]  # down the border, where each row counts once
        what = f"overlap_line(size={size}, kernel_size={kernel_size}, stride={stride})"
        got = call_for_tensor(answer, *arguments)
        problem = explain_tensor(got, wanted, what)
        if problem:
            given = f" You gave {', '.join(f'{count:g}' for count in got.tolist())}." if is_line(got) else ""
            return f"{problem}{given} Think of this: {reason}."
    return None


def is_line(got: Any) -> bool:
    return isinstance(got, Tensor) and got.ndim == 1 and 0 < len(got) < 20


OVERLAP_LINE = Exercise(
    "overlap_line",
    judge_overlap_line,
    (
        "Draw it: three input pixels, kernel 3, stride 2. Put the three stamps under each other, shifted by 2.",
        "Begin with a line of zeros as long as the output. Each stamp adds 1 to the pixels that it covers.",
        "counts = torch.zeros((size - 1) * stride + kernel_size); then, for each place, add 1 to the slice from "
        "place * stride to place * stride + kernel_size.",
    ),
    solve_overlap_line,
    (
        Mistake(lambda n, k, s: torch.ones((n - 1) * s + k), "share every second pixel"),
        Mistake(
            lambda n, k, s: torch.full(((n - 1) * s + k,), float(-(-k // s))),
            "You gave 2, 2, 2, 2, 2, 2, 2, 2, 2. Think of this: kernel 3",
        ),
        Mistake(lambda n, k, s: solve_overlap_line(n, k, 1), "should have shape (6,), got (4,)"),
        Mistake(lambda n, k, s: solve_overlap_line(n + 1, k, s), "should have shape (6,), got (8,)"),
        Mistake(lambda n, k, s: solve_overlap_line(n, k, s)[: n * s], "should have shape (9,), got (8,)"),
        Mistake(lambda n, k, s: solve_overlap_line(n, k, s).clamp(min=1), "there are holes"),
        Mistake(lambda n, k, s: solve_overlap_line(n, k, s).clamp(max=2), "up to three stamps"),
    ),
)


def solve_even_start(weight: Tensor, factor: int) -> Tensor:
    return weight.repeat_interleave(factor**2, dim=0)


def judge_even_start(answer: Any) -> str | None:
    """Judge ``even_start(weight, factor)``, kernels whose pixel shuffle has no checkerboard."""
    chance = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 5, 5, generator=chance)
    for channels, factor in ((1, 2), (3, 2), (2, 3)):
        weight = torch.randn(channels, 3, 3, 3, generator=chance)
        case = f"even_start(weight of shape {tuple(weight.shape)}, factor={factor})"
        got = call_for_tensor(answer, weight, factor)
        shape = weight.new_zeros(channels * factor**2, 3, 3, 3)
        if not isinstance(got, Tensor) or got.shape != shape.shape or not torch.isfinite(got).all():
            return explain_tensor(got, shape, case)
        single = torch.nn.functional.conv2d(images, weight, padding=1)
        large = torch.nn.functional.pixel_shuffle(torch.nn.functional.conv2d(images, got, padding=1), factor)
        blocks = large.unfold(2, factor, factor).unfold(3, factor, factor).flatten(4)  # (N, C, H, W, factor²)
        if (blocks.amax(4) - blocks.amin(4)).max() > 1e-4:
            return (
                f"{case}: after the shuffle the pixels of a {factor} × {factor} block still differ. The shuffle makes "
                f"a block of {factor**2} channels that lie next to each other: those need the same kernel."
            )
        problem = explain_tensor(blocks[..., 0], single, f"{case}: each block after the shuffle", 1e-4)
        if problem:
            return f"{problem} It should hold what the convolution with the given kernel computes."
    return None


EVEN_START = Exercise(
    "even_start",
    judge_even_start,
    (
        "Flat grey stays flat if the factor² channels that become one block are all the same. Which kernels make them?",
        "Channel c of the result is made of channels c · factor² to (c + 1) · factor² − 1. Copy kernel c there.",
        "tensor.repeat_interleave(count, dim=0) repeats each entry on the spot: a, a, b, b.",
    ),
    solve_even_start,
    (
        Mistake(lambda weight, factor: weight.repeat(factor**2, 1, 1, 1), "lie next to each other"),
        Mistake(lambda weight, factor: weight, "should have shape (4, 3, 3, 3), got (1, 3, 3, 3)"),
        Mistake(lambda weight, factor: weight.repeat_interleave(factor, dim=0), "got (2, 3, 3, 3)"),
        Mistake(
            lambda weight, factor: solve_even_start(weight, factor) / factor**2, "what the convolution with the given"
        ),
        Mistake(lambda weight, factor: weight.repeat_interleave(factor**2, dim=1), "got (1, 12, 3, 3)"),
    ),
)


def solve_interpolate(start: Tensor, end: Tensor, steps: int) -> Tensor:
    share = torch.linspace(0, 1, steps)[:, None]  # (steps, 1), how far along each row lies
    return (1 - share) * start + share * end  # (steps, D)


def judge_interpolate(answer: Any) -> str | None:
    """Judge ``interpolate(start, end, steps)``, a straight walk with both ends."""
    chance = torch.Generator().manual_seed(0)
    for size, steps in ((2, 5), (16, 2), (7, 11)):
        start, end = torch.randn(2, size, generator=chance)
        what = f"interpolate(start, end, steps={steps})"
        got = call_for_tensor(answer, start, end, steps)
        wanted = solve_interpolate(start, end, steps)
        problem = explain_tensor(got, wanted, what)
        if problem:
            return problem + explain_walk(got, wanted)
    return None


def explain_walk(got: Any, wanted: Tensor) -> str:
    """Say what is wrong with a walk of the right shape: its ends or its pace."""
    if not isinstance(got, Tensor) or got.shape != wanted.shape or not torch.isfinite(got).all():
        return " One row a step, one column a number of the latent."
    if torch.allclose(got[0], wanted[-1]) and torch.allclose(got[-1], wanted[0]):
        return " It walks from end to start: swap them."
    if not torch.allclose(got[0], wanted[0]):
        return " The first row should be start itself."
    if not torch.allclose(got[-1], wanted[-1]):
        return " The last row should be end itself: both ends belong to the walk."
    return " Both ends are right, but the steps between them are not equally long."


INTERPOLATE = Exercise(
    "interpolate",
    judge_interpolate,
    (
        "Half way between two vectors lies 0.5 · start + 0.5 · end. What lies a quarter of the way along?",
        "A share of 0 gives start, a share of 1 gives end: (1 − share) · start + share · end. Shares go from 0 to 1.",
        "torch.linspace(0, 1, steps)[:, None] is a column of shares; times a vector (D,) it gives (steps, D).",
    ),
    solve_interpolate,
    (
        Mistake(lambda a, b, n: solve_interpolate(b, a, n), "from end to start"),
        Mistake(lambda a, b, n: solve_interpolate(a, b, n + 1)[:-1], "The last row should be end itself"),
        Mistake(lambda a, b, n: solve_interpolate(a, b, n + 1)[1:], "The first row should be start itself"),
        Mistake(lambda a, b, n: solve_interpolate(a, b, n + 2), "should have shape (5, 2), got (7, 2)"),
        Mistake(lambda a, b, n: a + torch.linspace(0, 1, n)[:, None] ** 2 * (b - a), "not equally long"),
        Mistake(lambda a, b, n: solve_interpolate(a, b, n).T, "should have shape (5, 2), got (2, 5)"),
    ),
)


SHEET = Sheet(TRANSPOSED_SIZE, OVERLAP_LINE, EVEN_START, INTERPOLATE)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
