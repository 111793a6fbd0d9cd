"""The pool remembers, and the cycle's loss is the sum of its parts."""

import torch

from cnngen_course.models.bottleneck import BottleneckTwoWay, CodeDiscriminator
from cnngen_course.models.unet import PatchDiscriminator, UNetTwoWay
from cnngen_course.objectives.adversarial import Adversarial, Opponent
from cnngen_course.objectives.cycle import Cycle, ImagePool


def test_the_pool_fills_first_and_then_swaps_about_half() -> None:
    torch.manual_seed(0)
    pool = ImagePool(20)
    for step in range(5):
        images = torch.full((4, 1, 2, 2), float(step))
        assert torch.equal(pool.swap(images), images)
    old = 0
    for step in range(100, 200):
        shown = pool.swap(torch.full((4, 1, 2, 2), float(step)))
        old += int((shown[:, 0, 0, 0] < step).sum())
    assert 140 < old < 260
    assert len(pool.pictures) == 20 and pool.pictures.max() > 100


def test_what_the_pool_shows_carries_no_gradient() -> None:
    images = torch.rand(2, 1, 4, 4, requires_grad=True)
    assert not ImagePool(2).swap(images).requires_grad


def test_the_loss_is_the_sum_of_its_parts() -> None:
    torch.manual_seed(0)
    model = UNetTwoWay(3, (8, 16))
    first, second = (Opponent(PatchDiscriminator(3, depth=1), Adversarial("relativistic")) for _ in range(2))
    batch = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    values = Cycle(first, second, cycle=4, identity=2)(model, batch)
    total = values["generator_loss"] + 4 * values["cycle"] + 2 * values["identity"]
    torch.testing.assert_close(values["loss"].detach(), total)
    values["loss"].backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert first.steps == second.steps == 1


def test_identity_can_be_left_out() -> None:
    model = UNetTwoWay(3, (8, 16))
    games = [Opponent(PatchDiscriminator(3, depth=1), Adversarial("hinge")) for _ in range(2)]
    assert "identity" not in Cycle(*games, identity=0)(model, (torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)))


def test_codes_are_judged_each_beside_those_of_the_kind_that_is_drawn() -> None:
    torch.manual_seed(0)
    model = BottleneckTwoWay(code_size=6, noise=0)
    games = [Opponent(PatchDiscriminator(3, depth=1), Adversarial("hinge")) for _ in range(2)]
    judges = tuple(Opponent(CodeDiscriminator(6), Adversarial("hinge")) for _ in range(2))
    asked: list[list[torch.Tensor]] = [[], []]
    for judge, seen in zip(judges, asked, strict=True):
        judge.discriminator.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
    humans, cats = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    values = Cycle(*games, cycle=0, identity=0, judges=judges)(model, (humans, cats))
    for network, own, other, (real, generated, deceiving) in (
        (model.back, humans, cats, asked[0]),
        (model.there, cats, humans, asked[1]),
    ):
        torch.testing.assert_close(real, network.encode(own))
        torch.testing.assert_close(generated, network.encode(other))
        assert not real.requires_grad and not generated.requires_grad, "the judge learns by itself"
        assert deceiving.requires_grad, "and the network learns to deceive it"
    torch.testing.assert_close(values["loss"].detach(), values["generator_loss"] + values["codes"])
    assert judges[0].steps == judges[1].steps == 1
