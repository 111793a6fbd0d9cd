"""The exercises of the lesson on comparing: equal time, an interval for an error rate, what a table supports."""

import math
from typing import Any

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, call_for_list, explain_number


def solve_equal_steps(budget: float, seconds_per_step: dict[str, float]) -> dict[str, int]:
    return {name: int(budget // seconds) for name, seconds in seconds_per_step.items()}


# (budget, seconds a step, what it tells apart); plain cases first
BUDGETS = (
    (60.0, {"slow": 0.25, "fast": 0.0625}, "steps are budget divided by the seconds of one step"),
    (10.0, {"gan": 3.0}, "a step that is not finished within the budget does not count: 10 / 3 gives 3 steps"),
    (8.0, {"a": 3.0, "b": 5.0}, "round down, not to the nearest: 8 / 3 gives 2 steps"),
    (1.0, {"slow": 2.0}, "a model whose first step is too long gets no step"),
)


def judge_equal_steps(answer: Any) -> str | None:
    """Judge ``equal_steps(budget, seconds_per_step)``, which gives every model the same time."""
    for budget, seconds, reason in BUDGETS:
        got, wanted = call(answer, budget, dict(seconds)), solve_equal_steps(budget, seconds)
        what = f"equal_steps({budget:g}, {seconds})"
        if not isinstance(got, dict):
            return f"{what} should be a dictionary with a number of steps a model, got {type(got).__name__}."
        if got.keys() != wanted.keys():
            return f"{what} should have the names {', '.join(wanted)}, got {', '.join(map(str, got))}."
        for name, steps in wanted.items():
            problem = explain_number(got[name], steps, f"{what}[{name!r}]")
            if problem:
                return f"{problem} Think of this: {reason}."
    return None


EQUAL_STEPS = Exercise(
    "equal_steps",
    judge_equal_steps,
    (
        "How many steps of a quarter of a second fit into a minute?",
        "Divide the budget by the seconds of a step, for each name, and round down to a whole number.",
        "{name: int(budget // seconds) for name, seconds in seconds_per_step.items()}",
    ),
    solve_equal_steps,
    (
        Mistake(lambda budget, table: {name: int(budget * s) for name, s in table.items()}, "budget divided by"),
        Mistake(lambda budget, table: {name: budget / s for name, s in table.items()}, "should be a whole number"),
        Mistake(lambda budget, table: {name: math.ceil(budget / s) for name, s in table.items()}, "does not count"),
        Mistake(lambda budget, table: {name: round(budget / s) for name, s in table.items()}, "round down"),
        Mistake(lambda budget, table: {n: max(1, int(budget // s)) for n, s in table.items()}, "gets no step"),
        Mistake(lambda budget, table: {name: int(budget / min(table.values())) for name in table}, "should be 240"),
        Mistake(lambda budget, table: [int(budget // s) for s in table.values()], "should be a dictionary"),
        Mistake(lambda budget, table: {s: int(budget // s) for s in table.values()}, "should have the names"),
    ),
)


def solve_interval(wrong: int, count: int) -> tuple[float, float]:
    z = 1.96
    share = wrong / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return middle - reach, middle + reach


# (wrong answers, questions, what it tells apart); plain cases first
RATES = (
    (50, 100, "at 50 of 100 the interval reaches from about 40% to 60%"),
    (20, 100, "the interval is not symmetric about the rate: its middle is pulled towards a half"),
    (0, 8, "no mistake in 8 questions does not prove that you never make one: the upper end stays well above 0"),
    (8, 8, "all wrong in 8 questions: the lower end stays well below 1, and the upper end is 1"),
)


def judge_interval(answer: Any) -> str | None:
    """Judge ``interval(wrong, count)``, the 95% interval of an error rate by Wilson's formula."""
    for wrong, count, reason in RATES:
        got, wanted = call_for_list(answer, wrong, count), solve_interval(wrong, count)
        what = f"interval({wrong}, {count})"
        if not isinstance(got, tuple | list) or len(got) != 2:
            return f"{what} should be two numbers, the lower and the upper end; got {got!r:.60}."
        for end, value, part in zip(got, wanted, ("lower", "upper"), strict=True):
            problem = explain_number(end, value, f"the {part} end of {what}", tolerance=2e-4)
            if problem:
                return f"{problem} Think of this: {reason}."
    return None


def reach_simply(wrong: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The mistake of the textbook interval, which is too short for few questions and empty at 0."""
    share = wrong / count
    reach = z * math.sqrt(share * (1 - share) / count)
    return share - reach, share + reach


def recentre(wrong: int, count: int) -> tuple[float, float]:
    """The mistake of Wilson's reach about the plain rate."""
    low, high = solve_interval(wrong, count)
    return wrong / count - (high - low) / 2, wrong / count + (high - low) / 2


INTERVAL = Exercise(
    "interval",
    judge_interval,
    (
        "Begin with share = wrong / count. Where does Wilson's formula put the middle, and how far does it reach?",
        "middle = (share + z² / 2n) / (1 + z² / n), and the reach has the same denominator, 1 + z² / n.",
        "reach = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5",
    ),
    solve_interval,
    (
        Mistake(lambda wrong, count: (wrong / count, wrong / count), "about 40% to 60%"),
        Mistake(lambda wrong, count: reach_simply(wrong, count, 1.0), "should be 0.40383, got 0.45"),
        Mistake(reach_simply, "should be 0.40383, got 0.402"),
        Mistake(recentre, "pulled towards a half"),
        Mistake(lambda wrong, count: solve_interval(wrong, count)[::-1], "the lower end of interval(50, 100)"),
        Mistake(lambda wrong, count: solve_interval(wrong, count)[0], "should be two numbers"),
        Mistake(lambda wrong, count: tuple(100 * end for end in solve_interval(wrong, count)), "got 40.383"),
        Mistake(
            lambda wrong, count: solve_interval(wrong, count) if wrong else (0.0, 0.0),
            "does not prove that you never make one",
        ),
    ),
)


def solve_supported(values: dict[str, list[float]], better: str, worse: str) -> bool:
    return max(values[better]) < min(values[worse])


# (values of a distance by seed, the claimed better one, the claimed worse one, what it tells apart)
CLAIMS = (
    ({"a": [1.0, 1.2, 1.1], "b": [2.0, 2.1, 2.4]}, "a", "b", "every run of a is better than every run of b"),
    ({"a": [1.0, 1.2, 1.1], "b": [2.0, 2.1, 2.4]}, "b", "a", "the claim is the wrong way round: b is worse"),
    ({"a": [1.0, 3.0], "b": [1.5, 2.0]}, "a", "b", "one lucky run of a does not make it better"),
    ({"a": [1.0, 2.2, 1.1], "b": [2.0, 2.1, 2.4]}, "a", "b", "one run of a is worse than one of b, whatever the means"),
    ({"a": [2.0, 1.8], "b": [2.0, 2.4]}, "a", "b", "where the two meet, the claim is not supported"),
    ({"c": [9.0], "a": [1.0, 1.5], "b": [3.0, 2.0]}, "a", "b", "look at the two that the claim names, not at others"),
    (
        {"a": [1.0, 2.1], "b": [1.5, 2.5]},
        "a",
        "b",
        "compare every run of one with every run of the other, not in pairs",
    ),
    ({"a": [1.0, 1.1, 2.2], "b": [2.4, 2.3, 2.0]}, "a", "b", "each training counts, the last one, too"),
    (
        {"a": [1.0, 1.0, 1.0, 1.0, 1.7], "b": [1.6, 2.0, 2.0, 2.0, 2.0]},
        "a",
        "b",
        "means and spreads lie apart, and yet one run of a is worse than one of b",
    ),
    ({"a": [1.0, 1.0, 4.0], "b": [4.1, 9.0, 9.0]}, "a", "b", "however wide the runs scatter, every one of a is better"),
)


def judge_supported(answer: Any) -> str | None:
    """Judge ``supported(values, better, worse)``, whether every run bears a claim out."""
    for values, better, worse, reason in CLAIMS:
        got = call(answer, {name: list(runs) for name, runs in values.items()}, better, worse)
        wanted = solve_supported(values, better, worse)
        what = f"supported({values}, {better!r}, {worse!r})"
        if not isinstance(got, bool):
            return f"{what} should be True or False, got {got!r:.40}."
        if got != wanted:
            return f"{what} should be {wanted}, got {got}. Think of this: {reason}."
    return None


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


SUPPORTED = Exercise(
    "supported",
    judge_supported,
    (
        "With three runs a model, what would have to hold for every pair of runs?",
        "A distance is better when smaller. So the worst run of the better model is the one to look at.",
        "return max(values[better]) < min(values[worse])",
    ),
    solve_supported,
    (
        Mistake(lambda values, a, b: mean(values[a]) < mean(values[b]), "whatever the means"),
        Mistake(lambda values, a, b: min(values[a]) < min(values[b]), "one lucky run"),
        Mistake(lambda values, a, b: min(values[a]) > max(values[b]), "every run of a is better"),
        Mistake(lambda values, a, b: max(values[a]) <= min(values[b]), "where the two meet"),
        Mistake(lambda values, a, b: solve_supported(values, *sorted([a, b])), "the wrong way round"),
        Mistake(
            lambda values, a, b: (
                max(values[a]) < min(min(v) for name, v in values.items() if name != a)
                and max(values[b]) == max(max(v) for v in values.values())
            ),
            "the two that the claim names",
        ),
        Mistake(lambda values, a, b: a if solve_supported(values, a, b) else b, "should be True or False"),
    ),
)


SHEET = Sheet(EQUAL_STEPS, INTERVAL, SUPPORTED)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
