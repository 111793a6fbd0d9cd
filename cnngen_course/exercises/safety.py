"""The exercises of the lesson on safety: an attack in three lines, a defence that only looks like one, a threshold."""

from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number, explain_tensor
from cnngen_course.safety.attacks import quantise


def solve_fgsm(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    images = images.clone().requires_grad_()
    F.cross_entropy(model(images), labels).backward()
    return (images + epsilon * images.grad.sign()).clamp(-1, 1).detach()


def make_toy() -> tuple[nn.Module, Tensor, Tensor]:
    """A small network with pictures that touch both ends of [-1, 1], and their labels."""
    chance = torch.Generator().manual_seed(3)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3))
    for weight in model.parameters():
        weight.data = torch.randn(weight.shape, generator=chance)
    images = (3 * torch.rand(5, 1, 6, 6, generator=chance) - 1.5).clamp(-1, 1)
    return model, images, torch.tensor([0, 1, 2, 1, 0])


def judge_fgsm(answer: Any) -> str | None:
    """Judge ``fgsm(model, images, labels, epsilon)``, one step of the fast gradient sign method."""
    for epsilon in (0.1, 0.02):
        model, images, labels = make_toy()
        wanted = solve_fgsm(model, images, labels, epsilon)
        given = images.clone()
        got = call(answer, make_toy()[0], given, labels.clone(), epsilon, as_given=True)
        if not torch.equal(given.detach(), images):
            return "fgsm changes the pictures that it is given; return new ones."
        what = f"fgsm with epsilon = {epsilon}"
        problem = explain_tensor(got, wanted, what)
        if problem:
            return explain_step(got, images, labels, model, epsilon) or problem
    return None


def explain_step(got: Any, images: Tensor, labels: Tensor, model: nn.Module, epsilon: float) -> str | None:
    """Name what is wrong with a step of the right shape."""
    if not isinstance(got, Tensor) or got.shape != images.shape or not torch.isfinite(got).all():
        return None
    if got.abs().max() > 1 + 1e-6:
        return "some pixels leave [-1, 1], so the picture could not be saved: clamp them."
    if got.min() >= 0 and images.min() < 0:
        return "nothing below 0 is left: pictures lie in [-1, 1], so clamp to -1 and 1."
    inner = images.abs() < 1 - epsilon
    moved = (got - images)[inner].abs()
    if moved.max() < 1e-6:
        return "no pixel has moved."
    if (moved - epsilon).abs().max() > 1e-4:
        return f"every pixel should move by exactly {epsilon}, up or down: take the sign of the gradient."
    with torch.no_grad():
        before, after = (F.cross_entropy(model(pictures), labels) for pictures in (images, got))
    if after < before:
        return "your step makes the loss smaller: the attacker goes up, with the gradient, not against it."
    return None


