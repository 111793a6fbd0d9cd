"""Only the hole counts, and a discriminator inside the objective learns while the model is trained."""

import torch

from cnngen_course.models.unet import Inpainter, PatchDiscriminator
from cnngen_course.objectives.adversarial import Adversarial, Opponent
from cnngen_course.objectives.inpainting import Inpainting, compute_hole_error


def make_masks() -> torch.Tensor:
    masks = torch.ones(3, 1, 16, 16, dtype=torch.bool)
    masks[:, :, 2:6, 3:9] = False
    return masks


def test_the_error_is_the_mean_over_the_hole_alone() -> None:
    images, known = torch.zeros(2, 3, 16, 16), make_masks()[:2]
    filled = torch.full_like(images, 0.5)
    assert compute_hole_error(filled, images, known).item() == 0.5
    assert compute_hole_error(torch.where(known, filled, images), images, known).item() == 0
    assert compute_hole_error(filled, images, torch.ones_like(known)).item() == 0  # no hole, no error, no NaN


def test_masks_are_mirrored_but_keep_their_size() -> None:
    torch.manual_seed(0)
    chosen = Inpainting(make_masks())._choose(64)
    assert ((~chosen).sum(dim=(1, 2, 3)) == 24).all()
    assert len({mask.numpy().tobytes() for mask in chosen}) == 4


def test_without_an_opponent_the_loss_is_the_error() -> None:
    torch.manual_seed(0)
    model, images = Inpainter(1, (8, 16)), torch.rand(4, 1, 16, 16)
    values = Inpainting(make_masks())(model, (images,))
    values["loss"].backward()
    assert set(values) == {"loss"} and 0 < values["loss"] < 2
    assert all(weight.grad is not None for weight in model.parameters())


def test_the_opponent_learns_inside_and_hands_a_gradient_on() -> None:
    torch.manual_seed(0)
    model, judge = Inpainter(1, (8, 16)), PatchDiscriminator(1, depth=1)
    before = [weight.clone() for weight in judge.parameters()]
    objective = Inpainting(make_masks(), Opponent(judge, Adversarial("hinge")), weight=0.1)
    values = objective(model, (torch.rand(4, 1, 16, 16),))
    after_play = [weight.clone() for weight in judge.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, after_play, strict=True))
    values["loss"].backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in judge.parameters())
    torch.testing.assert_close(values["loss"], values["error"] + 0.1 * values["generator_loss"])


def test_an_evaluation_teaches_the_opponent_nothing() -> None:
    judge = PatchDiscriminator(1, depth=1)
    opponent = Opponent(judge, Adversarial("hinge"))
    before = [weight.clone() for weight in judge.parameters()]
    with torch.no_grad():
        Inpainting(make_masks(), opponent)(Inpainter(1, (8, 16)), (torch.rand(4, 1, 16, 16),))
    assert opponent.steps == 0
    assert all(torch.equal(a, b) for a, b in zip(before, judge.parameters(), strict=True))
