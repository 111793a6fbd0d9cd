"""Conditions say what they should, bad ones get a sentence, and decoders listen to every part of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnngen_course.models.vae import Condition, ConditionalDecoder, ConditionalVAE, compute_details, compute_sleeves

DETAILS = torch.tensor([[0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])


def make_condition() -> Condition:
    return Condition(4, [0.5, 0.6], [0.1, 0.2])


def make_vae() -> ConditionalVAE:
    torch.manual_seed(0)
    return ConditionalVAE(class_count=4, width=4, latent_size=5).eval()


@given(side=st.integers(0, 28), grey=st.floats(0.1, 1))
@settings(max_examples=20, deadline=None)
def test_details_of_a_square(side: int, grey: float) -> None:
    images = torch.full((1, 1, 28, 28), -1.0)
    images[..., :side, :side] = 2 * grey - 1
    size, brightness = compute_details(images)[0].tolist()
    assert size == pytest.approx(side**2 / 784)
    assert brightness == pytest.approx(grey if side else 0, abs=1e-5)


def test_details_are_shares_whatever_the_picture() -> None:
    images = torch.cat([torch.rand(5, 1, 28, 28) * 2 - 1, torch.full((1, 1, 28, 28), -1.0), torch.ones(1, 1, 28, 28)])
    details = compute_details(images)
    assert details.shape == (7, 2) and (details >= 0).all() and (details <= 1).all()


def test_a_condition_is_one_hot_and_scaled_details() -> None:
    vectors = make_condition()(torch.tensor([2, 0, 3]), DETAILS)
    assert vectors[:, :4].tolist() == [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    torch.testing.assert_close(vectors[:, 4:], torch.tensor([[-2.0, -1.0], [0.0, 0.0], [2.0, 1.0]]))


def test_weights_of_one_class_are_its_label() -> None:
    condition, labels = make_condition(), torch.tensor([2, 0, 3])
    torch.testing.assert_close(condition(torch.eye(4)[labels], DETAILS), condition(labels, DETAILS))


@pytest.mark.parametrize(
    ("classes", "details", "sentence"),
    [
        (torch.tensor([0, 1, 4]), DETAILS, "classes 0 to 3, got 0 to 4"),
        (torch.tensor([-1, 1, 2]), DETAILS, "classes 0 to 3, got -1 to 2"),
        (torch.tensor([0, 1]), DETAILS, "one for each of the N = 3 details"),
        (torch.rand(3, 5), DETAILS, r"weights \(N, 4\)"),
        (torch.tensor([0.0, 1.0, 2.0]), DETAILS, "whole numbers"),
        (torch.eye(4).long()[:3], DETAILS, "whole numbers"),
        (torch.tensor([0, 1, 2]), DETAILS[:, :1], "size and brightness"),
        (torch.tensor([0, 1, 2]), DETAILS + 0.5, r"in \[0, 1\], got 0.8 to 1.3"),
        (torch.tensor([0, 1, 2]), DETAILS * torch.nan, "got nan"),
    ],
)
def test_bad_conditions_get_a_sentence(classes: torch.Tensor, details: torch.Tensor, sentence: str) -> None:
    for draw in (
        ConditionalDecoder(make_condition(), width=4).eval(),
        lambda *c: make_vae().decode(torch.rand(3, 5), *c),
    ):
        with pytest.raises(ValueError, match=sentence):
            draw(classes, details)


def test_shapes_and_range() -> None:
    labels = torch.tensor([0, 1, 2])
    drawn = ConditionalDecoder(make_condition(), width=4).eval()(labels, DETAILS)
    vae, images = make_vae(), torch.rand(3, 1, 28, 28) * 2 - 1
    mean, log_variance = vae.encode(images)
    assert mean.shape == log_variance.shape == (3, 5)
    copies = vae(images, labels, DETAILS)
    assert drawn.shape == copies.shape == images.shape
    assert max(drawn.abs().max(), vae.decode(100 * mean, labels, DETAILS).abs().max()) <= 1
    torch.testing.assert_close(copies, vae.decode(mean, labels, DETAILS))


def test_every_part_of_the_condition_is_heard() -> None:
    vae, latents = make_vae(), torch.rand(1, 5)
    draws = [
        vae.decode(latents, torch.tensor([label]), torch.tensor([details]))
        for label, details in ((0, [0.5, 0.5]), (1, [0.5, 0.5]), (0, [0.6, 0.5]), (0, [0.5, 0.6]))
    ]
    for other in draws[1:]:
        assert (draws[0] - other).abs().max() > 1e-3


def test_before_anything_is_fitted_noise_stays_where_it_is() -> None:
    noise = torch.randn(3, 5)
    torch.testing.assert_close(make_vae().place(noise, torch.tensor([0, 1, 2]), DETAILS), noise)


def test_the_place_of_the_latents_is_stored_with_the_weights() -> None:
    assert {"centre", "root"} <= make_vae().state_dict().keys()


def test_sleeves_are_measured_where_they_hang() -> None:
    images = torch.full((3, 1, 28, 28), -1.0)
    images[1, :, :, 8:20] = 1  # a body
    images[2, :, 12:24, 22:] = 1  # one sleeve
    assert compute_sleeves(images).tolist() == pytest.approx([0, 0, 0.5])
