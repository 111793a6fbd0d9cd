"""The exercises of the lesson on data: the arithmetic of a centre crop, planted copies, and whitening."""

import random
from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import make_shapes
from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, call_for_list, explain_tensor
from cnngen_course.images import to_images


def solve_centre_square(height: int, width: int) -> tuple[int, int, int]:
    side = min(height, width)  # the largest square that fits
    top = (height - side) // 2  # what is left over, half of it above
    left = (width - side) // 2  # and half of it on the left
    return top, left, side


def judge_centre_square(answer: Any) -> str | None:
    """Judge a function ``centre_square(height, width) -> (top, left, side)``."""
    chance = random.Random(0)
    cases = [
        (30, 50),
        (70, 20),
        (31, 50),
        (40, 40),
        *((chance.randint(1, 400), chance.randint(1, 400)) for _ in range(30)),
    ]
    for height, width in cases:
        problem = _explain_square(call_for_list(answer, height, width), height, width)
        if problem:
            return problem
    return None


def _explain_square(got: Any, height: int, width: int) -> str | None:
    what = f"centre_square({height}, {width})"
    wanted = solve_centre_square(height, width)
    if not isinstance(got, tuple | list) or len(got) != 3:
        return f"{what} should return three numbers (top, left, side), got {got!r}."[:300]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in got):
        return f"{what} should be three whole numbers, got {tuple(got)}: divide with // instead of /."[:300]
    if tuple(got) == wanted:
        return None
    top, left, side = got
    if sorted(got) == sorted(wanted) and side != wanted[2]:
        return f"{what} gives the right three numbers in another order: (top, left, side) is asked for, got {got}."
    if side > wanted[2]:
        return (
            f"{what} cuts a square of {side} pixels out of {height} × {width}: it does not fit. Which side limits it?"
        )
    if side < wanted[2]:
        return f"{what} cuts a square of {side} pixels, but a larger one fits."
    if (top, left) == (0, 0):
        return f"{what} begins in the upper left corner: the square should lie in the middle."
    if (top, left) == (wanted[1], wanted[0]):
        return f"{what} has top and left exchanged: top counts rows, so it belongs to the height."
    if (top, left) == (height - side, width - side):
        return f"{what} lies at the far end: only half of what is left over comes before the square."
    return f"{what} should be {wanted}, got {tuple(got)}: half of what is left over, rounded down, comes before."


