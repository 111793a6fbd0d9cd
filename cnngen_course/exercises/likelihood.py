"""The exercises of the lesson on likelihood: find a leak, bits from nats, temperature, ranking."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.exercises.report import (
    Exercise,
    Mistake,
    Sheet,
    call,
    describe,
    explain_tensor,
    name_type,
)

SIDE = 6  # pixels of the small pictures that leaks() is tried on


def solve_leaks(function: Callable[[Tensor], Tensor]) -> bool:
    images = torch.randn(1, 1, 6, 6)
    # One row for each answer, one column for each pixel, both in reading order: causal means zero from the diagonal on.
    slopes = torch.autograd.functional.jacobian(function, images).view(36, 36)
    return slopes.triu().abs().max().item() > 1e-6


def make_kernel(rows: list[list[float]]) -> Tensor:
    return torch.tensor([[rows]])


PAST = make_kernel([[0.5, -0.7, 0.9], [1.1, 0.0, 0.0], [0.0, 0.0, 0.0]])
OWN = make_kernel([[0.5, -0.7, 0.9], [1.1, 0.8, 0.0], [0.0, 0.0, 0.0]])


def look(kernel: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda images: F.conv2d(images, kernel, padding=kernel.shape[-1] // 2)


def add_below(images: Tensor) -> Tensor:
    below = F.pad(images, (0, 0, 0, 1))[:, :, 1:]
    return look(PAST)(images) + 0.01 * below


def add_wrapped(images: Tensor) -> Tensor:
    return look(PAST)(images) + 0.5 * images.roll(1, dims=3) * (torch.arange(SIDE) == 0)


def add_product(images: Tensor) -> Tensor:
    right = F.pad(images, (0, 1))[..., 1:]
    return look(PAST)(images) + images * right * 0.3


def subtract_right(images: Tensor) -> Tensor:
    return look(PAST)(images) - 0.5 * F.pad(images, (0, 1))[..., 1:]


def add_own_at_the_end(images: Tensor) -> Tensor:
    last = torch.zeros(SIDE, SIDE)
    last[-1, -1] = 0.2
    return look(PAST)(images) + last * images


def sum_earlier(images: Tensor) -> Tensor:
    """Sum all earlier pixels, and not by subtracting the own one again: a change in it must not even round."""
    sums = images.flatten(2).cumsum(dim=2)
    return F.pad(sums, (1, 0))[..., :-1].view_as(images)


def add_last(images: Tensor) -> Tensor:
    answer = look(PAST)(images)
    first = torch.zeros(SIDE, SIDE)
    first[0, 0] = 0.2
    return answer + first * images[:, :, -1:, -1:]


# (function, does it leak, what it is); plain cases first
LAYERS: tuple[tuple[Callable[[Tensor], Tensor], bool, str], ...] = (
    (look(PAST), False, "a masked convolution that sees only earlier pixels (mask A)"),
    (look(make_kernel([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])), True, "an ordinary 3 × 3 convolution"),
    (lambda images: torch.tanh(look(OWN)(look(PAST)(images))), False, "a layer with mask A and then one with mask B"),
    (look(make_kernel([[0, 0, 0], [0, 0, 0.5], [0, 0, 0]])), True, "a look to the right, in the same row"),
    (look(OWN), True, "a layer that sees the pixel itself (mask B): the pixel that is asked for counts as later"),
    (add_below, True, "a faint look at the pixel below, with a weight of 0.01"),
    (add_product, True, "a leak that a picture of zeros does not show: pixel times right neighbour"),
    (add_wrapped, True, "a look to the left that wraps round: the first column sees the end of its own row"),
    (add_last, True, "a leak at one pixel only: the first answer sees the last pixel"),
    (
        lambda images: images.roll(1, dims=2) * (torch.arange(SIDE)[:, None] > 0),
        False,
        "a copy of the row above, which is all in the past",
    ),
    (sum_earlier, False, "the sum of all earlier pixels, whole rows of them"),
    (subtract_right, True, "a look to the right with a negative weight"),
    (add_own_at_the_end, True, "a leak at one pixel only: the last answer sees its own pixel"),
)


def judge_leaks(answer: Any) -> str | None:
    """Judge ``leaks(function)``: does any answer depend on its own or a later pixel?"""
    for function, leak, what in LAYERS:
        got = call(answer, function)
        if not isinstance(got, bool):
            return f"leaks(...) should be True or False, got {name_type(got)}. Compare, and return the outcome."
        if got != leak:
            return f"leaks(...) should be {leak} for {what}; you returned {got}."
    return None


def try_at(images: Tensor, diagonal: int = 0) -> Callable[[Any], bool]:
    def leaks(function: Any) -> bool:
        slopes = torch.autograd.functional.jacobian(function, images).view(36, 36)
        return slopes.triu(diagonal).abs().max().item() > 1e-6

    return leaks


def try_centre(function: Any) -> bool:
    images = torch.randn(1, 1, SIDE, SIDE, requires_grad=True)
    (slopes,) = torch.autograd.grad(function(images)[0, 0, 3, 3], images)
    return slopes.flatten()[21:].abs().max().item() > 1e-6


def try_coarsely(function: Any) -> bool:
    return torch.autograd.functional.jacobian(function, torch.ones(1, 1, 6, 6)).view(36, 36).triu().abs().max() > 0.1


def try_rows_below(function: Any) -> bool:
    slopes = torch.autograd.functional.jacobian(function, torch.ones(1, 1, 6, 6)).view(6, 6, 6, 6)
    return any(slopes[row, :, row + 1 :].abs().max() > 1e-6 for row in range(5))


LEAKS = Exercise(
    "leaks",
    judge_leaks,
    (
        "Change one pixel (or ask for its gradient): which answers may change, and which must not?",
        "Number the pixels 0 to 35 in reading order. Answer i may depend on pixels 0 ... i − 1, and on no other. Try a "
        "random picture, and every i.",
        "torch.autograd.functional.jacobian(function, images).view(36, 36) has a row for each answer and a column for "
        "each pixel. In a causal layer .triu(), the part from the diagonal on, is zero.",
    ),
    solve_leaks,
    (
        Mistake(lambda function: False, "should be True for an ordinary 3 × 3 convolution"),
        Mistake(lambda function: True, "should be False for a masked convolution"),
        Mistake(try_at(torch.ones(1, 1, SIDE, SIDE), diagonal=1), "counts as later"),
        Mistake(try_at(torch.zeros(1, 1, SIDE, SIDE)), "a picture of zeros does not show"),
        Mistake(try_centre, "wraps round"),
        Mistake(try_coarsely, "a faint look at the pixel below"),
        Mistake(try_rows_below, "a look to the right"),
        Mistake(lambda function: torch.zeros(36, 36), "should be True or False, got Tensor of shape (36, 36)"),
    ),
)


def solve_to_bits(log_likelihood: Tensor, shape: tuple[int, int, int]) -> Tensor:
    channels, height, width = shape
    return -log_likelihood / (channels * height * width * math.log(2))


def judge_to_bits(answer: Any) -> str | None:
    """Judge ``to_bits(log_likelihood, shape)``, bits per dimension from nats."""
    cases = (
        (torch.tensor([-784 * math.log(16)]), (1, 28, 28), "sixteen levels, all equally likely, need 4 bits each"),
        (torch.tensor([-12 * math.log(2), 0.0]), (3, 2, 2), "one fair coin a value is 1 bit, certainty is 0 bits"),
        (torch.tensor([-500.0, -900.0, -640.0]), (1, 8, 12), "height and width need not be equal"),
    )
    for nats, shape, reason in cases:
        what = f"to_bits({[round(value, 2) for value in nats.tolist()]}, {shape})"
        got, wanted = call(answer, nats.clone(), shape), solve_to_bits(nats, shape)
        problem = explain_tensor(got, wanted, what)
        if problem:
            return f"{problem} Think of this: {reason}.{explain_factor(got, wanted)}"
    return None


def explain_factor(got: Any, wanted: Tensor) -> str:
    """Say which factor is wrong where all values are off by the same one."""
    if not isinstance(got, Tensor) or got.shape != wanted.shape or not torch.isfinite(got).all():
        return ""
    factor = (got[0] / wanted[0]).item()
    known = {
        -1: "The sign: a log-likelihood is negative, a number of bits is not.",
        math.log(2): "Those are nats: divide by log 2 once more.",
        math.log(2) ** 2: "You multiplied by log 2 instead of dividing by it.",
    }
    for value, words in known.items():
        if math.isclose(factor, value, rel_tol=1e-3):
            return f" {words}"
    return f" Yours is {factor:.3g} times as much."


TO_BITS = Exercise(
    "to_bits",
    judge_to_bits,
    (
        "A log-likelihood is the natural logarithm of the probability of a whole picture. Bits use the logarithm to "
        "the base 2, and we want them for a single value.",
        "A probability of ½ is 1 bit, and log ½ = −0.69 nats: so divide by −log 2. Then share among all values.",
        "A picture has channels · height · width values: −log_likelihood / (channels · height · width · math.log(2)).",
    ),
    solve_to_bits,
    (
        Mistake(lambda nats, shape: -solve_to_bits(nats, shape), "The sign"),
        Mistake(lambda nats, shape: solve_to_bits(nats, shape) * math.log(2), "divide by log 2 once more"),
        Mistake(lambda nats, shape: solve_to_bits(nats, shape) * math.log(2) ** 2, "multiplied by log 2"),
        Mistake(lambda nats, shape: solve_to_bits(nats, (1, *shape[1:])), "Yours is 3 times as much"),
        Mistake(lambda nats, shape: solve_to_bits(nats, (*shape[:2], shape[1])), "Yours is 1.5 times as much"),
        Mistake(lambda nats, shape: -nats / math.log(2), "Yours is 784 times as much"),
        Mistake(lambda nats, shape: solve_to_bits(nats, shape).mean(), "should have shape (1,), got ()"),
    ),
)


def solve_cool(logits: Tensor, temperature: float) -> Tensor:
    if not temperature > 0:
        raise ValueError("temperature is above 0")
    return (logits / temperature).softmax(dim=1)


def judge_cool(answer: Any) -> str | None:
    """Judge ``cool(logits, temperature)``, probabilities at a temperature."""
    chance = torch.Generator().manual_seed(0)
    cases = (
        (torch.randn(5, 4, generator=chance), 1.0, "at 1 it is the plain softmax over dimension 1"),
        (torch.randn(4, 4, generator=chance), 0.5, "at 0.5 the differences between logits count double"),
        (torch.randn(2, 3, 2, 2, generator=chance), 2.0, "there may be more dimensions after the levels"),
        (20 * torch.randn(3, 16, generator=chance), 0.01, "near 0 the likeliest level gets nearly everything"),
    )
    for logits, temperature, reason in cases:
        what = f"cool(logits of shape {tuple(logits.shape)}, temperature={temperature})"
        problem = explain_tensor(call(answer, logits.clone(), temperature), solve_cool(logits, temperature), what)
        if problem:
            return f"{problem} Think of this: {reason}."
    for temperature in (0.0, -1.0):
        try:
            call(answer, torch.randn(2, 3), temperature)
        except ValueError:
            continue
        except Exception as error:
            return f"cool(logits, temperature={temperature}) should raise a ValueError; it raised {describe(error)}"
        return f"cool(logits, temperature={temperature}) should raise a ValueError: it means nothing at 0 or below."
    return None


def forget_to_refuse(logits: Tensor, temperature: float) -> Tensor:
    return (logits / temperature).softmax(dim=1)


def refuse_only_zero(logits: Tensor, temperature: float) -> Tensor:
    if temperature == 0:
        raise ValueError("no")
    return forget_to_refuse(logits, temperature)


def refuse_by_assertion(logits: Tensor, temperature: float) -> Tensor:
    assert temperature > 0
    return forget_to_refuse(logits, temperature)


def cool_by_hand(logits: Tensor, temperature: float) -> Tensor:
    powers = (logits / temperature).exp()
    return powers / powers.sum(dim=1, keepdim=True)


COOL = Exercise(
    "cool",
    judge_cool,
    (
        "Divide something by the temperature before the softmax. And what should happen at 0?",
        "The logits are divided, then softmax over dimension 1 makes probabilities. Check the temperature first.",
        'if not temperature > 0: raise ValueError("temperature above 0"). Then: (logits / temperature).softmax(dim=1)',
    ),
    solve_cool,
    (
        Mistake(lambda logits, t: (logits * t).softmax(1), "differences between logits count double"),
        Mistake(lambda logits, t: logits.softmax(1) / t, "off by"),
        Mistake(lambda logits, t: (logits / t).softmax(0), "the plain softmax over dimension 1"),
        Mistake(lambda logits, t: (logits / t).softmax(-1), "more dimensions after the levels"),
        Mistake(cool_by_hand, "holds values that are not numbers"),
        Mistake(forget_to_refuse, "temperature=0.0) should raise"),
        Mistake(refuse_by_assertion, "should raise a ValueError; it raised AssertionError"),
        Mistake(refuse_only_zero, "temperature=-1.0) should raise"),
    ),
)


def solve_rank(candidates: Tensor, log_probabilities: Tensor, count: int) -> Tensor:
    order = log_probabilities.argsort(descending=True, stable=True)
    return candidates[order[:count]]


def judge_rank(answer: Any) -> str | None:
    """Judge ``rank(candidates, log_probabilities, count)``, the most probable candidates first."""
    chance = torch.Generator().manual_seed(0)
    for size, count, ties in ((6, 6, False), (9, 1, False), (40, 12, True)):
        candidates = torch.arange(size).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone()  # picture i is full of i
        scores = -500 - 100 * torch.rand(size, generator=chance)
        if ties:
            scores = (scores / 25).round() * 25
        what = f"rank({size} candidates, their log-probabilities, count={count})"
        got = call(answer, candidates, scores, count)
        problem = explain_tensor(got, solve_rank(candidates, scores, count), what)
        if problem:
            return f"{problem}{explain_order(got, candidates, scores, count)}"
    return None


def explain_order(got: Any, candidates: Tensor, scores: Tensor, count: int) -> str:
    """Say what is wrong with candidates in another order."""
    if not isinstance(got, Tensor) or got.shape[1:] != candidates.shape[1:]:
        return " Return candidates: pictures, not their numbers or their probabilities."
    if len(got) != count:
        return " Give as many as were asked for."
    if torch.equal(got, solve_rank(candidates, -scores, count)):
        return " It begins with the least probable one."
    if torch.equal(scores[got[:, 0, 0, 0].long()], scores.sort(descending=True).values[:count]):
        return " The only fault is with equals: those that are equally probable stay in the order in which they came."
    return " Begin with the most probable one."


def rank_by_reversing(candidates: Tensor, scores: Tensor, count: int) -> Tensor:
    return candidates[scores.argsort(stable=True).flip(0)[:count]]


RANK = Exercise(
    "rank",
    judge_rank,
    (
        "First find the order of the log-probabilities, from high to low. Then use it as an index into the candidates.",
        "argsort returns an order; it can be asked for a descending one. With stable=True equals keep their order.",
        "order = log_probabilities.argsort(descending=True, stable=True); then candidates[order[:count]].",
    ),
    solve_rank,
    (
        Mistake(lambda c, p, n: solve_rank(c, -p, n), "begins with the least probable"),
        Mistake(rank_by_reversing, "stay in the order in which they came"),
        Mistake(lambda c, p, n: solve_rank(c, p, len(c)), "as many as were asked for"),
        Mistake(lambda c, p, n: p.argsort(descending=True, stable=True)[:n], "(6, 1, 2, 2), got (6,)"),
        Mistake(lambda c, p, n: p.sort(descending=True).values[:n, None], "got (6, 1)"),
        Mistake(lambda c, p, n: c[:n], "Begin with the most probable one"),
    ),
)


SHEET = Sheet(LEAKS, TO_BITS, COOL, RANK)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
