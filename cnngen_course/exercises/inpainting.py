"""The exercises of the lesson on repairing: count the error in the hole, grow a mask, measure how deep a hole is."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number, explain_tensor
from cnngen_course.masks import sample_masks


def solve_hole_error(filled: Tensor, images: Tensor, known: Tensor) -> Tensor:
    hole = (~known).expand_as(images)  # (N, C, H, W)
    if not hole.any():
        return torch.tensor(0.0)
    return (filled - images)[hole].square().mean()


def make_error_cases() -> list[tuple[Tensor, Tensor, Tensor, str]]:
    chance = torch.Generator().manual_seed(0)
    images, filled = (torch.rand(4, 3, 8, 8, generator=chance) * 2 - 1 for _ in range(2))
    known = torch.rand(4, 1, 8, 8, generator=chance) < 0.7
    gray = images[:, :1], torch.where(known, images[:, :1], filled[:, :1]), known
    all_known = torch.ones_like(known)
    single = all_known.clone(), all_known.clone()
    single[0][0, :, 2:4], single[1][-1, :, 2:4] = False, False
    return [
        (gray[1], gray[0], gray[2], "divide by the number of missing pixels, not by all"),
        (filled[:, :1], images[:, :1], known, "errors in known pixels must not count"),
        (filled, images, known, "each missing place has three colours, and all three count in the mean"),
        *((filled, images, damaged, "one damaged picture among whole ones counts, too") for damaged in single),
        (filled, images, all_known, "where nothing is missing, the error is 0"),
    ]


def judge_hole_error(answer: Any) -> str | None:
    """Judge ``hole_error(filled, images, known)``, the mean squared error of the missing pixels."""
    for filled, images, known, reason in make_error_cases():
        got = call(answer, filled.clone(), images.clone(), known.clone())
        what = f"hole_error for pictures {tuple(images.shape)} with {int((~known).sum())} missing places"
        problem = explain_number(got, solve_hole_error(filled, images, known).item(), what)
        if problem:
            said = explain_error(got, (filled - images), (~known).expand_as(images))
            return f"{problem} Think of this: {said or reason}."
    return None


def explain_error(got: Any, difference: Tensor, hole: Tensor) -> str | None:
    """Return what is wrong with an error that is another mean of the same differences, or None."""
    inside = difference[hole]
    if not isinstance(got, int | float) or not len(inside):
        return None
    known = {
        inside.abs().mean().item(): "that is the mean absolute error; the squared one is asked for",
        inside.square().mean().sqrt().item(): "that is the root of the mean squared error; no root is asked for",
        inside.square().sum().item(): "that is a sum; divide it by the number of missing pixels",
        inside.mean().square().item(): "square first, then take the mean: else plus and minus cancel",
        inside.mean().item(): "square the differences before you take the mean",
        difference[~hole].square().mean().item(): "that is the error of the known pixels; known is False in the hole",
    }
    return next((words for value, words in known.items() if abs(got - value) < 1e-5), None)


HOLE_ERROR = Exercise(
    "hole_error",
    judge_hole_error,
    (
        "The hole is where known is False. Which numbers of (filled - images) belong to it?",
        "known has one channel, the pictures may have three: hole = (~known).expand_as(images).",
        "(filled - images)[hole].square().mean(), and 0 if hole.any() is False.",
    ),
    solve_hole_error,
    (
        Mistake(lambda f, i, k: (f - i).square().mean(), "not by all"),
        Mistake(lambda f, i, k: ((f - i) * ~k).square().sum() / max(1, int((~k).sum())), "all three count"),
        Mistake(lambda f, i, k: (f - i)[(~k).expand_as(i)].square().mean(), "not a finite number"),
        Mistake(lambda f, i, k: (f - i)[(~k).expand_as(i)].abs().mean(), "the mean absolute error"),
        Mistake(lambda f, i, k: (f - i)[(~k).expand_as(i)].square().mean().sqrt(), "no root is asked for"),
        Mistake(lambda f, i, k: (f - i)[(~k).expand_as(i)].square().sum(), "that is a sum"),
        Mistake(lambda f, i, k: (f - i)[k.expand_as(i)].square().mean(), "the error of the known pixels"),
        Mistake(
            lambda f, i, k: (f - i).square().sum() / max(1, int((~k).expand_as(i).sum())), "known pixels must not count"
        ),
        Mistake(lambda f, i, k: ((f - i) * ~k).square(), "should be a number"),
    ),
)


def solve_grow(known: Tensor) -> Tensor:
    return F.max_pool2d(known.float(), 3, stride=1, padding=1) > 0


def make_masks() -> list[tuple[Tensor, str]]:
    point = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    point[..., 2, 2] = True
    corner = torch.zeros(1, 1, 4, 6, dtype=torch.bool)
    corner[..., 0, 0] = True
    return [
        (point, "a single known pixel makes its eight neighbours known, diagonals included"),
        (corner, "the size stays, and what lies outside the picture is not known"),
        (torch.ones(1, 1, 3, 3, dtype=torch.bool), "known pixels stay known"),
        (torch.zeros(1, 1, 3, 3, dtype=torch.bool), "where nothing is known, nothing becomes known"),
        (sample_masks("free_form", 3, 28), "check several masks at once"),
    ]


def judge_grow(answer: Any) -> str | None:
    """Judge ``grow(known)``, the mask after one partial convolution."""
    for known, reason in make_masks():
        before = known.clone()
        got = call(answer, known, as_given=True)
        what = f"grow of a mask {tuple(known.shape)} with {int(before.sum())} known pixels"
        if not torch.equal(known, before):
            return "grow changes the mask that it is given; return a new one."
        if not isinstance(got, Tensor):
            return explain_tensor(got, known, what)
        if got.dtype != torch.bool:
            return f"{what} should be of bool, got {got.dtype}: compare with 0."
        problem = explain_mask(got, known, what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def explain_mask(got: Tensor, known: Tensor, what: str) -> str | None:
    """Return None if ``got`` is the mask grown once, else what is wrong with how many of its pixels."""
    wanted = solve_grow(known)
    if got.shape != wanted.shape:
        return f"{what} should have shape {tuple(wanted.shape)}, got {tuple(got.shape)}."
    faults = {
        "known before and no longer": known & ~got,
        "False although a known one is in the window": wanted & ~known & ~got,
        "True although nothing known is in the window": got & ~wanted,
    }
    counts = [f"{int(places.sum())} pixels are {fault}" for fault, places in faults.items() if places.any()]
    return f"In {what} {', '.join(counts)}." if counts else None


def grow_cross(known: Tensor) -> Tensor:
    """The mistake of forgetting the diagonals."""
    wide = F.pad(known.float(), (1, 1, 1, 1))
    around = wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
    return (around + known.float()) > 0


GROW = Exercise(
    "grow",
    judge_grow,
    (
        "Each new pixel asks its 3 × 3 window: is there any True?",
        "Count them with a convolution of ones, or take the largest of each window.",
        "torch.nn.functional.max_pool2d(known.float(), 3, stride=1, padding=1) > 0",
    ),
    solve_grow,
    (
        Mistake(grow_cross, "diagonals included"),
        Mistake(lambda known: F.max_pool2d(known.float(), 3, 1, 1), "should be of bool"),
        Mistake(lambda known: F.max_pool2d(known.float(), 3, 1) > 0, "should have shape"),
        Mistake(lambda known: F.avg_pool2d(known.float(), 3, 1, 1) > 0.5, "1 pixels are known before and no longer, 8"),
        Mistake(
            lambda known: (F.max_pool2d(known.float(), 3, 1, 1) > 0) & ~known,
            "1 pixels are known before and no longer. Think",
        ),
        Mistake(
            lambda known: F.avg_pool2d(F.pad(known.float(), (1,) * 4, value=1.0), 3, 1) > 0,
            "True although nothing known",
        ),
    ),
)


def solve_depth(known: Tensor) -> int | None:
    if not known.any():
        return None
    steps = 0
    while not known.all():
        known = F.max_pool2d(known.float(), 3, stride=1, padding=1) > 0
        steps += 1
    return steps


def make_depth_cases() -> list[tuple[Tensor, str]]:
    whole = torch.ones(1, 1, 9, 9, dtype=torch.bool)
    dot, square, edge = whole.clone(), whole.clone(), whole.clone()
    dot[..., 4, 4] = False
    square[..., 2:7, 2:7] = False
    edge[..., :3] = False
    return [
        (dot, "one missing pixel is closed in one step"),
        (square, "a hole of 5 × 5 is closed from all sides at once: three steps"),
        (edge, "a missing border of 3 columns is closed from one side: three steps"),
        (whole, "no damage has depth 0"),
        (~whole, "where not one pixel is known, the answer is None"),
        (sample_masks("free_form", 1, 40, 3), "try a mask of the lesson"),
    ]


def judge_depth(answer: Any) -> str | None:
    """Judge ``depth(known)``, how often a mask must grow until nothing is missing, or None."""
    for known, reason in make_depth_cases():
        wanted = solve_depth(known)
        got = call(answer, known.clone())
        what = f"depth of a mask {tuple(known.shape[2:])} with {int((~known).sum())} missing pixels"
        if wanted is None:
            problem = None if got is None else f"{what} should be None, got {got}."
        else:
            problem = explain_number(got, wanted, what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


DEPTH = Exercise(
    "depth",
    judge_depth,
    (
        "Let the mask grow again and again, and count.",
        "while not known.all(): grow it once more and add 1. What must you ask before this loop?",
        "First: if not known.any(): return None. Else the loop would never end.",
    ),
    solve_depth,
    (
        Mistake(lambda known: int((~known).sum()), "closed from all sides"),
        Mistake(lambda known: solve_depth(known) or 0, "should be None"),
        Mistake(lambda known: (solve_depth(known) or -1) + 1, "closed in one step"),
        Mistake(lambda known: int((~known).any(dim=3).sum() + 1) // 2, "a missing border"),
        Mistake(lambda known: max(1, solve_depth(known) or 1), "no damage has depth 0"),
    ),
)

SHEET = Sheet(HOLE_ERROR, GROW, DEPTH)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
