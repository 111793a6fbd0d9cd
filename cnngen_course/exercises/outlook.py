"""The exercises of the last lesson: what a flow is trained for, a step along it, and guidance."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_tensor


def solve_target(noise: Tensor, images: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    share = times.view(-1, 1, 1, 1)  # one time a picture: (N, 1, 1, 1)
    return (1 - share) * noise + share * images, images - noise


def make_batches() -> list[tuple[Tensor, Tensor, Tensor, str]]:
    chance = torch.Generator().manual_seed(0)
    noise, images = (torch.randn(4, 1, 4, 4, generator=chance) for _ in range(2))
    still = noise[:1], noise[:1], torch.tensor([0.3])
    return [
        (noise[:1], images[:1], torch.zeros(1), "at time 0 nothing but noise is there"),
        (noise[:1], images[:1], torch.ones(1), "at time 1 the picture is there"),
        (*still, "where noise and picture are the same, nothing moves"),
        (
            noise,
            images,
            torch.tensor([0.1, 0.4, 0.5, 0.9]),
            "each picture has its own time, and so have all its pixels",
        ),
    ]


def judge_target(answer: Any) -> str | None:
    """Judge ``make_target(noise, images, times)``, the place on the straight line and the velocity there."""
    for noise, images, times, reason in make_batches():
        got = call(answer, noise.clone(), images.clone(), times.clone())
        what = f"make_target for {len(times)} pictures at times {[round(time, 1) for time in times.tolist()]}"
        if not isinstance(got, tuple | list) or len(got) != 2:
            return f"{what} should be two tensors, place and velocity; got {type(got).__name__}."
        for part, wanted, name in zip(got, solve_target(noise, images, times), ("place", "velocity"), strict=True):
            problem = explain_tensor(part, wanted, f"the {name} of {what}")
            if problem:
                said = explain_velocity(part, noise, images, times) if name == "velocity" else None
                return f"{problem} Think of this: {said or reason}."
    return None


def explain_velocity(got: Any, noise: Tensor, images: Tensor, times: Tensor) -> str | None:
    """Return what is wrong with a velocity that is another difference, or None."""
    if not isinstance(got, Tensor) or got.shape != noise.shape:
        return None
    if torch.equal(got, noise - images):
        return "the way goes from noise to picture, so the velocity points to the picture"
    if torch.allclose(got, images - solve_target(noise, images, times)[0], atol=1e-6):
        return "on a straight line the velocity is the same all along, not what is left of the way"
    return None


TARGET = Exercise(
    "make_target",
    judge_target,
    (
        "Look at the formula: how much of the noise is left at time t, and how much of the picture is there?",
        "times is (N,), the pictures are (N, 1, H, W): times.view(-1, 1, 1, 1) gives each picture its own number.",
        "return (1 - share) * noise + share * images, images - noise",
    ),
    solve_target,
    (
        Mistake(lambda noise, images, t: solve_target(images, noise, t), "at time 0 nothing but noise"),
        Mistake(lambda noise, images, t: (solve_target(noise, images, t)[0], noise - images), "points to the picture"),
        Mistake(lambda noise, images, t: ((1 - t) * noise + t * images, images - noise), "its own time"),
        Mistake(lambda noise, images, t: solve_target(noise, images, t)[0], "should be two tensors"),
        Mistake(
            lambda noise, images, t: (
                solve_target(noise, images, t)[0],
                images - solve_target(noise, images, t)[0],
            ),
            "the same all along",
        ),
        Mistake(lambda noise, images, t: (noise + solve_target(0 * noise, images, t)[0], images - noise), "[1.0]"),
    ),
)


def solve_euler(velocity: Callable[[Tensor, float], Tensor], x: Tensor, time: float, length: float) -> Tensor:
    return x + length * velocity(x, time)


def make_winds() -> list[tuple[Callable[[Tensor, float], Tensor], Tensor, float, float, str]]:
    x = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    return [
        (lambda x, time: torch.ones_like(x), x, 0.0, 0.25, "with velocity 1, a step of 0.25 moves by 0.25"),
        (lambda x, time: -x, x, 0.0, 0.5, "the velocity depends on the place: pass x on"),
        (lambda x, time: torch.full_like(x, time), x, 0.4, 0.1, "ask at the time where the step begins"),
        (lambda x, time: x * time, x, 0.5, 0.5, "both place and time are those of the beginning"),
    ]


def judge_euler(answer: Any) -> str | None:
    """Judge ``euler_step(velocity, x, time, length)``, one straight step."""
    for velocity, x, time, length, reason in make_winds():
        before = x.clone()
        got = call(answer, velocity, x, time, length, as_given=True)
        if not torch.equal(x, before):
            return "euler_step changes the x that it is given; return a new tensor."
        what = f"euler_step from time {time:g} with length {length:g}"
        problem = explain_tensor(got, solve_euler(velocity, before, time, length), what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def step_late(velocity: Callable[[Tensor, float], Tensor], x: Tensor, time: float, length: float) -> Tensor:
    """The mistake of asking at the end of the step."""
    return x + length * velocity(x, time + length)


EULER = Exercise(
    "euler_step",
    judge_euler,
    (
        "Way = velocity times time. Which velocity holds here and now?",
        "velocity is a function: velocity(x, time) gives a tensor like x. How far do you go in it?",
        "return x + length * velocity(x, time)",
    ),
    solve_euler,
    (
        Mistake(lambda velocity, x, time, length: x + velocity(x, time), "a step of 0.25 moves by 0.25"),
        Mistake(lambda velocity, x, time, length: x - length * velocity(x, time), "off by 0.5"),
        Mistake(lambda velocity, x, time, length: length * velocity(x, time), "off by 3"),
        Mistake(step_late, "where the step begins"),
        Mistake(lambda velocity, x, time, length: x + length * velocity(torch.ones_like(x), time), "pass x on"),
        Mistake(
            lambda velocity, x, time, length: x + length * velocity(x + length * velocity(x, time), time),
            "off by 0.75",
        ),
        Mistake(lambda velocity, x, time, length: x.add_(length * velocity(x, time)), "return a new tensor"),
    ),
)


def solve_guided(with_class: Tensor, without_class: Tensor, guidance: float) -> Tensor:
    return without_class + guidance * (with_class - without_class)


def judge_guided(answer: Any) -> str | None:
    """Judge ``guided(with_class, without_class, guidance)``, classifier-free guidance."""
    with_class, without_class = torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 1.0]])
    cases = (
        (0.0, "a guidance of 0 ignores the class"),
        (1.0, "a guidance of 1 is the network's own answer for the class"),
        (0.5, "a guidance of 0.5 lies half way between both answers"),
        (3.0, "what the class makes no difference in stays, and the difference grows three times as large"),
    )
    for guidance, reason in cases:
        got = call(answer, with_class, without_class, guidance)
        what = f"guided([3, 1], [1, 1], {guidance:g})"
        problem = explain_tensor(got, solve_guided(with_class, without_class, guidance), what)
        if problem:
            return f"{problem} Think of this: {reason}."
    with_class, without_class = torch.randn(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    got, wanted = call(answer, with_class, without_class, 2.5), solve_guided(with_class, without_class, 2.5)
    return explain_tensor(got, wanted, "guided of two velocities (3, 1, 4, 4) with a guidance of 2.5")


GUIDED = Exercise(
    "guided",
    judge_guided,
    (
        "Which difference does the class make? Write it down, then exaggerate it.",
        "Begin at the answer without a class and add guidance times (with - without).",
        "return without_class + guidance * (with_class - without_class)",
    ),
    solve_guided,
    (
        Mistake(lambda a, b, g: a + g * (a - b), "ignores the class"),
        Mistake(lambda a, b, g: b + g * a, "the network's own answer"),
        Mistake(lambda a, b, g: g * a, "off by 1"),
        Mistake(lambda a, b, g: a if g else b, "half way"),
        Mistake(lambda a, b, g: b + min(g, 1.0) * (a - b), "three times as large"),
        Mistake(lambda a, b, g: b + g**2 * (a - b), "off by 0.5"),
    ),
)

SHEET = Sheet(TARGET, EULER, GUIDED)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
