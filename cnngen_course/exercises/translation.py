"""The exercises of the lesson on translation: what a patch sees, short cuts on and off, why an absolute error greys."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.exercises.report import (
    Exercise,
    Mistake,
    Sheet,
    call,
    call_for_list,
    call_for_tensor,
    explain_tensor,
)

PATCH = ((2, 2, 0), (3, 1, 1), (4, 2, 1), (4, 2, 1), (3, 1, 1), (1, 1, 0))


def solve_seen_pixels(index: int, layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    first = last = index
    for kernel_size, stride, padding in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + kernel_size - 1
    return first, last


def make_stacks() -> list[tuple[int, tuple[tuple[int, int, int], ...], str]]:
    return [
        (5, ((3, 1, 0),), "without padding, output 5 of a 3-wide window looks at pixels 5, 6 and 7"),
        (5, ((3, 1, 1),), "padding of 1 moves the window one pixel to the left"),
        (3, ((4, 2, 1),), "with stride 2, the next output looks two pixels further on"),
        (2, ((3, 1, 1), (4, 2, 1)), "go back from the last layer to the first one"),
        (0, PATCH, "at the border a window begins in the padding: numbers below 0 are right"),
        (4, PATCH, "try the layers of the lesson's discriminator"),
    ]


def judge_seen_pixels(answer: Any) -> str | None:
    """Judge ``seen_pixels(index, layers)``, the first and the last pixel that an output looks at."""
    for index, layers, reason in make_stacks():
        wanted, got = solve_seen_pixels(index, layers), call_for_list(answer, index, layers)
        what = f"seen_pixels({index}, {layers})"
        if not isinstance(got, tuple | list) or len(got) != 2:
            return f"{what} should be a pair, (first, last), got {type(got).__name__}."
        if not all(isinstance(number, int) and not isinstance(number, bool) for number in got):
            return f"{what} should be two whole numbers, got {str(tuple(got))[:60]}."
        if tuple(got) == (wanted[0], wanted[1] + 1):
            return f"{what} ends one pixel too far: last is the last pixel that is seen, not the one behind it."
        if tuple(got) != wanted:
            return f"{what} should be {wanted}, got {tuple(got)}. Think of this: {reason}."
    return None


def see_from_the_front(index: int, layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """The mistake of going through the layers in their own order."""
    return solve_seen_pixels(index, tuple(reversed(layers)))


SEEN_PIXELS = Exercise(
    "seen_pixels",
    judge_seen_pixels,
    (
        "One layer first: output i of a layer looks at kernel_size pixels. Where does the first of them lie?",
        "Output i begins at i · stride - padding. Go back through the layers, last one first, with the first and the "
        "last place that is needed.",
        "for kernel_size, stride, padding in reversed(layers): first = first * stride - padding and "
        "last = last * stride - padding + kernel_size - 1, both beginning with index.",
    ),
    solve_seen_pixels,
    (
        Mistake(lambda i, layers: solve_seen_pixels(i, [(k, s, 0) for k, s, _ in layers]), "moves the window one"),
        Mistake(lambda i, layers: solve_seen_pixels(i, [(k, 1, p) for k, _, p in layers]), "two pixels further"),
        Mistake(see_from_the_front, "go back from the last layer"),
        Mistake(
            lambda i, layers: (solve_seen_pixels(i, layers)[0], solve_seen_pixels(i, layers)[1] + 1),
            "one pixel too far",
        ),
        Mistake(lambda i, layers: tuple(max(0, n) for n in solve_seen_pixels(i, layers)), "begins in the padding"),
        Mistake(lambda i, layers: 1 + sum(k - 1 for k, _, _ in layers), "should be a pair"),
    ),
)


def solve_join(coarse: Tensor, fine: Tensor, skips: bool) -> Tensor:
    coarse = nn.functional.interpolate(coarse, scale_factor=2.0)  # (N, C, H, W): each number becomes a square of four
    return torch.cat([coarse, fine if skips else torch.zeros_like(fine)], dim=1)


def judge_join(answer: Any) -> str | None:
    """Judge ``join(coarse, fine, skips)``, two feature maps laid on top of each other."""
    chance = torch.Generator().manual_seed(0)
    for channels, height, reason in (
        ((2, 3), 3, "first the coarse channels, then the fine ones"),
        ((2, 2), 6, "keep both apart"),
    ):
        coarse = torch.randn(2, channels[0], height, 4, generator=chance)
        fine = torch.randn(2, channels[1], 2 * height, 8, generator=chance)
        for skips in (True, False):
            wanted = solve_join(coarse, fine, skips)
            got = call(answer, coarse.clone(), fine.clone(), skips)
            what = f"join of {tuple(coarse.shape)} and {tuple(fine.shape)} with skips={skips}"
            problem = explain_tensor(got, wanted, what)
            if problem:
                return f"{problem} Think of this: {explain_join(got, wanted, channels[0], skips) or reason}."
    return None


def explain_join(got: Any, wanted: Tensor, coarse: int, skips: bool) -> str | None:
    """Return what is likely wrong, from which half of the channels differs."""
    if not isinstance(got, Tensor):
        return None
    if got.shape != wanted.shape:
        if got.shape[1:2] != wanted.shape[1:2] and not skips:
            return "also without short cuts the next layer wants as many channels: put zeros where the fine ones were"
        return "side by side in the channels, at the size of the fine ones"
    first, second = (torch.allclose(got[:, part], wanted[:, part]) for part in (slice(coarse), slice(coarse, None)))
    if first and not second:
        return "the fine channels come unchanged with short cuts, and as zeros without"
    if second and not first:
        return "each coarse number becomes a square of four equal ones" if skips else "the coarse channels stay"
    return None


SMOOTH: dict[str, Any] = {"scale_factor": 2.0, "mode": "bilinear", "align_corners": False}
JOIN = Exercise(
    "join",
    judge_join,
    (
        "Two steps: bring coarse to the size of fine, then lay both on top of each other as channels.",
        "torch.nn.functional.interpolate(coarse, scale_factor=2.0) doubles height and width; torch.cat(..., dim=1) "
        "puts channels behind each other.",
        "coarse = torch.nn.functional.interpolate(...), then torch.cat([coarse, fine], dim=1), with "
        "torch.zeros_like(fine) instead of fine where skips is False.",
    ),
    solve_join,
    (
        Mistake(lambda coarse, fine, skips: solve_join(coarse, fine, True), "as zeros without"),
        Mistake(
            lambda coarse, fine, skips: (
                solve_join(coarse, fine, True) if skips else solve_join(coarse, fine, True)[:, : coarse.shape[1]]
            ),
            "put zeros where",
        ),
        Mistake(
            lambda coarse, fine, skips: solve_join(coarse, fine, skips).roll(fine.shape[1], dims=1),
            "first the coarse channels",
        ),
        Mistake(
            lambda coarse, fine, skips: torch.cat([nn.functional.interpolate(coarse, **SMOOTH), fine * skips], dim=1),
            "a square of four equal ones",
        ),
        Mistake(
            lambda coarse, fine, skips: torch.cat([coarse, nn.functional.avg_pool2d(fine, 2)], dim=1), "at the size of"
        ),
        Mistake(lambda coarse, fine, skips: solve_join(coarse * skips, fine, skips), "the coarse channels stay"),
    ),
)


def solve_best_colour(colours: Tensor) -> Tensor:
    return colours.median(dim=0).values  # the middle of each channel by itself


def make_palettes() -> list[tuple[Tensor, str]]:
    return [
        (torch.tensor([[1.0, 1, 1], [1, 1, 1], [-1, -1, -1]]), "white twice and black once: two of three want white"),
        (
            torch.tensor([[0.8, 0.0, 0.2], [0.2, 0.6, 0.8], [-0.6, -0.8, 0.1]]),
            "red, green and blue are judged one by one, so take the best for each channel by itself",
        ),
        (torch.rand(9, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1, "try nine colours at once"),
    ]


def compute_loss(answer: Tensor, colours: Tensor) -> float:
    return (answer - colours).abs().mean().item()


def judge_best_colour(answer: Any) -> str | None:
    """Judge ``best_colour(colours)`` by its mean absolute error; several colours may be best."""
    for colours, reason in make_palettes():
        wanted, got = solve_best_colour(colours), call_for_tensor(answer, colours)
        what = f"best_colour of {len(colours)} colours"
        if not isinstance(got, Tensor) or got.shape != (3,) or not torch.isfinite(got).all():
            return explain_tensor(got, wanted, what)
        losses = compute_loss(got, colours), compute_loss(wanted, colours)
        if losses[0] > losses[1] + 1e-5:
            place = "the mean of all colours" if torch.allclose(got, colours.mean(dim=0), atol=1e-5) else "your colour"
            return (
                f"{what}: {place} has a mean absolute error of {losses[0]:.3f}, but {losses[1]:.3f} is possible. "
                f"Think of this: {reason}."
            )
    return None


def take_the_nearest(colours: Tensor) -> Tensor:
    """The mistake of answering with one of the colours: the one with the least error."""
    losses = [compute_loss(one, colours) for one in colours]
    return colours[losses.index(min(losses))]


BEST_COLOUR = Exercise(
    "best_colour",
    judge_best_colour,
    (
        "Take one channel and a few numbers. Move your answer a little to the right: how many errors grow, how many "
        "shrink?",
        "At the best place as many numbers lie on one side as on the other. What is this place called?",
        "The median of each channel: colours.median(dim=0).values",
    ),
    solve_best_colour,
    (
        Mistake(lambda colours: colours.mean(dim=0), "the mean of all colours"),
        Mistake(lambda colours: (colours.amin(dim=0) + colours.amax(dim=0)) / 2, "two of three want white"),
        Mistake(take_the_nearest, "for each channel by itself"),
        Mistake(lambda colours: colours.median(), "should have shape"),
        Mistake(lambda colours: colours.median(dim=0), "should be a tensor"),
        Mistake(lambda colours: colours[-1], "1.333, but 0.667"),
    ),
)

SHEET = Sheet(SEEN_PIXELS, JOIN, BEST_COLOUR)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
