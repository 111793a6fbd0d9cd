"""Flow matching by hand; samplers against ways that are known; guidance; and a cloud that becomes two."""

import math

import pytest
import torch
from torch import Tensor, nn

from cnngen_course.models.denoiser import Denoiser, PointDenoiser
from cnngen_course.objectives.flow import (
    SAMPLERS,
    FlowMatching,
    drop_labels,
    follow,
    guide,
    make_velocity,
    mix,
    sample_images,
    sample_times,
)
from cnngen_course.training import fit


class Echo(nn.Module):
    """Says the same velocity everywhere and keeps what it was asked."""

    class_count = 3

    def __init__(self, said: float = 0.0) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor(said))
        self.asked: list[tuple[Tensor, Tensor, Tensor | None]] = []

    def forward(self, x: Tensor, times: Tensor, labels: Tensor | None = None) -> Tensor:
        self.asked.append((x, times, labels))
        return self.said.expand_as(x)


def test_the_line_leads_from_noise_to_picture() -> None:
    noise, images = torch.randn(2, 3, 1, 4, 4)
    torch.testing.assert_close(mix(noise, images, torch.zeros(3)), noise)
    torch.testing.assert_close(mix(noise, images, torch.ones(3)), images)
    places = mix(noise, images, torch.tensor([0.25, 0.5, 0.75]))
    torch.testing.assert_close(places[0], 0.75 * noise[0] + 0.25 * images[0])
    torch.testing.assert_close(mix(noise[:, 0, 0, :2], images[:, 0, 0, :2], torch.full((3,), 0.5)).shape, (3, 2))


def test_the_loss_by_hand() -> None:
    model, images = Echo(0.5), torch.randn(5, 1, 4, 4)
    torch.manual_seed(3)
    loss = FlowMatching(drop=0)(model, (images, torch.zeros(5, dtype=torch.long)))["loss"]
    torch.manual_seed(3)
    torch.rand(5)  # the labels' chance
    noise, times = torch.randn_like(images), sample_times(5)
    torch.testing.assert_close(loss, (0.5 - (images - noise)).square().mean())
    torch.testing.assert_close(model.asked[0][0], mix(noise, images, times))
    torch.testing.assert_close(model.asked[0][1], times)


def test_a_batch_without_labels_asks_without_labels() -> None:
    model = Echo()
    FlowMatching()(model, (torch.randn(5, 2),))
    assert model.asked[0][2] is None


def test_times_lie_inside_and_mostly_in_the_middle() -> None:
    times = sample_times(20_000, torch.Generator().manual_seed(0))
    assert times.min() > 0 and times.max() < 1
    assert times.mean().item() == pytest.approx(0.5, abs=0.01)
    assert ((times > 0.25) & (times < 0.75)).float().mean() > 0.7  # 0.5 if they were spread evenly


def test_about_a_share_of_the_labels_is_dropped() -> None:
    torch.manual_seed(0)
    labels = torch.arange(10).repeat(1000)
    dropped = drop_labels(labels, 0.1, 10)
    assert (dropped == 10).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(dropped[dropped < 10], labels[dropped < 10])
    assert torch.equal(drop_labels(labels, 0.0, 10), labels) and (drop_labels(labels, 1.0, 10) == 10).all()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_lies_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        FlowMatching(share)


def test_guidance() -> None:
    with_class, without_class = torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0])
    torch.testing.assert_close(guide(with_class, without_class, 0), without_class)
    torch.testing.assert_close(guide(with_class, without_class, 1), with_class)
    torch.testing.assert_close(guide(with_class, without_class, 3), torch.tensor([7.0, 1.0]))


def test_guided_velocity_asks_with_and_without_the_class() -> None:
    torch.manual_seed(0)
    model = PointDenoiser(width=8, class_count=3)
    x, labels = torch.randn(5, 2), torch.tensor([0, 1, 2, 0, 1])
    times = torch.full((5,), 0.4)
    with_class, without_class = model(x, times, labels), model(x, times)
    torch.testing.assert_close(make_velocity(model, labels, 2.5)(x, 0.4), guide(with_class, without_class, 2.5))
    torch.testing.assert_close(make_velocity(model, labels)(x, 0.4), with_class)
    torch.testing.assert_close(make_velocity(model, None, 2.5)(x, 0.4), without_class)