CENTRE_SQUARE = Exercise(
    "centre_square",
    judge_centre_square,
    (
        "Draw a wide picture on paper, and the largest square in its middle. Which side of the picture gives its size?",
        "The side is min(height, width). In one direction nothing is left over, in the other width − side or "
        "height − side pixels are. How many of them lie before the square?",
        "top = (height − side) // 2 and left = (width − side) // 2; return top, left, side in this order.",
    ),
    solve_centre_square,
    (
        Mistake(lambda h, w: ((h - max(h, w)) // 2, (w - max(h, w)) // 2, max(h, w)), "does not fit"),
        Mistake(lambda h, w: (0, 0, min(h, w)), "upper left corner"),
        Mistake(lambda h, w: ((w - min(h, w)) // 2, (h - min(h, w)) // 2, min(h, w)), "exchanged"),
        Mistake(lambda h, w: (h - min(h, w), w - min(h, w), min(h, w)), "far end"),
        Mistake(lambda h, w: ((h - min(h, w)) / 2, (w - min(h, w)) / 2, min(h, w)), "// instead of /"),
        Mistake(lambda h, w: (-((min(h, w) - h) // 2), -((min(h, w) - w) // 2), min(h, w)), "rounded down"),
        Mistake(lambda h, w: min(h, w), "three numbers"),
        Mistake(lambda h, w: (min(h, w), (h - min(h, w)) // 2, (w - min(h, w)) // 2), "in another order"),
    ),
)


def solve_find_copies(train: Tensor, test: Tensor, limit: float) -> list[int]:
    with_mirrored = torch.cat([train, train.flip(3)])
    distances = torch.cdist(test.flatten(1), with_mirrored.flatten(1))  # (test, 2 · train)
    return torch.where(distances.amin(dim=1) < limit)[0].tolist()


LIMIT = 3.0
NOISE = 0.08  # in each of 784 pixels: a noisy copy lies 28 · 0.08 = 2.2 from its original
# The planted places in the test set: exact copies, noisy ones, noisy and mirrored ones.
EXACT, NOISY, MIRRORED = (0, 17), (5, 11), (8, 19)
NEAR_MISS = 3  # with one and a half times the noise it lies 3.4 away


def plant_copies(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return training and test pictures, (40, 1, 28, 28) and (20, 1, 28, 28): six of the test set are copies.

    Two are exact, two have a little noise, two are mirrored and have a little noise. One has too much noise for a
    copy. All others are at least twice ``LIMIT`` from every training picture, also from the mirrored ones.
    """
    generator = torch.Generator().manual_seed(seed)
    train = to_images(make_shapes(40, seed=seed).pixels)
    pool = to_images(make_shapes(400, seed=seed + 1000).pixels)
    both = torch.cat([train, train.flip(3)]).flatten(1)
    far = torch.cdist(pool.flatten(1), both).amin(dim=1) > 2 * LIMIT
    test = pool[far][:20].clone()
    sources = [0, *torch.randperm(38, generator=generator)[:4].add(1).tolist(), 39, 20]  # the ends, too
    places = (*EXACT, *NOISY, *MIRRORED) if seed % 2 else (*MIRRORED, *NOISY, *EXACT)
    for place, source in zip((*places, NEAR_MISS), sources, strict=True):
        copy = train[source].flip(2) if place in MIRRORED else train[source]
        noise = 0.0 if place in EXACT else 1.5 * NOISE if place == NEAR_MISS else NOISE
        test[place] = copy + noise * torch.randn(copy.shape, generator=generator)
    return train, test


def judge_find_copies(answer: Any) -> str | None:
    """Judge a function ``find_copies(train, test, limit) -> list`` of places in the test set."""
    wanted = {*EXACT, *NOISY, *MIRRORED}
    for seed in (0, 1, 2):
        train, test = plant_copies(seed)
        got = call_for_list(answer, train, test, LIMIT)
        problem = _explain_indices(got, wanted)
        if problem:
            return problem
    train, test = plant_copies()
    if len(call(answer, train, test[[1, 2, 3]], LIMIT)):
        return "copies are reported in a test set that holds none: compare each distance with the limit."
    if list(call(answer, train, test, 1.0)) != sorted(EXACT):
        return f"with a limit of 1 only the exact copies are near enough; the noisy ones are {28 * NOISE:.1f} away."
    return None


def _explain_indices(got: Any, wanted: set[int]) -> str | None:
    if not isinstance(got, list | tuple) or not all(
        isinstance(index, int) and not isinstance(index, bool) for index in got
    ):
        return f"find_copies() should return a list of whole numbers, got {got!r}."[:300]
    found = set(got)
    if len(found) < len(got):
        return "one place is reported twice: name each test picture once."
    if any(not 0 <= index < 20 for index in found):
        return "some numbers are no places in the test set: return places in test, not in train."
    if found == wanted:
        return None
    if not found & set(EXACT):
        return "not even the exact copies are found: for each test picture, look for the nearest of the training set."
    if not found & set(NOISY):
        return (
            "the exact copies are found, the noisy ones are not: ask for a distance below the limit, not for equality."
        )
    if not found & set(MIRRORED):
        return "mirrored copies are missed: compare with train.flip(3) as well."
    extra, missed = sorted(found - wanted), sorted(wanted - found)
    return f"wrongly reported: {extra or 'none'}, missed: {missed or 'none'}. A copy is nearer than the limit."


FIND_COPIES = Exercise(
    "find_copies",
    judge_find_copies,
    (
        "A copy has a very near neighbour in the training set. How do you get all distances between two sets at once?",
        "torch.cdist(test.flatten(1), train.flatten(1)) is a table: a row for each test picture. Take the smallest of "
        "each row. Mirrored copies are near to a mirrored training picture.",
        "Put train and train.flip(3) together with torch.cat, take cdist, then .amin(dim=1) < limit, and return "
        "torch.where(...)[0].tolist().",
    ),
    solve_find_copies,
    (
        Mistake(
            lambda a, b, limit: [i for i, x in enumerate(b) if any(torch.equal(x, y) for y in a)], "not for equality"
        ),
        Mistake(
            lambda a, b, limit: torch.where(torch.cdist(b.flatten(1), a.flatten(1)).amin(1) < limit)[0].tolist(),
            "mirrored copies are missed",
        ),
        Mistake(
            lambda a, b, limit: torch.where(torch.cdist(a.flatten(1), b.flatten(1)).amin(1) < limit)[0].tolist(),
            "places in test, not in train",
        ),
        Mistake(
            lambda a, b, limit: [i for i in range(len(b)) if (a[i] - b[i]).norm() < limit], "not even the exact copies"
        ),
        Mistake(
            lambda a, b, limit: (
                torch.where(torch.cdist(b.flatten(1), torch.cat([a, a.flip(3)]).flatten(1)) < limit)[0].tolist() * 2
            ),
            "reported twice",
        ),
        Mistake(
            lambda a, b, limit: (
                torch.cdist(b.flatten(1), torch.cat([a, a.flip(3)]).flatten(1)).amin(1).argsort()[:6].tolist()
            ),
            "a test set that holds none",
        ),
        Mistake(lambda a, b, limit: list(range(len(b))), "wrongly reported"),
        Mistake(lambda a, b, limit: solve_find_copies(a, b, 3.0), "with a limit of 1"),
        Mistake(lambda a, b, limit: torch.cdist(b.flatten(1), a.flatten(1)).amin(1) < limit, "list of whole numbers"),
    ),
)


def solve_whiten(rows: Tensor, epsilon: float) -> Tensor:
    centred = rows - rows.mean(dim=0)
    covariance = centred.T @ centred / (len(rows) - 1)
    variances, directions = torch.linalg.eigh(covariance)
    scaled = centred @ directions / (variances + epsilon).sqrt()  # uncorrelated, all of variance 1
    return scaled @ directions.T  # turned back, so that it still looks like a picture


def make_rows(seed: int, count: int = 60, size: int = 5) -> Tensor:
    """Return rows (count, size) that are correlated, of unequal variances and not centred; no eigenvalue is small."""
    generator = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
    stretch = torch.linspace(0.5, 3, size)
    return torch.randn(count, size, generator=generator) * stretch @ turn.T + torch.tensor([4.0, -4, 4, -4, 4])


def judge_whiten(answer: Any) -> str | None:
    """Judge a function ``whiten(rows, epsilon) -> Tensor`` of the shape of ``rows``."""
    for seed, epsilon in ((0, 0.0), (1, 0.0), (2, 0.5)):
        rows = make_rows(seed)
        got = call(answer, rows.clone(), epsilon)
        problem = explain_tensor(got, solve_whiten(rows, epsilon), "whiten(rows, epsilon)", 1e-3)
        if problem:
            return _explain_whitened(got, rows, epsilon) or problem
    return None


def _explain_whitened(got: Any, rows: Tensor, epsilon: float) -> str | None:
    """Return what is wrong with a finite answer of the right shape, or None if it is of another kind."""
    if not isinstance(got, Tensor) or got.shape != rows.shape or not torch.isfinite(got).all():
        return None
    if torch.allclose(got, solve_whiten(rows, epsilon) * (len(rows) / (len(rows) - 1)) ** 0.5, atol=1e-4):
        return "all is a little too large: the covariance is a sum divided by N - 1, not by N."
    if epsilon:
        return f"it is right for epsilon = 0, but not for {epsilon}: add epsilon to the variances before the root."
    if got.mean(dim=0).abs().max() > 1e-2:
        return "the columns of the result do not have mean 0: subtract rows.mean(dim=0) first."
    covariance = got.double().T.cov()
    diagonal = covariance.diagonal()
    if (covariance - torch.eye(len(covariance))).abs().max() < 1e-2:
        return (
            "the covariance is the identity already, but ZCA turns back to pixels: multiply by directions.T at the end."
        )
    if (covariance - covariance.diagonal().diag()).abs().max() < 1e-2:
        return "the columns are uncorrelated, but not of variance 1: divide each by the root of its own variance."
    if (diagonal - 1).abs().max() < 1e-2:
        return "each column has variance 1, but columns are still correlated: turn to the eigenvectors first."
    variances = torch.linalg.eigvalsh(rows.double().T.cov())
    spread = torch.linalg.eigvalsh(covariance)
    if torch.allclose(spread.sort().values, (1 / variances).sort().values, rtol=0.05):
        return (
            "directions of large variance became the smallest: divide by the root of the variance, not by the variance."
        )
    return None


WHITEN = Exercise(
    "whiten",
    judge_whiten,
    (
        "Four steps: subtract the mean, turn to the eigenvectors of the covariance, divide, turn back.",
        "variances, directions = torch.linalg.eigh(covariance). centred @ directions are the coordinates; their "
        "variances are the eigenvalues. What must each be divided by to have variance 1?",
        "centred @ directions / (variances + epsilon).sqrt() @ directions.T",
    ),
    solve_whiten,
    (
        Mistake(lambda rows, epsilon: solve_whiten(rows, epsilon) + rows.mean(dim=0), "mean 0"),
        Mistake(lambda rows, epsilon: (rows - rows.mean(0)) / (rows.var(dim=0) + epsilon).sqrt(), "still correlated"),
        Mistake(lambda rows, epsilon: _turn(rows, epsilon, power=0.5, back=False), "turns back to pixels"),
        Mistake(lambda rows, epsilon: _turn(rows, epsilon, power=0.0, back=False), "not of variance 1"),
        Mistake(lambda rows, epsilon: _turn(rows, epsilon, power=1.0, back=True), "not by the variance"),
        Mistake(lambda rows, epsilon: _turn(rows, 0.0, power=0.5, back=True), "add epsilon"),
        Mistake(lambda rows, epsilon: solve_whiten(rows, epsilon).T, "should have shape"),
        Mistake(lambda rows, epsilon: solve_whiten(rows, epsilon) * (60 / 59) ** 0.5, "divided by N - 1, not by N"),
    ),
)


def _turn(rows: Tensor, epsilon: float, power: float, back: bool) -> Tensor:
    """Return what typical slips in ``whiten`` give: another power of the variances, or no turning back."""
    centred = rows - rows.mean(dim=0)
    variances, directions = torch.linalg.eigh(centred.T.cov())
    scaled = centred @ directions / (variances + epsilon) ** power
    return scaled @ directions.T if back else scaled


SHEET = Sheet(CENTRE_SQUARE, FIND_COPIES, WHITEN)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