def step_down(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """The mistake of going the way that training goes."""
    return (2 * images - step_freely(model, images, labels, epsilon)).clamp(-1, 1)


def step_freely(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """The mistake of forgetting that a picture ends at -1 and 1."""
    return images + epsilon * compute_slope(model, images, labels).sign()


def step_by_size(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """The mistake of moving by the gradient itself."""
    return (images + epsilon * compute_slope(model, images, labels)).clamp(-1, 1)


def compute_slope(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    images = images.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(images), labels), images)[0]


FGSM = Exercise(
    "fgsm",
    judge_fgsm,
    (
        "Ask for the gradient of the loss with respect to the pictures, not to the weights.",
        "images = images.clone().requires_grad_(), then nn.functional.cross_entropy(model(images), labels).backward().",
        "return (images + epsilon * images.grad.sign()).clamp(-1, 1).detach()",
    ),
    solve_fgsm,
    (
        Mistake(step_down, "makes the loss smaller"),
        Mistake(step_freely, "leave [-1, 1]"),
        Mistake(
            lambda model, images, labels, epsilon: step_freely(model, images, labels, epsilon).clamp(0, 1), "below 0"
        ),
        Mistake(step_by_size, "take the sign"),
        Mistake(lambda model, images, labels, epsilon: images, "no pixel has moved"),
    ),
)


def solve_pass_through(images: Tensor, levels: int) -> Tensor:
    return images + (quantise(images, levels) - images).detach()


def judge_pass_through(answer: Any) -> str | None:
    """Judge ``pass_through(images, levels)``, rounded values with a gradient of 1."""
    for levels in (2, 4, 9):
        images = torch.linspace(-1, 1, 23).view(1, 1, 1, 23).requires_grad_()
        got = call(answer, images, levels)
        what = f"pass_through for {levels} shades"
        problem = explain_tensor(got, quantise(images.detach(), levels), what, 1e-5)
        if problem:
            same = isinstance(got, Tensor) and got.shape == images.shape and torch.allclose(got, images, atol=1e-5)
            return (
                "the pictures are not rounded at all; they must come out as quantise gives them." if same else problem
            )
        if not got.requires_grad:
            return "no gradient comes back at all: images itself must be part of the sum, not detached."
        slope = torch.autograd.grad(got.sum(), images, allow_unused=True)[0]
        if slope is None or slope.abs().max() == 0:
            return "the gradient is zero, as for quantise itself: the rounding must be hidden behind detach()."
        if (slope - 1).abs().max() > 1e-4:
            return f"the gradient of each pixel should be 1, got {slope.flatten()[0]:g}."
    return None


PASS_THROUGH = Exercise(
    "pass_through",
    judge_pass_through,
    (
        "You want one value going forward, and another function's gradient going back.",
        "x.detach() has the value of x and no gradient. Which sum has the rounded value, and the gradient of images?",
        "images + (attacks.quantise(images, levels) - images).detach()",
    ),
    solve_pass_through,
    (
        Mistake(lambda images, levels: quantise(images, levels) + 0 * images, "as for quantise itself"),
        Mistake(lambda images, levels: quantise(images, levels).detach(), "no gradient comes back"),
        Mistake(lambda images, levels: images + 0.0, "not rounded at all"),
        Mistake(lambda images, levels: 2 * images + (quantise(images, levels) - 2 * images).detach(), "should be 1"),
        Mistake(lambda images, levels: images + quantise(images, levels).detach(), "has the right shape but"),
    ),
)


def solve_threshold(false_alarms: float, looks: int) -> float:
    return NormalDist().inv_cdf(1 - false_alarms / looks)


def judge_threshold(answer: Any) -> str | None:
    """Judge ``threshold(false_alarms, looks)``, the score to pass."""
    for false_alarms, looks in ((0.05, 1), (0.01, 100), (1e-3, 4096), (1e-6, 3 * 4096)):
        wanted = solve_threshold(false_alarms, looks)
        got = call(answer, false_alarms, looks)
        what = f"threshold({false_alarms:g}, {looks})"
        problem = explain_number(got, wanted, what, 0.005)
        if problem:
            return explain_threshold(got, false_alarms, looks) or problem
    return None


def explain_threshold(got: Any, false_alarms: float, looks: int) -> str | None:
    """Name the usual mistakes with a threshold."""
    if isinstance(got, bool) or not isinstance(got, int | float):
        return None
    normal, what = NormalDist(), f"threshold({false_alarms:g}, {looks})"
    if abs(got - normal.inv_cdf(1 - false_alarms / looks / 2)) < 0.005:
        return f"{what} shares the alarms among both ends, but only large scores raise an alarm."
    if looks > 1 and abs(got - normal.inv_cdf(1 - false_alarms)) < 0.005:
        return f"{what} is right for a single look; each of the {looks} looks is another chance for a false alarm."
    if abs(got - (1 - false_alarms / looks)) < 1e-6:
        return f"{what} is a probability so far; asked for is the score that noise passes that rarely: inv_cdf."
    if abs(got + normal.inv_cdf(1 - false_alarms / looks)) < 0.005:
        return f"{what} is at the lower end: nearly all noise lies above it."
    return None


THRESHOLD = Exercise(
    "threshold",
    judge_threshold,
    (
        "With one look: which score does a standard normal number pass in that share of all cases?",
        "With many looks each may only take its part of the alarms: false_alarms / looks.",
        "from statistics import NormalDist; then NormalDist().inv_cdf(1 - false_alarms / looks).",
    ),
    solve_threshold,
    (
        Mistake(lambda false_alarms, looks: NormalDist().inv_cdf(1 - false_alarms), "right for a single look"),
        Mistake(lambda false_alarms, looks: NormalDist().inv_cdf(1 - false_alarms / looks / 2), "both ends"),
        Mistake(lambda false_alarms, looks: 1 - false_alarms / looks, "a probability so far"),
        Mistake(lambda false_alarms, looks: NormalDist().inv_cdf(false_alarms / looks), "at the lower end"),
    ),
)

SHEET = Sheet(FGSM, PASS_THROUGH, THRESHOLD)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
