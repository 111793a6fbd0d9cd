"""The adversarial losses against their formulas, the penalty against calculus, and the flow of gradients."""

import pytest
import torch
from torch import Tensor, nn

from cnngen_course.augmentation import RandomErase, RandomShift
from cnngen_course.models.gan import Discriminator, Generator, NamingDiscriminator, PointGenerator
from cnngen_course.objectives.adversarial import (
    LOSSES,
    Adversarial,
    DifferencePenalty,
    GradientPenalty,
    sample_images,
    sample_latents,
)

REAL = torch.tensor([0.5, -1.0, 3.0])
GENERATED = torch.tensor([-2.0, 0.3, 1.5])
LABELS = torch.zeros(3, dtype=torch.long)


def sigmoid(logits: Tensor) -> Tensor:
    return 1 / (1 + (-logits).exp())


class Given(nn.Module):
    """Answers each picture with its mean times a weight."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.calls = 0

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        self.calls += 1
        return self.weight * images.flatten(1).mean(dim=1)


def to_pictures(logits: Tensor) -> Tensor:
    return logits.view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


FORMULAS = {
    "saturating": (
        -sigmoid(REAL).log().mean() - (1 - sigmoid(GENERATED)).log().mean(),
        (1 - sigmoid(GENERATED)).log().mean(),
    ),
    "non_saturating": (
        -sigmoid(REAL).log().mean() - (1 - sigmoid(GENERATED)).log().mean(),
        -sigmoid(GENERATED).log().mean(),
    ),
    "hinge": (
        (1 - REAL).clamp(min=0).mean() + (1 + GENERATED).clamp(min=0).mean(),
        -GENERATED.mean(),
    ),
    "relativistic": (
        -sigmoid(REAL - GENERATED).log().mean(),
        -sigmoid(GENERATED - REAL).log().mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_is_its_formula(name: str) -> None:
    objective, discriminator = Adversarial(name), Given()
    pictures = to_pictures(REAL), to_pictures(GENERATED)
    first = objective.compute_discriminator_loss(discriminator, *pictures, LABELS)
    second = objective.compute_generator_loss(discriminator, *pictures, LABELS)
    assert first["loss"].item() == pytest.approx(FORMULAS[name][0].item(), rel=1e-5)
    assert first["discriminator_loss"].item() == pytest.approx(first["loss"].item())
    assert second["loss"].item() == pytest.approx(FORMULAS[name][1].item(), rel=1e-5)
    assert discriminator.calls == (4 if LOSSES[name].generator_needs_real else 3)  # no pass for nothing


@pytest.mark.parametrize("name", LOSSES)
def test_the_players_pull_in_opposite_directions(name: str) -> None:
    real, generated = REAL.clone().requires_grad_(), GENERATED.clone().clamp(-0.9, 0.9).requires_grad_()
    LOSSES[name].compute_discriminator_loss(real, generated).backward()
    assert (real.grad <= 0).all() and (generated.grad > 0).all()  # real up, generated down
    generated.grad = None
    LOSSES[name].compute_generator_loss(real.detach(), generated).backward()
    assert (generated.grad < 0).all()


def test_the_saturating_loss_is_flat_where_the_discriminator_is_sure() -> None:
    slopes = {}
    for name in ("saturating", "non_saturating"):
        sure = torch.tensor([-12.0], requires_grad=True)
        LOSSES[name].compute_generator_loss(None, sure).backward()
        slopes[name] = sure.grad.abs().item()
    assert slopes["saturating"] < 1e-4 and slopes["non_saturating"] > 0.99


def test_extreme_logits_stay_numbers() -> None:
    far = torch.tensor([1e4, -1e4])
    for loss in LOSSES.values():
        assert torch.isfinite(loss.compute_discriminator_loss(far, -far))
        assert torch.isfinite(loss.compute_generator_loss(far, -far))


def test_scores() -> None:
    for name in ("saturating", "non_saturating"):
        scores = LOSSES[name].compute_scores(REAL, GENERATED)
        torch.testing.assert_close(torch.stack(scores), torch.stack([sigmoid(REAL).mean(), sigmoid(GENERATED).mean()]))
    scores = LOSSES["relativistic"].compute_scores(REAL, GENERATED)
    assert scores[0].item() == pytest.approx(sigmoid(REAL - GENERATED).mean().item())
    assert sum(scores).item() == pytest.approx(1)
    assert LOSSES["hinge"].compute_scores(REAL, GENERATED)[1].item() == pytest.approx(GENERATED.mean().item())


def test_an_unknown_loss_is_named() -> None:
    with pytest.raises(ValueError, match="unknown loss 'wasserstein': use saturating, non_saturating"):
        Adversarial("wasserstein")


def test_the_slope_of_a_plane_is_known() -> None:
    """D(x) = 3 · mean over 16 pixels has the slope 3/16 in each: 9/16 squared and summed."""
    discriminator, images = Given(3.0), torch.randn(2000, 1, 4, 4)
    labels, logits = torch.zeros(2000, dtype=torch.long), discriminator(images)
    assert GradientPenalty().compute(discriminator, images, labels, logits).item() == pytest.approx(9 / 16)
    assert DifferencePenalty().compute(discriminator, images, labels, logits).item() == pytest.approx(9 / 16, rel=0.1)


def test_the_difference_estimates_the_gradient_of_a_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)).double()

    def judge(images: Tensor, labels: Tensor) -> Tensor:
        return network(images)

    images = torch.randn(3000, 1, 4, 4, dtype=torch.double)
    exact = GradientPenalty().compute(judge, images, LABELS, network(images))
    estimate = DifferencePenalty(sigma=0.02).compute(judge, images, LABELS, network(images).float())
    assert estimate.item() == pytest.approx(exact.item(), rel=0.1)
    for penalty in (exact, estimate):  # both can be minimised
        (slope,) = torch.autograd.grad(penalty, network[1].weight)
        assert slope.abs().sum() > 0


@pytest.mark.parametrize("on_generated", [True, False])
def test_the_penalty_counts_on_its_steps_and_sides(on_generated: bool) -> None:
    objective = Adversarial("hinge", GradientPenalty(weight=0.5, every=3, on_generated=on_generated))
    discriminator, pictures = Given(2.0), (to_pictures(REAL), to_pictures(GENERATED))
    sides = 2 if on_generated else 1
    for step in range(7):
        values = objective.compute_discriminator_loss(discriminator, *pictures, LABELS, step)
        extra = 0.5 * sides * 4 / 16 if step % 3 == 0 else 0.0
        assert (values["loss"] - values["discriminator_loss"]).item() == pytest.approx(extra, abs=1e-5), step


def test_the_discriminators_loss_does_not_reach_the_generator() -> None:
    generator, discriminator = Generator(4, width=2), Discriminator(4)
    real, labels = torch.randn(4, 1, 28, 28).tanh(), torch.arange(4)
    generated = generator(torch.randn(4, 4), labels)
    objective = Adversarial(penalty=DifferencePenalty(), augment=RandomShift(2))
    objective.compute_discriminator_loss(discriminator, real, generated, labels)["loss"].backward()
    assert all(parameter.grad is None for parameter in generator.parameters())
    assert discriminator.head.weight.grad.abs().sum() > 0


def test_each_player_pays_for_wrong_names_of_its_own_pictures() -> None:
    torch.manual_seed(0)
    discriminator, labels = NamingDiscriminator(4, class_count=3), torch.tensor([0, 1, 2, 0])
    real, generated = torch.randn(2, 4, 1, 28, 28)
    plain, naming = Adversarial(), Adversarial(naming=0.5)
    paid = [
        torch.nn.functional.cross_entropy(discriminator.judge(images, labels)[1], labels)
        for images in (real, generated)
    ]
    for method, extra in zip(("compute_discriminator_loss", "compute_generator_loss"), paid, strict=True):
        without = getattr(plain, method)(discriminator, real, generated, labels)
        with_names = getattr(naming, method)(discriminator, real, generated, labels)
        torch.testing.assert_close(with_names["loss"] - without["loss"], 0.5 * extra)
        name = method.removeprefix("compute_")
        torch.testing.assert_close(with_names[name], without[name])  # what is recorded is the game alone


def test_gradients_flow_through_the_augmentation_to_the_generator() -> None:
    """Shifting and erasing copies or covers pixels; what is left carries its gradient back to where it came from."""
    torch.manual_seed(0)
    generated = torch.zeros(64, 1, 8, 8, requires_grad=True)

    def augment(images: Tensor) -> Tensor:
        return RandomErase(3)(RandomShift(1)(images))

    objective = Adversarial("hinge", augment=augment)
    objective.compute_generator_loss(Given(), generated, generated, torch.zeros(64))["loss"].backward()
    slopes = generated.grad.sum(dim=(0, 1))
    assert (slopes < 0).all()
    covered = generated.grad.abs().sum() / 64 * 64  # an unaugmented picture passes on exactly 1 in all
    assert covered.item() < 0.99


def test_both_sides_are_augmented() -> None:
    seen: list[int] = []

    def augment(images: Tensor) -> Tensor:
        seen.append(len(images))
        return images

    objective = Adversarial(augment=augment)
    objective.compute_discriminator_loss(Given(), to_pictures(REAL), to_pictures(GENERATED), LABELS)
    assert seen == [3, 3]
    objective.compute_generator_loss(Given(), to_pictures(REAL), to_pictures(GENERATED), LABELS)
    assert seen == [3, 3, 3, 3]


def test_truncated_latents_keep_within_and_look_normal() -> None:
    random = torch.Generator().manual_seed(0)
    latents = sample_latents(2000, 8, truncation=0.7, generator=random)
    assert latents.shape == (2000, 8) and latents.abs().max() <= 0.7
    assert 0.3 < latents.std().item() < 0.45
    plain = sample_latents(2000, 8, generator=random)
    assert plain.std().item() == pytest.approx(1, abs=0.03) and plain.abs().max() > 2
    with pytest.raises(ValueError, match="above 0"):
        sample_latents(3, 2, truncation=0.0)


@pytest.mark.parametrize("training", [True, False])
def test_samples_depend_on_the_seed_and_not_on_the_batches(training: bool) -> None:
    generator = Generator(4, width=2, class_count=3).train(training)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    labels = torch.arange(3).repeat(3)

    def sample(batch_size: int, seed: int) -> Tensor:
        return sample_images(generator, labels, generator=torch.Generator().manual_seed(seed), batch_size=batch_size)

    torch.testing.assert_close(sample(9, 1), sample(4, 1))
    assert not torch.allclose(sample(9, 1), sample(9, 2))
    assert sample(9, 1).shape == (9, 1, 28, 28) and generator.training is training
    for name, value in generator.state_dict().items():  # also the batch norm's statistics
        assert torch.equal(value, before[name]), name


def test_points_are_sampled_too() -> None:
    assert sample_images(PointGenerator(), torch.zeros(7, dtype=torch.long)).shape == (7, 2)
