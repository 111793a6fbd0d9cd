"""All of a picture goes through the code, noise moves the code in training only, and drawings are drawn again."""

import pytest
import torch

from cnngen_course.models.bottleneck import BottleneckTranslator, BottleneckTwoWay, CodeDiscriminator


def make_network(**arguments) -> BottleneckTranslator:
    torch.manual_seed(0)
    return BottleneckTranslator(code_size=6, down=(8, 8, 8, 8), up=(8, 8, 8, 8), **arguments).eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_range(channels: int) -> None:
    network, images = make_network(channels=channels), torch.rand(2, channels, 64, 64)
    codes = network.encode(images)
    assert codes.shape == (2, 6) and codes.abs().max() <= 1
    drawn = network.decode(codes)
    assert drawn.shape == images.shape and drawn.abs().max() <= 1


def test_only_training_moves_the_code() -> None:
    network, images = make_network(noise=0.1), torch.rand(500, 3, 64, 64)
    calm = network.encode(images)
    assert torch.equal(network.encode(images), calm)
    moved = network.train().encode(images) - calm
    assert moved.mean().abs() < 0.01 and 0.095 < moved.std() < 0.105


@torch.no_grad()
def test_a_drawing_is_drawn_again_outside_of_training() -> None:
    network, images = make_network(noise=0, redraws=2), torch.rand(2, 3, 64, 64)

    def draw(pictures: torch.Tensor) -> torch.Tensor:
        return network.decode(network.encode(pictures))

    torch.testing.assert_close(network(images), draw(draw(draw(images))))
    torch.testing.assert_close(network(images, redraws=0), draw(images))
    torch.testing.assert_close(network.train()(images), draw(images))


def test_both_ways_are_separate_networks_and_every_weight_learns() -> None:
    torch.manual_seed(0)
    model = BottleneckTwoWay(code_size=6)
    images = torch.rand(2, 3, 64, 64)
    assert not torch.allclose(model(images), model.back(images))
    model.back(model(images)).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_a_judge_of_codes_gives_one_logit_each() -> None:
    torch.manual_seed(0)
    judge, codes = CodeDiscriminator(code_size=6, width=8), torch.rand(5, 6)
    logits = judge(codes, None)
    assert logits.shape == (5,)
    torch.testing.assert_close(judge(codes[2:3]), logits[2:3])