def test_a_guidance_of_1_costs_one_call() -> None:
    model = Echo()
    labels = torch.zeros(5, dtype=torch.long)
    make_velocity(model, labels, 1.0)(torch.randn(5, 2), 0.5)
    make_velocity(model, labels, 2.0)(torch.randn(5, 2), 0.5)
    assert [len(x) for x, _, _ in model.asked] == [5, 10]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_steady_wind_is_followed_exactly(sampler: str) -> None:
    x = torch.randn(3, 2)
    places = list(follow(lambda x, time: torch.full_like(x, 2.0), x, steps=4, sampler=sampler))
    assert len(places) == 5 and torch.equal(places[0], x)
    torch.testing.assert_close(places[-1], x + 2)
    torch.testing.assert_close(places[1], x + 0.5)


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_falls_with_the_samplers_order(sampler: str, order: int) -> None:
    """dx/dt = x·cos t has the solution x·e^sin(t): half the step, half the error, or a quarter."""
    start = torch.ones(1, 1, dtype=torch.float64)

    def measure_error(steps: int) -> float:
        *_, end = follow(lambda x, time: x * math.cos(time), start, steps, sampler)
        return abs(end.item() - math.exp(math.sin(1)))

    assert measure_error(32) / measure_error(64) == pytest.approx(2**order, rel=0.1)


def test_the_way_needs_a_sampler_and_a_step() -> None:
    for settings in ({"sampler": "runge"}, {"steps": 0}):
        with pytest.raises(ValueError, match=r"euler, midpoint, heun|at least one step"):
            list(follow(lambda x, time: x, torch.zeros(1, 2), **settings))


def test_pictures_repeat_with_their_seed_and_lie_in_the_range() -> None:
    torch.manual_seed(0)
    model = Denoiser(width=8, depth=1, class_count=3).train()
    labels = torch.tensor([0, 1, 2, 3, 0])
    settings = {"steps": 2, "guidance": 2.0, "batch_size": 2}
    first, again = (sample_images(model, labels, generator=torch.Generator().manual_seed(1), **settings) for _ in "ab")
    assert first.shape == (5, 1, 28, 28) and first.abs().max() <= 1
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    whole = sample_images(model, labels, generator=torch.Generator().manual_seed(1), steps=2, guidance=2.0)
    torch.testing.assert_close(first, whole, atol=1e-5, rtol=1e-4)
    assert model.training


def test_sixteen_bits_draw_nearly_the_same() -> None:
    torch.manual_seed(0)
    model = Denoiser(width=8, depth=1, class_count=3)
    labels = torch.tensor([0, 1, 2])
    pair = [
        sample_images(model, labels, steps=2, generator=torch.Generator().manual_seed(1), precision=precision)
        for precision in ("no", "bf16")
    ]
    torch.testing.assert_close(*pair, atol=0.05, rtol=0)


def test_a_cloud_becomes_two() -> None:
    """Points about (-2, 0) are class 0, about (2, 0) class 1: noise flows to the asked one, to both without a class."""
    torch.manual_seed(0)
    labels = torch.arange(512) % 2
    points = 0.2 * torch.randn(512, 2)
    points[:, 0] += 4.0 * labels - 2
    model = PointDenoiser(width=32, class_count=2)
    fit(model, FlowMatching(0.2), [(points, labels)], steps=300, lr=1e-2, progress=False)
    noise = torch.randn(200, 2)
    with torch.no_grad():
        for label, side in ((0, -2.0), (1, 2.0)):
            *_, end = follow(make_velocity(model, torch.full((200,), label)), noise, 20)
            assert (end.mean(dim=0) - torch.tensor([side, 0.0])).abs().max() < 0.3
            assert end.std(dim=0).max() < 0.6
        *_, end = follow(make_velocity(model, None), noise, 20)
    assert 0.3 < (end[:, 0] > 0).float().mean() < 0.7
