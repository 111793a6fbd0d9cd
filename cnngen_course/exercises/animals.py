"""The exercises of the lesson on animals: the cycle loss, what each loss lets pass, and a test for hidden signals."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number

Translator = Callable[[Tensor], Tensor]


def make_pictures(count: int, seed: int, size: int = 12) -> Tensor:
    """Return coloured pictures (count, 3, size, size) in [-0.8, 0.8], the same each time."""
    return 1.6 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) - 0.8


def make_grey(images: Tensor) -> Tensor:
    return images.mean(dim=1, keepdim=True).expand_as(images)


def copy(images: Tensor) -> Tensor:
    return images


def halve(images: Tensor) -> Tensor:
    return 0.5 * images


def darken(images: Tensor) -> Tensor:
    return 0.5 * images - 0.3


def lighten(images: Tensor) -> Tensor:
    return 1.5 * images + 0.2


def solve_cycle_error(there: Translator, back: Translator, ones: Tensor, twos: Tensor) -> Tensor:
    first = (back(there(ones)) - ones).abs().mean()
    second = (there(back(twos)) - twos).abs().mean()
    return first + second


ORDER = "pictures of the second kind go back first, then there"


def make_cycle_cases() -> list[tuple[Translator, Translator, Tensor, Tensor, str]]:
    ones, twos = make_pictures(4, 0), make_pictures(3, 1)
    dark_and_light = torch.where(ones > 0, 0.5, -1.0)  # what relu takes away is 1 or nothing
    return [
        (copy, copy, ones, twos, "who copies both ways loses nothing"),
        (torch.neg, torch.neg, ones, twos, "compare end and beginning, not what lies between"),
        (F.relu, lambda x: x - 1, -torch.ones(4, 3, 8, 8), torch.zeros(3, 3, 8, 8), ORDER),
        (F.relu, copy, dark_and_light, twos.abs(), "only the first kind lost something here"),
        (copy, F.relu, ones.abs(), dark_and_light, ORDER),
        (darken, lambda x: 2 * x + 0.5, ones, twos, "compare end and beginning, by the mean absolute difference"),
        (halve, copy, ones, twos, "take the absolute value of each difference first, then the mean"),
        (darken, lighten, ones, twos, "each kind has its own mean, and the two are added"),
    ]


def judge_cycle_error(answer: Any) -> str | None:
    """Judge ``cycle_error(there, back, ones, twos)``, the sum of two mean absolute errors."""
    for there, back, ones, twos, reason in make_cycle_cases():
        got = call(answer, there, back, ones.clone(), twos.clone())
        wanted = solve_cycle_error(there, back, ones, twos).item()
        problem = explain_number(got, wanted, f"cycle_error of {len(ones)} pictures of one kind and {len(twos)}")
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


CYCLE_ERROR = Exercise(
    "cycle_error",
    judge_cycle_error,
    (
        "Two journeys: ones go there and back, twos go back and there. Each ends where it began, or it costs.",
        "The first: (back(there(ones)) - ones).abs().mean(). The second has the same shape.",
        "Add (there(back(twos)) - twos).abs().mean() to it and return the sum.",
    ),
    solve_cycle_error,
    (
        Mistake(lambda there, back, ones, twos: (back(there(ones)) - ones).abs().mean(), "go back first"),
        Mistake(
            lambda there, back, ones, twos: sum((back(there(some)) - some).abs().mean() for some in (ones, twos)),
            "go back first",
        ),
        Mistake(lambda there, back, ones, twos: (there(back(twos)) - twos).abs().mean(), "only the first kind lost"),
        Mistake(
            lambda there, back, ones, twos: (
                (back(there(ones)) - ones).square().mean() + (there(back(twos)) - twos).square().mean()
            ),
            "mean absolute difference",
        ),
        Mistake(
            lambda there, back, ones, twos: (there(ones) - ones).abs().mean() + (back(twos) - twos).abs().mean(),
            "compare end and beginning",
        ),
        Mistake(lambda there, back, ones, twos: solve_cycle_error(there, back, ones, twos) / 2, "should be"),
        Mistake(lambda there, back, ones, twos: back(there(ones)) - ones, "should be a number"),
    ),
)


TRANSLATORS: dict[str, tuple[Translator, Translator]] = {
    "copy": (copy, copy),
    "mirror": (lambda images: images.flip(3), lambda images: images.flip(3)),
    "swap colours": (lambda images: images.roll(1, dims=1), lambda images: images.roll(-1, dims=1)),
    "fade": (lambda images: 0.5 * images, lambda images: (2 * images).clamp(-1, 1)),
    "forget": (lambda images: images * 0, lambda images: images * 0),
}
LOSSES = ("cycle", "identity")


def solve_zero_losses() -> dict[str, tuple[str, ...]]:
    return {
        "copy": ("cycle", "identity"),  # nothing is ever changed
        "mirror": ("cycle",),  # mirrored twice is as before; but a picture of the wanted kind is mirrored, too
        "swap colours": ("cycle",),  # undone on the way back; but right colours are swapped for wrong ones
        "fade": ("cycle",),  # undone on the way back; but what is faded already fades again
        "forget": (),  # nothing comes back
    }


REASONS = {
    "copy": "it changes nothing, neither on a journey nor where nothing was to be done",
    "mirror": "two mirrors undo each other, one alone does not leave a picture as it was",
    "swap colours": "the way back undoes the swap, but a picture of the wanted kind is to keep its colours",
    "fade": "the way back undoes the fading, but there() fades what is of the second kind already",
    "forget": "a flat grey holds nothing to come back from",
}


def judge_zero_losses(answer: Any) -> str | None:
    """Judge a dictionary from each of ``TRANSLATORS`` to the losses that are 0 for it."""
    if not isinstance(answer, dict):
        return f"a dictionary is asked for, from a translator's name to a tuple of losses, got {type(answer).__name__}."
    wanted = solve_zero_losses()
    if set(answer) != set(wanted):
        return f"the dictionary needs one entry for each of {', '.join(wanted)}."
    for name, losses in wanted.items():
        given = (answer[name],) if isinstance(answer[name], str) else answer[name]
        if not isinstance(given, tuple | list | set):
            return f"{name!r} needs a tuple of losses, e.g. ('cycle',) or (), got {type(given).__name__}."
        if unknown := [str(loss) for loss in given if loss not in LOSSES]:
            return f"the losses are called cycle and identity; {name!r} has {', '.join(unknown)}."
        if set(given) != set(losses):
            different = sorted(set(given) ^ set(losses))[0]
            return f"look at the {different} loss of {name!r} again. Think of this: {REASONS[name]}."
    return None


def change(**entries: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the solution with other entries, for typical mistakes."""
    return solve_zero_losses() | entries


