"""The two losses, two diagnoses, and a step of the discriminator that leaves the generator alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number
from cnngen_course.experiments.clinic import CASES, FAULTS, SIGNS, find_contradiction, load_run
from cnngen_course.models.gan import PointDiscriminator, PointGenerator


def solve_discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(generated).mean()


def solve_generator_loss(generated: Tensor) -> Tensor:
    return softplus(-generated).mean()


def judge_discriminator_loss(answer: Any) -> str | None:
    """Judge ``discriminator_loss(real, generated)``, one number from the logits of both."""
    real, generated = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-0.5, 1.5, -3.0])
    got = call(answer, real, generated)
    wanted = solve_discriminator_loss(real, generated).item()
    reasons = {
        solve_discriminator_loss(generated, real).item(): "The two are swapped: real pictures should get high logits.",
        wanted / 2: "It is half of what is asked for: add the two means.",
        -wanted: "The sign is turned round: a loss falls as the discriminator gets better.",
        solve_discriminator_loss(real, -generated).item(): 'A generated picture should be called "generated": +logit.',
        3 * wanted: "You added up the batch; take the mean, so that the batch size does not matter.",
    }
    return explain_loss(got, wanted, "discriminator_loss", reasons) or explain_extremes(answer, 2)


def judge_generator_loss(answer: Any) -> str | None:
    """Judge ``generator_loss(generated)``, the non-saturating one."""
    generated = torch.tensor([-0.5, 1.5, -3.0])
    got = call(answer, generated)
    wanted = solve_generator_loss(generated).item()
    reasons = {
        -softplus(generated).mean().item(): "That is the saturating loss: flat where the discriminator is sure.",
        softplus(generated).mean().item(): "This one falls when pictures look generated: turn the logits' sign.",
        -generated.mean().item(): "That is the hinge game's loss, which goes on for ever: put it through softplus.",
        3 * wanted: "You added up the batch; take the mean, so that the batch size does not matter.",
    }
    return explain_loss(got, wanted, "generator_loss", reasons) or explain_extremes(answer, 1)


def explain_loss(got: Any, wanted: float, what: str, reasons: dict[float, str]) -> str | None:
    problem = explain_number(got, wanted, what)
    if problem and isinstance(got, int | float):
        known = [reason for value, reason in reasons.items() if abs(got - value) < 1e-4]
        problem += f" {known[0]}" if known else ""
    if problem and isinstance(got, Tensor) and got.numel() > 1:
        problem += " It should be one number: the mean over the batch."
    return problem


def explain_extremes(answer: Callable[..., Tensor], count: int) -> str | None:
    """A discriminator that is sure gives large logits: the logarithm of its probability must not be infinite."""
    for size in (20.0, 200.0):  # at 20 a sigmoid is rounded to 1 already, at -200 to 0
        logits = (-size, size)[:count]
        got = float(call(answer, *(torch.tensor([logit]) for logit in logits)))
        if not abs(got - size * count) < 1:
            shown = " and ".join(f"{logit:g}" for logit in logits)
            return (
                f"for logits of {shown} the loss is {got:g} instead of {size * count:g}: the logarithm of a sigmoid "
                "that was rounded to 0 or 1. softplus(-logit) is the same value without the detour."
            )
    return None


DISCRIMINATOR_LOSS = Exercise(
    "discriminator_loss",
    judge_discriminator_loss,
    (
        'For a real picture, how probable is it that it is called "real"? The negative logarithm is half the loss.',
        "-log sigmoid(a) is softplus(-a); 1 - sigmoid(a) is sigmoid(-a). So a generated picture gives softplus(+a).",
        "return softplus(-real).mean() + softplus(generated).mean()",
    ),
    solve_discriminator_loss,
    (
        Mistake(lambda real, generated: solve_discriminator_loss(generated, real), "The two are swapped"),
        Mistake(lambda real, generated: solve_discriminator_loss(real, generated) / 2, "half of what is asked"),
        Mistake(lambda real, generated: -solve_discriminator_loss(real, generated), "sign is turned round"),
        Mistake(lambda real, generated: solve_discriminator_loss(real, -generated), 'should be called "generated"'),
        Mistake(lambda real, generated: softplus(-real).sum() + softplus(generated).sum(), "take the mean"),
        Mistake(
            lambda real, generated: -real.sigmoid().log().mean() - (1 - generated.sigmoid()).log().mean(),
            "rounded to 0",
        ),
    ),
)
GENERATOR_LOSS = Exercise(
    "generator_loss",
    judge_generator_loss,
    (
        'The generator wants its pictures to be called "real". Treat them as the discriminator treats real ones.',
        "It minimises -log sigmoid(logit), as a mean over the batch.",
        "return softplus(-generated).mean()",
    ),
    solve_generator_loss,
    (
        Mistake(lambda generated: -softplus(generated).mean(), "the saturating loss"),
        Mistake(lambda generated: softplus(generated).mean(), "turn the logits' sign"),
        Mistake(lambda generated: -generated.mean(), "the hinge game's loss"),
        Mistake(lambda generated: softplus(-generated).sum(), "You added up the batch"),
        Mistake(lambda generated: softplus(-generated), "one number: the mean over the batch"),
        Mistake(lambda generated: -generated.sigmoid().log().mean(), "rounded to 0"),
    ),
)


def make_diagnosis(case: str) -> Exercise:
    """Return the exercise of naming what is wrong with one run of the clinic."""
    right = CASES[case]

    def judge(answer: Any) -> str | None:
        """Judge the name of what is wrong with the run, by what the run shows."""
        if not isinstance(answer, str):
            return f"a diagnosis is a text such as {sorted(SIGNS)[0]!r}, got {type(answer).__name__}."
        name = answer.strip().lower()
        if name not in SIGNS:
            return f"{answer[:40]!r} is not on the list: {', '.join(sorted(SIGNS))}."
        return find_contradiction(load_run(case), name)

    def solve() -> str:
        return right

    def explain() -> list[str]:
        seen = [find_contradiction(load_run(case), name) for name in SIGNS if name != right]
        return [*filter(None, seen), FAULTS[right].symptom]

    return Exercise(
        f"run_{case.lower()}",
        judge,
        (
            "Look at the pictures first: do they change from latent to latent, and from moment to moment?",
            "Then the scores and the gradient at the end: who is sure, and what does the generator get from it?",
            f"What was planted: {FAULTS[right].cause}",
        ),
        solve,
        tuple(Mistake(name, f"With {name},") for name in SIGNS if name != right),
        solution_gives_answer=True,
        explain=explain,
    )


def solve_teach_discriminator(
    generator: PointGenerator,
    discriminator: PointDiscriminator,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
) -> None:
    generated = generator(latents).detach()
    loss = softplus(-discriminator(real)).mean() + softplus(discriminator(generated)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def judge_teach_discriminator(answer: Any) -> str | None:
    """Judge ``teach_discriminator(generator, discriminator, optimizer, real, latents)``, one step of one player."""
    random = torch.Generator().manual_seed(0)
    real, latents = (4 * torch.randn(16, 2, generator=random) for _ in range(2))  # logits of either sign
    generator, discriminator, optimizer = make_players()
    wanted_generator, wanted, wanted_optimizer = make_players()
    for _ in range(2):  # the second step shows gradients that were left behind
        solve_teach_discriminator(wanted_generator, wanted, wanted_optimizer, real, latents)
        call(answer, generator, discriminator, optimizer, real, latents)
        if any(weight.grad is not None and weight.grad.any() for weight in generator.parameters()):
            return (
                "after the discriminator's step the generator's weights hold a gradient, and its own next step would "
                "add to it. Cut the path: generator(latents).detach()."
            )
        if not is_same(generator, wanted_generator):
            return "the generator's weights have changed; it is the discriminator's turn."
    if is_same(discriminator, make_players()[1]):
        return "the discriminator's weights have not changed: loss.backward(), then optimizer.step()."
    if not is_same(discriminator, wanted):
        return (
            "the discriminator moved, but not as its loss asks. Is the loss that of the first exercise, and are the "
            "gradients of the step before cleared with optimizer.zero_grad()?"
        )
    return None


def make_players() -> tuple[PointGenerator, PointDiscriminator, torch.optim.Optimizer]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = PointGenerator(width=8), PointDiscriminator(width=8)
    return generator, discriminator, torch.optim.SGD(discriminator.parameters(), 0.5)


def is_same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def forget_detach(generator: Any, discriminator: Any, optimizer: Any, real: Tensor, latents: Tensor) -> None:
    optimizer.zero_grad()
    solve_discriminator_loss(discriminator(real), discriminator(generator(latents))).backward()
    optimizer.step()


def forget_step(generator: Any, discriminator: Any, optimizer: Any, real: Tensor, latents: Tensor) -> None:
    optimizer.zero_grad()
    solve_discriminator_loss(discriminator(real), discriminator(generator(latents).detach())).backward()


def forget_zero_grad(generator: Any, discriminator: Any, optimizer: Any, real: Tensor, latents: Tensor) -> None:
    solve_discriminator_loss(discriminator(real), discriminator(generator(latents).detach())).backward()
    optimizer.step()


def train_the_generator(generator: Any, discriminator: Any, optimizer: Any, real: Tensor, latents: Tensor) -> None:
    solve_generator_loss(discriminator(generator(latents))).backward()
    with torch.no_grad():
        for weight in generator.parameters():
            weight -= 0.1 * weight.grad
            weight.grad = None


TEACH_DISCRIMINATOR = Exercise(
    "teach_discriminator",
    judge_teach_discriminator,
    (
        "loss.backward() fills in gradients all along the way that a value came. Which way "
        "did the generated points come?",
        "tensor.detach() gives the same numbers without the way they came. Gradients also add up from step to step.",
        "generated = generator(latents).detach(); then the loss of both, optimizer.zero_grad(), "
        "loss.backward(), optimizer.step().",
    ),
    solve_teach_discriminator,
    (
        Mistake(forget_detach, "the generator's weights hold a gradient"),
        Mistake(forget_step, "weights have not changed"),
        Mistake(forget_zero_grad, "cleared with optimizer.zero_grad()"),
        Mistake(train_the_generator, "the discriminator's turn"),
    ),
)

SHEET = Sheet(DISCRIMINATOR_LOSS, GENERATOR_LOSS, make_diagnosis("B"), make_diagnosis("D"), TEACH_DISCRIMINATOR)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
