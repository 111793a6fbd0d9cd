"""The variational bound agrees with PyTorch's distributions; gradients pass a draw; draws go where asked."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from cnngen_course.datasets import ImageSet, make_loader, make_shapes
from cnngen_course.models.vae import Condition, ConditionalDecoder, ConditionalVAE, compute_details
from cnngen_course.objectives.variational import (
    PixelError,
    Variational,
    choose_conditions,
    choose_noise,
    compute_class_posterior,
    compute_kl,
    find_alike,
    fit_prior,
    sample_images,
    sample_latents,
)
from cnngen_course.training import fit


@given(seed=st.integers(0, 1000), size=st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_kl_is_that_of_torch(seed: int, size: int) -> None:
    mean, log_variance = 2 * torch.randn(2, 4, size, generator=torch.Generator().manual_seed(seed))
    wanted = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(compute_kl(mean, log_variance), wanted, rtol=1e-4, atol=1e-4)


def test_only_the_standard_normal_is_free() -> None:
    assert compute_kl(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0
    for mean, log_variance in ((0.1, 0.0), (0.0, 0.1), (0.0, -0.1)):
        assert compute_kl(torch.full((1, 3), mean), torch.full((1, 3), log_variance)).item() > 0


def test_draws_have_the_mean_and_the_spread() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, -4.0]])
    draws = sample_latents(mean.expand(20_000, 2), log_variance.expand(20_000, 2))
    torch.testing.assert_close(draws.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(draws.std(dim=0), (0.5 * log_variance[0]).exp(), atol=0.02, rtol=0)


def test_gradients_pass_a_draw() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.full((50_000, 1), 1.5, requires_grad=True), torch.zeros(50_000, 1, requires_grad=True)
    sample_latents(mean, log_variance).square().mean().backward()
    assert mean.grad.sum().item() == pytest.approx(3.0, abs=0.05)  # of mean² + variance: 2·mean
    assert log_variance.grad.sum().item() == pytest.approx(1.0, abs=0.05)  # and exp(log variance)


class Echo(torch.nn.Module):
    """An encoder that is sure of N(0, 1), and a decoder that draws grey: the loss can be worked out by hand."""

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(images), 2), torch.zeros(len(images), 2)

    def decode(self, latents: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(latents), 1, 28, 28)


def test_the_loss_of_a_known_case() -> None:
    images = torch.full((3, 1, 28, 28), 0.5)
    values = Variational(spread=0.5)(Echo(), (images, torch.tensor([0, 1, 2])))
    assert values["loss"].item() == pytest.approx(784 * 0.25 / (2 * 0.25))
    assert values["kl"].item() == 0 and values["error"].item() == values["loss"].item()


@pytest.mark.parametrize("spread", [0.0, -0.1])
def test_a_spread_is_above_zero(spread: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Variational(spread)


def test_the_plain_decoder_learns_the_mean() -> None:
    """Half of the pictures white, half black, one label: the least squared error is grey."""
    torch.manual_seed(0)
    pixels = torch.tensor([0, 255], dtype=torch.uint8).repeat(32)[:, None, None, None].expand(-1, 1, 28, 28)
    model = ConditionalDecoder(Condition(1, [0.5, 0.5], [100.0, 100.0]), width=4)  # deaf to the details
    fit(model, PixelError(), make_loader(ImageSet(pixels, torch.zeros(64, dtype=torch.long), ("square",)), 16),
        steps=60, lr=1e-2, progress=False)  # fmt: skip
    with torch.no_grad():
        assert model(torch.tensor([0]), torch.tensor([[0.5, 0.5]])).mean().abs() < 0.2


@pytest.fixture(scope="module")
def trained() -> tuple[ConditionalVAE, ImageSet]:
    torch.manual_seed(0)
    data = make_shapes(300)
    model = ConditionalVAE(class_count=3, width=4, latent_size=4)
    history = fit(model, Variational(0.3), make_loader(data, 30), steps=80, lr=1e-2, progress=False)
    losses = history.curve("loss", 10)
    assert losses[-1] < 0.5 * losses[9]
    return model, data


def test_the_prior_has_the_mean_and_covariance_of_the_latents(trained) -> None:
    model, data = trained
    fit_prior(model, data.images, data.labels)
    here = data.labels == 1
    details, noise = compute_details(data.images[here]), torch.randn(20_000, 4)
    with torch.inference_mode():
        mean, log_variance = model.encode(data.images[here])
        rows = torch.randint(len(details), (20_000,))
        placed = model.place(noise, torch.full((20_000,), 1), details[rows])
        latents = sample_latents(mean[rows], log_variance[rows])
    torch.testing.assert_close(placed.mean(dim=0), latents.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(placed.T.cov(), latents.T.cov(), atol=0.08, rtol=0.05)


def test_samples_are_the_decoders_pictures(trained) -> None:
    model, _ = trained
    labels, details, noise = torch.tensor([0, 1, 2, 0, 1]), torch.full((5, 2), 0.5), torch.randn(5, 4)
    drawn = sample_images(model, labels, details, noise, batch_size=2)
    with torch.no_grad():
        wanted = model.decode(model.place(noise, labels, details), labels, details)
    torch.testing.assert_close(drawn, wanted, atol=1e-5, rtol=1e-4)
    assert not torch.equal(sample_images(model, labels, details), sample_images(model, labels, details))


def test_a_prior_needs_enough_pictures_of_each_class(trained) -> None:
    model, data = trained
    few = data.select(slice(9))
    with pytest.raises(ValueError, match="needs more than 4 pictures"):
        fit_prior(model, few.images, few.labels)


def test_class_posterior_is_bayes_rule_over_the_gaussians(trained) -> None:
    model, data = trained
    fit_prior(model, data.images, data.labels)
    latents, details = torch.randn(6, 4), compute_details(data.images[:6])
    densities = []
    for label in range(3):
        centre = model.place(torch.zeros(6, 4), torch.full((6,), label), details)
        root = model.root[label]
        gaussians = [MultivariateNormal(mean, scale_tril=root) for mean in centre]
        densities.append(torch.stack([g.log_prob(z) for g, z in zip(gaussians, latents, strict=True)]))
    wanted = torch.stack(densities, dim=1).softmax(dim=1)
    torch.testing.assert_close(compute_class_posterior(model, latents, details), wanted, atol=1e-4, rtol=1e-3)


def test_the_best_of_more_candidates_is_more_surely_of_its_class(trained) -> None:
    model, data = trained
    fit_prior(model, data.images, data.labels)
    labels, details = data.labels, compute_details(data.images)
    sure = []
    for candidates in (1, 4):
        noise = choose_noise(model, labels, details, candidates, torch.Generator().manual_seed(0))
        assert noise.shape == (300, 4)
        posterior = compute_class_posterior(model, model.place(noise, labels, details), details)
        sure.append(posterior.gather(1, labels[:, None]).mean())
    assert sure[1] > sure[0]


def test_there_must_be_a_candidate(trained) -> None:
    model, _ = trained
    with pytest.raises(ValueError, match="candidates=0"):
        choose_noise(model, torch.tensor([0]), torch.full((1, 2), 0.5), candidates=0)


def test_conditions_are_those_of_real_pictures() -> None:
    data = make_shapes(30)
    labels, details = choose_conditions(data, 50, seed=1)
    assert labels.shape == (50,) and details.shape == (50, 2)
    known = {
        (label, *pair)
        for label, pair in zip(data.labels.tolist(), map(tuple, compute_details(data.images).tolist()), strict=True)
    }
    assert {(label, *pair) for label, pair in zip(labels.tolist(), map(tuple, details.tolist()), strict=True)} <= known
    assert torch.equal(choose_conditions(data, 50, seed=1)[0], labels)


def test_alike_pictures_are_alike() -> None:
    data = make_shapes(200)
    size = compute_details(data.images[data.labels == 1])[:, 0].median().item()
    found = compute_details(find_alike(data, 1, size, 1.0, reach=0.1))
    assert 0 < len(found) < (data.labels == 1).sum()
    assert (found[:, 0] - size).abs().max() <= 0.1