ZERO_LOSSES = Exercise(
    "zero_losses",
    judge_zero_losses,
    (
        "Cycle: does back(there(ones)) equal ones? Identity: does there(twos) equal twos, and back(ones) equal ones?",
        "Try it: there, back = exercise.TRANSLATORS['mirror']; ones = twos = torch.rand(2, 3, 8, 8).",
        "Four of the five come back unchanged. Only one of those four leaves alone what needs no change.",
    ),
    solve_zero_losses,
    (
        Mistake(change(mirror=("cycle", "identity")), "identity loss of 'mirror'"),
        Mistake(change(forget=("identity",)), "identity loss of 'forget'"),
        Mistake(change(fade=()), "cycle loss of 'fade'"),
        Mistake(change() | {"swap colours": ("cycle", "identity")}, "identity loss of 'swap colours'"),
        Mistake(change(copy=("identity",)), "cycle loss of 'copy'"),
        Mistake({"copy": ("cycle", "identity")}, "one entry for each of copy, mirror"),
        Mistake(change(mirror=("Cycle",)), "called cycle and identity"),
    ),
    solution_gives_answer=True,
)


def solve_fragility(there: Translator, back: Translator, images: Tensor, noise: Tensor) -> Tensor:
    translated = there(images)
    calm = (back(translated) - images).abs().mean()
    shaken = (back((translated + noise).clamp(-1, 1)) - images).abs().mean()
    return shaken / calm


QUIET = 0.02  # how strongly the cheat below colours its grey


def hide(images: Tensor) -> Tensor:
    """Translate into a grey that remembers its colours in a whisper."""
    grey = make_grey(images)
    return grey + QUIET * (images - grey)


def reveal(images: Tensor) -> Tensor:
    grey = make_grey(images)
    return (grey + (images - grey) / QUIET).clamp(-0.75, 0.75)


def make_fragility_cases() -> list[tuple[Translator, Translator, Tensor, Tensor, str]]:
    images = make_pictures(4, 2)
    noise = 0.05 * torch.randn(images.shape, generator=torch.Generator().manual_seed(3))
    return [
        (
            hide,
            reveal,
            images,
            noise,
            "noise goes onto the translated pictures; what comes back is compared with those that set out",
        ),
        (
            lambda x: (1.3 * x).clamp(-1, 1),
            lambda x: x / 1.2,
            images,
            8 * noise,
            "after the noise, clamp(-1, 1): a picture has no colours beyond black and white",
        ),
        (
            make_grey,
            lambda x: F.avg_pool2d(x, 3, 1, 1),
            images,
            noise * 0,
            "without noise nothing changes: the answer is a ratio, and here it is 1",
        ),
    ]


def judge_fragility(answer: Any) -> str | None:
    """Judge ``fragility(there, back, images, noise)``, by what factor noise worsens the way back."""
    for there, back, images, noise, reason in make_fragility_cases():
        wanted = solve_fragility(there, back, images, noise).item()
        got = call(answer, there, back, images.clone(), noise.clone())
        problem = explain_number(got, wanted, f"fragility under noise of {noise.std().item():.2f}", tolerance=1e-3)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


FRAGILITY = Exercise(
    "fragility",
    judge_fragility,
    (
        "Travel there and back twice: once as it is, once with noise added in between. How much worse is the second?",
        "translated = there(images). Errors: (back(...) - images).abs().mean(), with translated and with noise on it.",
        "(back((translated + noise).clamp(-1, 1)) - images).abs().mean() / (back(translated) - images).abs().mean()",
    ),
    solve_fragility,
    (
        Mistake(
            lambda there, back, images, noise: (
                (back(there((images + noise).clamp(-1, 1))) - images).abs().mean()
                / (back(there(images)) - images).abs().mean()
            ),
            "onto the translated pictures",
        ),
        Mistake(
            lambda there, back, images, noise: (
                (back((there(images) + noise).clamp(-1, 1)) - there(images)).abs().mean()
                / (back(there(images)) - there(images)).abs().mean()
            ),
            "should be",
        ),
        Mistake(
            lambda there, back, images, noise: (
                (back(there(images) + noise) - images).abs().mean() / (back(there(images)) - images).abs().mean()
            ),
            "has no colours beyond",
        ),
        Mistake(
            lambda there, back, images, noise: (
                (back((there(images) + noise).clamp(-1, 1)) - images).abs().mean()
                - (back(there(images)) - images).abs().mean()
            ),
            "should be",
        ),
        Mistake(
            lambda there, back, images, noise: (back((there(images) + noise).clamp(-1, 1)) - images).abs().mean(),
            "got 0.",
        ),
    ),
)

SHEET = Sheet(CYCLE_ERROR, ZERO_LOSSES, FRAGILITY)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
