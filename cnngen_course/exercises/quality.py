"""The exercises of the lesson on quality: a distance between Gaussians, enough samples, a choice between two runs."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number
from cnngen_course.metrics import compute_matrix_root


def solve_gaussian_frechet(mean_1: Tensor, spread_1: Tensor, mean_2: Tensor, spread_2: Tensor) -> Tensor:
    return ((mean_1 - mean_2) ** 2 + (spread_1 - spread_2) ** 2).sum()


# (mean 1, spread 1, mean 2, spread 2), and what it tells apart; plain cases first
GAUSSIANS = (
    (([0.5], [2.0], [0.5], [2.0]), "a distribution has no distance to itself"),
    (([3.0], [1.0], [0.0], [1.0]), "with equal spreads only (difference of the means)² is left"),
    (([0.0], [3.0], [0.0], [1.0]), "with equal means only (difference of the spreads)² is left"),
    (([1.0], [0.0], [0.0], [2.0]), "a spread of 0 is allowed: all samples in one point"),
    (([1.0, 0.0, -1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), "the dimensions add up"),
    (([0.3, -1.2], [0.2, 2.5], [-0.7, 0.4], [1.7, 0.6]), "check all four together"),
)


def compute_gaussian_frechet(mean_1: Tensor, spread_1: Tensor, mean_2: Tensor, spread_2: Tensor) -> float:
    """Return the same by the general formula with whole covariances: what the solution is judged by."""
    first, second = torch.diag(spread_1**2), torch.diag(spread_2**2)
    root = compute_matrix_root(first)
    overlap = compute_matrix_root(root @ second @ root).trace()
    return ((mean_1 - mean_2).square().sum() + first.trace() + second.trace() - 2 * overlap).item()


def judge_gaussian_frechet(answer: Any) -> str | None:
    """Judge ``gaussian_frechet(mean_1, spread_1, mean_2, spread_2)``, summed over the dimensions."""
    for case, reason in GAUSSIANS:
        gaussians = [torch.tensor(numbers) for numbers in case]
        got = call(answer, *(numbers.clone() for numbers in gaussians))
        what = "gaussian_frechet({}, {}, {}, {})".format(*case)
        problem = explain_number(got, compute_gaussian_frechet(*gaussians), what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


GAUSSIAN_FRECHET = Exercise(
    "gaussian_frechet",
    judge_gaussian_frechet,
    (
        "One dimension first. If both are equally wide, how far is one from the other? If both have the same middle?",
        "The distance is measured squared: (m₁ − m₂)² for the middles, and the same with the spreads; no root.",
        "((mean_1 - mean_2) ** 2 + (spread_1 - spread_2) ** 2).sum()",
    ),
    solve_gaussian_frechet,
    (
        Mistake(lambda m, s, n, t: ((m - n) ** 2 + (s**2 - t**2) ** 2).sum(), "only (difference of the spreads)²"),
        Mistake(lambda m, s, n, t: ((m - n) ** 2 + s**2 + t**2).sum(), "no distance to itself"),
        Mistake(lambda m, s, n, t: ((m - n) ** 2).sum(), "equal means only"),
        Mistake(lambda m, s, n, t: ((s - t) ** 2).sum(), "equal spreads only"),
        Mistake(lambda m, s, n, t: solve_gaussian_frechet(m, s, n, t).sqrt(), "should be 9, got 3"),
        Mistake(lambda m, s, n, t: ((m - n) ** 2 + s**2 * (1 - t / s) ** 2).sum(), "a spread of 0 is allowed"),
        Mistake(lambda m, s, n, t: solve_gaussian_frechet(m, s, n, t) / len(m), "the dimensions add up"),
        Mistake(lambda m, s, n, t: (m - n) ** 2 + (s - t) ** 2, "should be a number"),
    ),
)


def solve_enough(spreads: dict[int, float], difference: float) -> int | None:
    # The difference of two values that each scatter by s scatters by √2 · s; twice that is rarely chance.
    sizes = [size for size, spread in spreads.items() if 2 * 2**0.5 * spread <= difference]
    return min(sizes, default=None)


SCATTER = {100: 0.30, 200: 0.16, 500: 0.09, 1000: 0.04, 2000: 0.015, 5000: 0.006}
# (spread at each sample size, difference to be seen, what it tells apart); plain cases first
TABLES: tuple[tuple[dict[int, float], float, str], ...] = (
    (SCATTER, 1.0, "0.30 fits more than three times into so large a difference: few pictures are enough"),
    (SCATTER, 0.05, "0.04 fits into 0.05 only once, and a difference scatters even more than that"),
    (
        SCATTER,
        0.1,
        "both values scatter: their difference scatters by √2 times as much, and twice that has to fit in",
    ),
    ({500: 0.05, 1000: 0.035, 2000: 0.02}, 0.1, "twice √2 is 2.83, and 2.83 · 0.035 is below 0.1: that is enough"),
    ({500: 0.05, 1000: 0.036, 2000: 0.02}, 0.1, "twice √2 is 2.83, and 2.83 · 0.036 is above 0.1: that is not enough"),
    ({5000: 0.006, 100: 0.30, 1000: 0.04, 500: 0.09}, 0.4, "the table need not be in order"),
    ({100: 0.30, 1000: 0.04}, 0.01, "if no size in the table is enough, the answer is None"),
)


def judge_enough(answer: Any) -> str | None:
    """Judge ``enough(spreads, difference)``, the smallest sample size that can tell two values apart."""
    for spreads, difference, reason in TABLES:
        got, wanted = call(answer, dict(spreads), difference), solve_enough(spreads, difference)
        what = f"enough({spreads}, {difference})"
        if wanted is None:
            problem = None if got is None else f"{what} should be None, got {got}."
        elif got is None:
            problem = f"{what} should be {wanted}, got None."
        elif got != wanted and got in range(len(spreads)):
            problem = f"{what} should be {wanted}, a sample size; got {got}, which looks like a place in the table."
        else:
            problem = explain_number(got, wanted, what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def try_enough(factor: float, pick: Callable[[list[int]], int] = min) -> Callable[[Any, Any], int | None]:
    def enough(spreads: dict[int, float], difference: float) -> int | None:
        sizes = [size for size, spread in spreads.items() if factor * spread <= difference]
        return pick(sizes) if sizes else None

    return enough


def forget_none(spreads: dict[int, float], difference: float) -> int:
    return solve_enough(spreads, difference) or max(spreads)


def count_place(spreads: dict[int, float], difference: float) -> int:
    return list(spreads).index(solve_enough(spreads, difference) or 0)


ENOUGH = Exercise(
    "enough",
    judge_enough,
    (
        "If one measurement scatters by s, by how much does the difference of two such measurements scatter?",
        "Variances add, so the difference scatters by √2 · s. The rule: two of those have to fit into the difference.",
        "Collect every size with 2 * 2**0.5 * spread <= difference, then min(sizes, default=None).",
    ),
    solve_enough,
    (
        Mistake(try_enough(2), "√2 times as much"),
        Mistake(try_enough(1), "fits into 0.05 only once"),
        Mistake(try_enough(2 * math.sqrt(2), max), "should be 100, got 5000"),
        Mistake(try_enough(3), "that is enough"),
        Mistake(try_enough(2.75), "that is not enough"),
        Mistake(try_enough(8), "should be 100, got 500"),
        Mistake(try_enough(2 * math.sqrt(2), lambda sizes: sizes[0]), "need not be in order"),
        Mistake(forget_none, "should be None, got 1000"),
        Mistake(count_place, "looks like a place in the table"),
    ),
)


def solve_choose(first: dict[str, Any], second: dict[str, Any]) -> str:
    if first["n"] != second["n"] or first["judge"] != second["judge"]:
        return "not comparable"
    if first["high"] < second["low"]:
        return "first"
    return "second" if second["high"] < first["low"] else "no difference"


def make_run(value: float, reach: float, n: int = 10_000, judge: str = "ours") -> dict[str, Any]:
    return {"frechet": value, "low": value - reach, "high": value + reach, "n": n, "judge": judge}


# (first run, second run, what it tells apart); plain cases first
RUNS = (
    (make_run(0.5, 0.1), make_run(1.5, 0.1), "both intervals lie apart, and a smaller distance is better"),
    (make_run(2.0, 0.1), make_run(1.5, 0.1), "both intervals lie apart, and a smaller distance is better"),
    (make_run(0.5, 0.1), make_run(0.75, 0.1), "the intervals lie close to each other, and yet apart"),
    (make_run(0.5, 0.1), make_run(0.3, 0.05), "the intervals lie close to each other, and yet apart"),
    (make_run(0.65, 0.2), make_run(0.7, 0.1), "the intervals overlap: the next samples may turn the order round"),
    (make_run(0.5, 0.3), make_run(0.7, 0.1), "intervals can overlap though neither value lies in the other's interval"),
    (make_run(0.5, 0.1, n=10_000), make_run(1.5, 0.1, n=1_000), "a small sample alone makes a distance larger"),
    (make_run(0.5, 0.1, n=1_000), make_run(1.5, 0.1, n=10_000), "a small sample alone makes a distance larger"),
    (make_run(0.5, 0.1), make_run(15.0, 1.0, judge="Inception"), "another judge measures in another unit"),
    (make_run(15.0, 1.0, judge="Inception"), make_run(0.5, 0.1), "another judge measures in another unit"),
    (make_run(0.5, 0.25), make_run(1.0, 0.25), "where intervals only touch, they overlap in one point"),
    (make_run(1.0, 0.25), make_run(0.5, 0.25), "where intervals only touch, they overlap in one point"),
    (make_run(0.5, 0.3, n=5_000), make_run(0.6, 0.3, n=2_000), "first ask whether the two may be compared at all"),
)
ANSWERS = ("first", "second", "no difference", "not comparable")


def judge_choose(answer: Any) -> str | None:
    """Judge ``choose(first, second)``, which names the better of two runs, or says why not."""
    for first, second, reason in RUNS:
        got, wanted = call(answer, dict(first), dict(second)), solve_choose(first, second)
        if got is None:
            return "choose(first, second) is None. Did you forget to return it?"
        if not isinstance(got, str) or got not in ANSWERS:
            return f"choose(first, second) should be one of {', '.join(map(repr, ANSWERS))}; got {got!r:.60}."
        if got != wanted:
            runs = " and ".join(
                f"{run['frechet']} [{run['low']:.1f}, {run['high']:.1f}], n = {run['n']:,}, judge {run['judge']!r}"
                for run in (first, second)
            )
            return f"for the runs {runs} the answer should be {wanted!r}, got {got!r}. Think of this: {reason}."
    return None


def choose_smaller(first: dict[str, Any], second: dict[str, Any]) -> str:
    return "first" if first["frechet"] < second["frechet"] else "second"


def choose_by_value(first: dict[str, Any], second: dict[str, Any]) -> str:
    """The mistake of asking whether a value lies in the interval of the other, and not whether intervals overlap."""
    if first["n"] != second["n"] or first["judge"] != second["judge"]:
        return "not comparable"
    return choose_smaller(first, second) if not second["low"] <= first["frechet"] <= second["high"] else "no difference"


def choose_late(first: dict[str, Any], second: dict[str, Any]) -> str:
    """The mistake of asking about overlap before asking whether the two may be compared."""
    same = first | {"n": second["n"], "judge": second["judge"]}
    return "no difference" if solve_choose(same, second) == "no difference" else solve_choose(first, second)


CHOOSE = Exercise(
    "choose",
    judge_choose,
    (
        "Before you look at the values: what has to be equal in both runs so that their numbers mean the same?",
        'Three questions in order. Same n and same judge? If not, "not comparable". Do the intervals overlap? Then '
        '"no difference". Which is lower?',
        'The first run wins if first["high"] < second["low"], the second one if second["high"] < first["low"].',
    ),
    solve_choose,
    (
        Mistake(choose_smaller, "the intervals overlap"),
        Mistake(lambda a, b: solve_choose(b, a), "a smaller distance is better"),
        Mistake(choose_by_value, "though neither value"),
        Mistake(lambda a, b: solve_choose(a | {"n": b["n"]}, b), "a small sample alone"),
        Mistake(lambda a, b: solve_choose(a | {"judge": b["judge"]}, b), "another judge measures"),
        Mistake(choose_late, "whether the two may be compared at all"),
        Mistake(lambda a, b: "the first one", "should be one of 'first', 'second'"),
        Mistake(lambda a, b: a, "should be one of"),
    ),
)


SHEET = Sheet(GAUSSIAN_FRECHET, ENOUGH, CHOOSE)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
