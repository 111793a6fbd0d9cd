"""Attacks stay within what they may change, go up and not down, and see through what only looks like a defence."""

import pytest
import torch
from torch import nn

from cnngen_course.exercises.safety import make_toy, solve_fgsm
from cnngen_course.safety import attacks


def compute_error(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return nn.functional.cross_entropy(model(images), labels).item()


def test_one_step_is_that_of_the_exercise() -> None:
    model, images, labels = make_toy()
    wanted = solve_fgsm(model, images, labels, 0.1)
    assert torch.equal(attacks.attack_once(attacks.make_aim(model, labels), images, 0.1), wanted)


@pytest.mark.parametrize("epsilon", [0.02, 0.2])
def test_many_steps_do_more_harm_within_the_same_limit(epsilon: float) -> None:
    model, images, labels = make_toy()
    aim = attacks.make_aim(model, labels)
    random = torch.Generator().manual_seed(0)
    once = attacks.attack_once(aim, images, epsilon)
    often = attacks.attack_stepwise(aim, images, epsilon, steps=20, generator=random)
    assert (often - images).abs().max() <= epsilon + 1e-6 and often.abs().max() <= 1
    errors = [compute_error(model, pictures, labels) for pictures in (images, once, often)]
    assert errors[0] < errors[1] and errors[0] < errors[2] and errors[2] > 0.95 * errors[1]
    assert not often.requires_grad and all(weight.grad is None for weight in model.parameters())


def test_a_target_is_approached() -> None:
    model, images, _ = make_toy()
    target = torch.full((len(images),), 2)
    changed = attacks.attack_stepwise(attacks.make_aim(model, target, targeted=True), images, 0.3)
    assert compute_error(model, changed, target) < compute_error(model, images, target)


def test_only_what_can_be_reached_is_changed() -> None:
    model, images, labels = make_toy()
    reach = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(1)) < 0.5
    aim = attacks.make_aim(model, labels)
    changed = attacks.attack_stepwise(aim, images, 0.1, generator=torch.Generator().manual_seed(2), changeable=reach)
    assert torch.equal(changed[~reach], images[~reach]) and not torch.equal(changed[reach], images[reach])


def test_noise_is_of_the_same_size() -> None:
    images = torch.zeros(2, 1, 8, 8)
    noise = attacks.add_noise(images, 0.25, torch.Generator().manual_seed(0))
    assert noise.unique().tolist() == [-0.25, 0.25]


def test_rounding_has_few_shades_and_no_gradient_but_can_be_seen_through() -> None:
    images = torch.linspace(-1, 1, 50, requires_grad=True)
    torch.testing.assert_close(attacks.quantise(images, 3).unique(), torch.tensor([-1.0, 0.0, 1.0]))
    assert torch.autograd.grad(attacks.quantise(images, 4).sum(), images)[0].abs().max() == 0
    seen = attacks.see_through(images, 4)
    torch.testing.assert_close(seen, attacks.quantise(images, 4))
    assert torch.equal(torch.autograd.grad(seen.sum(), images)[0], torch.ones(50))
