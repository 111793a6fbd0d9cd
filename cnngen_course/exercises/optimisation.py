"""The exercises of the lesson on optimisation: weights of a bottleneck, a learning rate, a profile, and its limit."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number


def solve_count_bottleneck(channels: int, reduced: int, kernel_size: int) -> int:
    return channels * reduced + kernel_size**2 * reduced**2 + reduced * channels


# (channels, reduced, kernel size), and what it tells apart; plain cases first
BOTTLENECKS = (
    ((8, 2, 1), "with a kernel of 1 there are three 1 × 1 convolutions in a row"),
    ((64, 16, 3), "the middle convolution has k · k weights for each pair of its channels, and works in the few"),
    ((64, 16, 5), "k is a parameter: 5 × 5 has 25 weights a pair"),
    ((30, 30, 3), "nothing is saved if nothing is reduced"),
)


def count_by_building(channels: int, reduced: int, kernel_size: int) -> int:
    """Return the same by counting the weights of real layers: what the solution is judged by."""
    sizes = ((channels, reduced, 1), (reduced, reduced, kernel_size), (reduced, channels, 1))
    layers = [nn.Conv2d(*size, bias=False) for size in sizes]
    return sum(layer.weight.numel() for layer in layers)


def judge_count_bottleneck(answer: Any) -> str | None:
    """Judge ``count_bottleneck(channels, reduced, kernel_size)``, the weights of 1 × 1, k × k, 1 × 1."""
    for case, reason in BOTTLENECKS:
        problem = explain_number(
            call(answer, *case), count_by_building(*case), "count_bottleneck({}, {}, {})".format(*case)
        )
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


COUNT_BOTTLENECK = Exercise(
    "count_bottleneck",
    judge_count_bottleneck,
    (
        "A convolution has one small kernel for each pair of an input channel and an output channel.",
        "Three layers: channels → reduced with 1 × 1, reduced → reduced with k × k, reduced → channels with 1 × 1.",
        "channels * reduced + kernel_size**2 * reduced**2 + reduced * channels",
    ),
    solve_count_bottleneck,
    (
        Mistake(lambda c, r, k: k**2 * c**2, "three 1 × 1 convolutions"),
        Mistake(lambda c, r, k: c * r + k**2 * r**2, "should be 36, got 20"),
        Mistake(lambda c, r, k: 2 * c * r + k * r**2, "k · k weights"),
        Mistake(lambda c, r, k: 2 * c * r + 9 * r**2, "should be 36, got 68"),
        Mistake(lambda c, r, k: 2 * c * r + k**2 * r * c, "should be 36, got 48"),
        Mistake(lambda c, r, k: float(solve_count_bottleneck(c, r, k)), "whole number"),
    ),
)


def solve_choose_rate(rates: Tensor, losses: Tensor) -> float:
    usable = torch.where(torch.isfinite(losses), losses, torch.inf)
    return rates[usable.argmin()].item() / 10


def make_curves() -> list[tuple[Tensor, Tensor, str]]:
    """Return curves of a finder (rates, losses), and what each tells apart; plain cases first."""
    rates = torch.logspace(-4, 0, 9)  # 1e-4, 3.2e-4, 1e-3, ... 1
    bowl = torch.tensor([2.3, 2.3, 2.2, 1.9, 1.3, 1.0, 1.4, 2.9, 8.0])
    broken = torch.tensor([2.3, 2.2, 2.0, 1.4, 0.9, 1.6, 4.0, torch.nan, torch.nan])
    infinite = torch.tensor([2.3, 2.2, 2.1, 1.9, 1.5, 0.7, 3.0, torch.inf, torch.nan])
    gap = torch.tensor([2.3, torch.nan, 2.0, -torch.inf, 1.7, 1.2, 0.8, 1.9, 6.0])
    falling = torch.tensor([2.3, 2.2, 2.1, 1.9, 1.6, 1.3, 1.1, 0.9, 0.8])
    fine = torch.logspace(-5, 0, 101)
    shape = 2.3 - 1.5 * torch.exp(-((fine.log10() + 2) ** 2)) + (60 * fine) ** 3 / 1e4
    return [
        (rates, bowl, "at the lowest point the loss is about to rise: go a factor of ten to the left of it"),
        (rates, broken, "argmin returns the place of a NaN if there is one: leave such values out"),
        (rates, infinite, "an infinite loss is no lowest one"),
        (
            rates,
            gap,
            "a step can break and the next one recover: leave the loss out, and keep the places of the others",
        ),
        (rates, gap + 3, "a loss above 1 can be the lowest one: leave out what broke, don't replace it by a number"),
        (rates, gap - 3, "a loss can be below 0"),
        (rates, falling, "if the loss falls to the end, the last rate is the lowest point"),
        (fine, shape, "the rates need not be whole powers of ten"),
    ]


def judge_choose_rate(answer: Any) -> str | None:
    """Judge ``choose_rate(rates, losses)``, a tenth of the rate with the lowest loss."""
    for rates, losses, reason in make_curves():
        got, wanted = call(answer, rates.clone(), losses.clone()), solve_choose_rate(rates, losses)
        what = f"choose_rate for {len(rates)} rates from {rates[0]:g} to {rates[-1]:g}"
        if isinstance(got, int | float) and got in (len(rates), int(10 * wanted / rates[0])):
            return f"{what} should be a learning rate, got {got}, which looks like a place in the curve."
        problem = explain_number(got, wanted, what)
        if not problem and abs(got - wanted) > 0.02 * wanted:  # the rates are far below 1
            problem = f"{what} should be {wanted:g}, got {got:g}."
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def pick_place(rates: Tensor, losses: Tensor) -> int:
    """The mistake of returning where in the curve the lowest loss is."""
    return int(torch.where(torch.isfinite(losses), losses, torch.inf).argmin())


CHOOSE_RATE = Exercise(
    "choose_rate",
    judge_choose_rate,
    (
        "Where does the curve have its lowest point? The rate there is the last one that still did some good.",
        "Replace what is not finite by infinity before you look for the smallest loss: torch.where, torch.isfinite.",
        "usable = torch.where(torch.isfinite(losses), losses, torch.inf); then rates[usable.argmin()].item() / 10",
    ),
    solve_choose_rate,
    (
        Mistake(lambda rates, losses: rates[pick_place(rates, losses)].item(), "a factor of ten"),
        Mistake(lambda rates, losses: rates[losses.argmin()].item() / 10, "leave such values out"),
        Mistake(lambda rates, losses: rates[losses[losses.isfinite()].argmin()].item() / 10, "keep the places"),
        Mistake(pick_place, "should be 0.00316228, got 5"),
        Mistake(lambda rates, losses: losses.min().item(), "should be 0.00316228, got 1."),
        Mistake(lambda rates, losses: rates[pick_place(rates, losses)].item() * 10, "got 0.316228"),
    ),
)

Profile = dict[str, dict[str, float]]


def solve_find_bottleneck(profile: Profile) -> str:
    return max(profile, key=lambda name: profile[name]["own"])


def make_row(calls: int, total: float, own: float) -> dict[str, float]:
    return {"calls": calls, "total": total, "own": own}


STEP: Profile = {
    "training step": make_row(1, 100.0, 2.0),
    "forward": make_row(1, 40.0, 1.0),
    "convolution": make_row(9, 31.0, 31.0),
    "batch norm": make_row(9, 8.0, 8.0),
    "backward": make_row(1, 55.0, 3.0),
    "convolution, backward": make_row(9, 39.0, 39.0),
    "batch norm, backward": make_row(9, 13.0, 13.0),
    "add": make_row(300, 3.0, 3.0),
}
LOADING: Profile = {
    "epoch": make_row(1, 900.0, 5.0),
    "load": make_row(100, 640.0, 10.0),
    "decode a picture": make_row(12_800, 630.0, 630.0),
    "train": make_row(100, 255.0, 255.0),
}
LATE: Profile = {
    "draw": make_row(1, 60.0, 1.0),
    "save as PNG": make_row(1, 40.0, 40.0),
    "generator": make_row(1, 19.0, 4.0),
    "convolution": make_row(6, 15.0, 15.0),
}
PROFILES = (
    (STEP, "a total holds the time of everything that is called inside; its own time is what is left"),
    (LOADING, "it is not always the network"),
    (LATE, "an operation that is called once can cost the most"),
)


def judge_find_bottleneck(answer: Any) -> str | None:
    """Judge ``find_bottleneck(profile)``, the name of what takes most time itself."""
    for profile, reason in PROFILES:
        got, wanted = call(answer, {name: dict(row) for name, row in profile.items()}), solve_find_bottleneck(profile)
        if got is None:
            return "find_bottleneck(profile) is None. Did you forget to return it?"
        if not isinstance(got, str) or got not in profile:
            return f"find_bottleneck(profile) should be one of the profile's names, got {got!r:.60}."
        if got != wanted:
            facts = ", ".join(f"{key} {value:g}" for key, value in profile[got].items())
            return f"the answer should be {wanted!r}, got {got!r} ({facts} ms). Think of this: {reason}."
    return None


def pick_by(measure: Callable[[dict[str, float]], float]) -> Callable[[Profile], str]:
    return lambda profile: max(profile, key=lambda name: measure(profile[name]))


FIND_BOTTLENECK = Exercise(
    "find_bottleneck",
    judge_find_bottleneck,
    (
        "A wrapper such as 'training step' has the largest total, but does hardly anything itself.",
        'Compare the rows by "own", and return the name of the largest.',
        'max(profile, key=lambda name: profile[name]["own"])',
    ),
    solve_find_bottleneck,
    (
        Mistake(pick_by(lambda row: row["total"]), "a total holds the time"),
        Mistake(pick_by(lambda row: row["calls"]), "got 'add'"),
        Mistake(lambda profile: "convolution, backward" if len(profile) > 4 else "train", "not always the network"),
        Mistake(lambda profile: pick_by(lambda row: row["own"] * (row["calls"] > 1))(profile), "called once can cost"),
        Mistake(lambda profile: max(row["own"] for row in profile.values()), "should be one of the profile's names"),
    ),
)


def solve_gain(share: float, factor: float) -> float:
    return 1 / (1 - share + share / factor)


# (share of the time, how much faster that part becomes), and what it tells apart
GAINS = (
    ((1.0, 4.0), "if the part is everything, all becomes faster by the factor: divide the old time by the new one"),
    ((0.5, 2.0), "half of the time stays as it was, the other half is halved"),
    ((0.1, 1000.0), "what is not made faster stays: a tenth that takes no time at all saves a tenth"),
    ((0.8, 1.0), "a factor of 1 changes nothing"),
    ((0.5, 0.5), "a factor below 1 makes it slower"),
)


def judge_gain(answer: Any) -> str | None:
    """Judge ``gain(share, factor)``, how much faster all becomes if a share of the time does so by a factor."""
    for case, reason in GAINS:
        problem = explain_number(call(answer, *case), solve_gain(*case), "gain({}, {})".format(*case))
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


GAIN = Exercise(
    "gain",
    judge_gain,
    (
        "Call the old time 1. How long does the part take afterwards, and how long all the rest?",
        "The rest takes 1 − share, the part share / factor. The gain is the old time divided by the new one.",
        "1 / (1 - share + share / factor)",
    ),
    solve_gain,
    (
        Mistake(lambda share, factor: share * factor, "half of the time stays"),
        Mistake(lambda share, factor: 1 - share + share / factor, "everything"),
        Mistake(lambda share, factor: 1 + share * (factor - 1), "should be 1.33333, got 1.5"),
        Mistake(lambda share, factor: factor, "should be 1.33333, got 2"),
        Mistake(lambda share, factor: math.pow(factor, share), "should be 1.33333, got 1.41"),
    ),
)

SHEET = Sheet(COUNT_BOTTLENECK, CHOOSE_RATE, FIND_BOTTLENECK, GAIN)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
