"""The exercises of the lesson on learning from labels: a divergence, a condition, a direction with a meaning."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from cnngen_course.exercises.report import (
    Exercise,
    Mistake,
    Sheet,
    call,
    call_for_tensor,
    explain_number,
    explain_tensor,
)
from cnngen_course.explorers.supervised import load_vae
from cnngen_course.models.vae import compute_sleeves
from cnngen_course.objectives.variational import sample_images


def solve_gaussian_kl(mean_1: Tensor, variance_1: Tensor, mean_2: Tensor, variance_2: Tensor) -> Tensor:
    spreads = variance_1 / variance_2 - 1 - (variance_1 / variance_2).log()  # 0 where both are equally wide
    shift = (mean_1 - mean_2) ** 2 / variance_2  # a step counts more for a narrow target
    return 0.5 * (spreads + shift).sum()


# (mean 1, variance 1, mean 2, variance 2), and what it tells apart; plain cases first
GAUSSIANS = (
    (([0.5], [1.0], [0.5], [1.0]), "equal distributions have no distance"),
    (([2.0], [1.0], [0.0], [1.0]), "with both variances 1 only ½ · (difference of the means)² is left"),
    (([0.0], [4.0], [0.0], [1.0]), "with equal means it is ½ · (v₁/v₂ − 1 − log(v₁/v₂)), and log is to the base e"),
    (([0.0], [1.0], [0.0], [4.0]), "the second distribution need not be N(0, 1), and the order matters"),
    (([3.0], [1.0], [0.0], [9.0]), "a step of the mean is measured in spreads of the second distribution"),
    (([1.0, 0.0, -1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), "the dimensions add up"),
    (([0.3, -1.2], [0.2, 2.5], [-0.7, 0.4], [1.7, 0.6]), "check all four together"),
    (([-0.3, 1.2, 0.5], [2.2, 0.5, 1.0], [0.7, -0.4, 0.1], [0.7, 1.6, 3.0]), "check all four together"),
)


def judge_gaussian_kl(answer: Any) -> str | None:
    """Judge ``gaussian_kl(mean_1, variance_1, mean_2, variance_2)``, summed over the dimensions."""
    for case, reason in GAUSSIANS:
        mean_1, variance_1, mean_2, variance_2 = (torch.tensor(numbers) for numbers in case)
        wanted = kl_divergence(Normal(mean_1, variance_1.sqrt()), Normal(mean_2, variance_2.sqrt())).sum().item()
        got = call(answer, mean_1, variance_1, mean_2, variance_2)
        what = "gaussian_kl({}, {}, {}, {})".format(*case)
        problem = explain_number(got, wanted, what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


GAUSSIAN_KL = Exercise(
    "gaussian_kl",
    judge_gaussian_kl,
    (
        "Begin with what you know: against N(0, 1) it is ½ · Σ (m² + v − log v − 1). Where do m₂ and v₂ come in?",
        "Measure everything in spreads of the second distribution: v becomes v₁/v₂, and m² becomes (m₁ − m₂)²/v₂.",
        "0.5 * (v1 / v2 + (m1 - m2) ** 2 / v2 - 1 - (v1 / v2).log()).sum()",
    ),
    solve_gaussian_kl,
    (
        Mistake(lambda m, v, n, w: 2 * solve_gaussian_kl(m, v, n, w), "only ½ · (difference of the means)²"),
        Mistake(lambda m, v, n, w: solve_gaussian_kl(m, v, n, w) + 0.5 * len(m), "have no distance"),
        Mistake(lambda m, v, n, w: solve_gaussian_kl(n, w, m, v), "should be 0.806853, got 0.318147"),
        Mistake(lambda m, v, n, w: solve_gaussian_kl(m, v**2, n, w**2), "equal means it is"),
        Mistake(lambda m, v, n, w: solve_gaussian_kl(m - n, v, 0 * n, 0 * w + 1), "need not be N(0, 1)"),
        Mistake(
            lambda m, v, n, w: solve_gaussian_kl(m / w.sqrt() * w, v, n / w.sqrt() * w, w), "in spreads of the second"
        ),
        Mistake(lambda m, v, n, w: solve_gaussian_kl(m, v, n, w) / len(m), "the dimensions add up"),
        Mistake(lambda m, v, n, w: (v / w + (m - n) ** 2 / w - 1 - (v / w).log()) / 2, "should be a number"),
    ),
)


def solve_condition(first: Tensor, second: Tensor, share: Tensor, details: Tensor, class_count: int) -> Tensor:
    start, end = (F.one_hot(labels, class_count).float() for labels in (first, second))  # (N, class_count)
    weights = torch.lerp(start, end, share[:, None])  # (1 - share) · start + share · end
    return torch.cat([weights, details], dim=1)  # (N, class_count + 2)


CONDITIONS = (
    ([2, 0, 1], [2, 0, 1], [0.0, 0.0, 0.0], "a share of 0 is all first class: a 1 in its column, 0 elsewhere"),
    ([2, 0, 1], [0, 1, 2], [0.0, 1.0, 1.0], "a share of 1 is all second class"),
    ([2, 0, 1], [0, 1, 2], [0.25, 0.5, 0.9], "the first class gets 1 − share, the second gets share"),
    ([3, 1, 0], [3, 1, 2], [0.4, 0.5, 0.3], "where both classes are the same, that class gets all of it, 1 in sum"),
)


def judge_condition(answer: Any) -> str | None:
    """Judge ``make_condition(first, second, share, details, class_count)``."""
    chance = torch.Generator().manual_seed(0)
    for first, second, share, reason in CONDITIONS:
        details = torch.rand(3, 2, generator=chance)
        arguments = torch.tensor(first), torch.tensor(second), torch.tensor(share), details
        got = call(answer, *(argument.clone() for argument in arguments), 5)
        what = f"make_condition({first}, {second}, {share}, details, 5)"
        problem = explain_tensor(got, solve_condition(*arguments, 5), what)
        if problem:
            return f"{problem} {explain_columns(got, details)}Think of this: {reason}."
    return None


def explain_columns(got: Any, details: Tensor) -> str:
    """Say whether the details of a wrong condition at least stand at its end."""
    if not isinstance(got, Tensor) or got.ndim != 2 or got.shape[1] != 7:
        return "Five columns for the classes, then two for the details. "
    return "" if torch.equal(got[:, 5:].float(), details) else "The last two columns should be the details. "


def assign_shares(first: Tensor, second: Tensor, share: Tensor, details: Tensor, class_count: int) -> Tensor:
    """The mistake of assigning instead of adding: the second entry overwrites the first."""
    weights, rows = torch.zeros(len(first), class_count), torch.arange(len(first))
    weights[rows, first], weights[rows, second] = 1 - share, share
    return torch.cat([weights, details], dim=1)


MAKE_CONDITION = Exercise(
    "make_condition",
    judge_condition,
    (
        "Write down by hand what classes 2 and 0, mixed half and half, should give if there are five classes.",
        "torch.nn.functional.one_hot(labels, class_count).float() makes the row of each class. Mix two such rows; add, "
        "don't overwrite.",
        "share[:, None] turns the shares into a column, which scales whole rows; torch.cat([weights, details], dim=1) "
        "puts the details behind.",
    ),
    solve_condition,
    (
        Mistake(lambda a, b, s, d, n: solve_condition(b, a, s, d, n), "a share of 1 is all second"),
        Mistake(lambda a, b, s, d, n: solve_condition(a, b, s.round(), d, n), "gets 1 − share"),
        Mistake(assign_shares, "all first class"),
        Mistake(lambda a, b, s, d, n: solve_condition(a, b, s, d, n)[:, :n], "Five columns for the classes"),
        Mistake(lambda a, b, s, d, n: solve_condition(a, b, s, d, n).roll(2, dims=1), "last two columns"),
        Mistake(lambda a, b, s, d, n: solve_condition(a, b, s, d, n + 1), "got (3, 8)"),
    ),
)


def solve_sleeve_direction(noise: Tensor, sleeves: Tensor) -> Tensor:
    low, high = sleeves.quantile(0.25), sleeves.quantile(0.75)
    direction = noise[sleeves >= high].mean(dim=0) - noise[sleeves <= low].mean(dim=0)
    return direction / direction.norm()


@cache
def draw_shirts(count: int = 600) -> tuple[Tensor, Tensor]:
    """Return noise (count, D) and the sleeves (count,) of the shirts that the shipped network draws from it."""
    model = load_vae()
    noise = torch.randn(count, model.latent_size, generator=torch.Generator().manual_seed(0))
    return noise, measure_shirts(noise)


def measure_shirts(noise: Tensor) -> Tensor:
    """Draw shirts of middling size and brightness from noise (N, D) and measure their sleeves, (N,)."""
    labels = torch.full((len(noise),), SHIRT)
    return compute_sleeves(sample_images(load_vae(), labels, MIDDLING.expand(len(noise), 2), noise))


def compute_lengthening(direction: Tensor, count: int = 60, step: float = 1.5) -> float:
    """Return by how much sleeves grow between ``-step`` and ``+step`` along a direction, on shirts not seen before."""
    noise = torch.randn(count, len(direction), generator=torch.Generator().manual_seed(1))
    ends = measure_shirts(torch.cat([noise - step * direction, noise + step * direction])).view(2, count)
    return (ends[1] - ends[0]).mean().item()


SHIRT, MIDDLING = 6, torch.tensor([0.55, 0.6])
ENOUGH = 0.6  # share of the lengthening that the solution's direction reaches


def judge_sleeve_direction(answer: Any) -> str | None:
    """Judge ``find_sleeve_direction(noise, sleeves)``, a unit vector along which sleeves grow."""
    chance = torch.Generator().manual_seed(0)
    hidden = F.normalize(torch.randn(6, generator=chance), dim=0)
    centre = torch.linspace(-2, 4, 6)
    noise = torch.randn(800, 6, generator=chance) + centre
    sleeves = torch.sigmoid((noise - centre) @ hidden) + 0.1 * torch.randn(800, generator=chance)
    got = call_for_tensor(answer, noise, sleeves)
    problem = explain_direction(got, 6)
    if problem:
        return problem
    agreement = (got @ hidden).item()
    if abs(agreement) < 0.9:
        return (
            f"On made-up noise (N, 6) whose true direction is known, yours has a cosine of only {agreement:.2f} with "
            "it. What does the noise of long sleeves have that the noise of short sleeves doesn't have?"
        )
    if agreement < 0:
        return "Your direction makes sleeves shorter: it points from long to short. Turn it round."
    return judge_on_shirts(answer)


def judge_on_shirts(answer: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    noise, sleeves = draw_shirts()
    got = call_for_tensor(answer, noise, sleeves)
    problem = explain_direction(got, noise.shape[1])
    if problem:
        return problem
    reached, wanted = compute_lengthening(got), compute_lengthening(solve_sleeve_direction(noise, sleeves))
    if reached < ENOUGH * wanted:
        return (
            f"Along your direction the sleeves of 60 new shirts change by {reached:.3f}; "
            f"a difference of means reaches {wanted:.3f}."
        )
    return None


def explain_direction(got: Any, size: int) -> str | None:
    """Return None if ``got`` is a vector of length 1 with ``size`` numbers, else what it lacks."""
    what = f"find_sleeve_direction(noise (N, {size}), sleeves (N,))"
    if not isinstance(got, Tensor) or got.shape != (size,) or not torch.isfinite(got).all():
        return explain_tensor(got, torch.zeros(size), what)
    if abs(got.norm().item() - 1) > 1e-3:
        return f"{what} has a length of {got.norm():.3g}. A direction has length 1: divide it by its norm."
    return None


SLEEVE_DIRECTION = Exercise(
    "find_sleeve_direction",
    judge_sleeve_direction,
    (
        "Split the rows of noise in two groups: long sleeves and short ones. How do the groups differ?",
        "The difference of the two groups' means points from short to long. Only its direction is asked for.",
        "noise[sleeves > sleeves.median()].mean(dim=0) is one of the means; divide the difference by its .norm().",
    ),
    solve_sleeve_direction,
    (
        Mistake(lambda z, s: -solve_sleeve_direction(z, s), "Turn it round"),
        Mistake(lambda z, s: 3 * solve_sleeve_direction(z, s), "length of 3"),
        Mistake(lambda z, s: F.normalize(z[s > s.median()].mean(dim=0), dim=0), "the noise of short sleeves"),
        Mistake(lambda z, s: F.normalize(z[s.argmax()] - z[s.argmin()], dim=0), "cosine"),
        Mistake(lambda z, s: s, "should have shape (6,), got (800,)"),
        Mistake(
            lambda z, s: (
                solve_sleeve_direction(z, s) if z.shape[1] == 6 else F.one_hot(torch.tensor(0), z.shape[1]) * 1.0
            ),
            "sleeves of 60 new shirts change by",
        ),
    ),
)


SHEET = Sheet(GAUSSIAN_KL, MAKE_CONDITION, SLEEVE_DIRECTION)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
