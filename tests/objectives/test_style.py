"""Gram matrices by hand, distances that are zero for the style itself, and a picture that moves towards a style."""

import pytest
import torch

from cnngen_course.models.stylist import Stylist
from cnngen_course.models.vgg import VGGFeatures
from cnngen_course.objectives.style import (
    STYLE_LAYERS,
    Style,
    Stylising,
    compute_gram,
    compute_roughness,
    compute_style_distance,
    keep_colours,
    mix_styles,
    repaint,
)
from cnngen_course.pretrained import load_vgg


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return load_vgg()


def make_stripes(size: int = 32) -> torch.Tensor:
    return (torch.arange(size) // 2 % 2 * 2.0 - 1).expand(3, size, size).clone()


def test_the_gram_matrix_is_the_mean_product_of_channels() -> None:
    features = torch.rand(2, 3, 4, 5)
    gram = compute_gram(features)
    wanted = sum(torch.outer(features[1, :, y, x], features[1, :, y, x]) for y in range(4) for x in range(5)) / 20
    torch.testing.assert_close(gram[1], wanted)


def test_the_gram_matrix_knows_no_places() -> None:
    features = torch.rand(1, 3, 4, 4)
    shuffled = features.flatten(2)[..., torch.randperm(16)].view_as(features)
    torch.testing.assert_close(compute_gram(features), compute_gram(shuffled))


def test_the_style_distance_does_not_care_how_loud_a_layer_is() -> None:
    one, other = (compute_gram(torch.rand(1, 4, 8, 8)) for _ in range(2))
    torch.testing.assert_close(compute_style_distance(one, other), compute_style_distance(9 * one, 9 * other))


def test_a_picture_has_its_own_style(vgg) -> None:
    stripes, flat = make_stripes(), torch.zeros(3, 32, 32)
    style = Style(vgg, [stripes])
    same, other = (style.compute_distance(vgg(picture[None], STYLE_LAYERS)) for picture in (stripes, flat))
    assert same < 1e-6 < 0.1 < other


def test_repainting_comes_nearer_to_the_style_and_leaves_the_picture_as_it_was(vgg) -> None:
    torch.manual_seed(0)
    image, style = torch.rand(1, 3, 32, 32) * 0.2, Style(vgg, [make_stripes()])
    before = image.clone()
    *_, last = repaint(vgg, image, style, steps=40)
    distances = [style.compute_distance(vgg(picture, STYLE_LAYERS)).item() for picture in (image, last)]
    assert distances[1] < 0.95 * distances[0]
    assert torch.equal(image, before) and last.abs().max() <= 1 and not last.requires_grad


def test_roughness_counts_steps() -> None:
    images = torch.zeros(1, 1, 2, 3)
    images[..., 2] = 1.0  # one step to the right in each of two rows: 2 of 4 pairs
    torch.testing.assert_close(compute_roughness(images), torch.tensor([0.5]))


def test_kept_colours_are_the_colours_of_the_picture() -> None:
    image = torch.tensor([0.2, -0.3, 0.1]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    painted = torch.full_like(image, 0.4)
    kept = keep_colours(painted, image)
    torch.testing.assert_close(kept - kept.mean(dim=1, keepdim=True), image - image.mean(dim=1, keepdim=True))
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    torch.testing.assert_close((weights * kept).sum(dim=1), torch.full((1, 4, 4), 0.4))


def test_the_objective_teaches_every_style_and_copying(vgg) -> None:
    torch.manual_seed(1)
    model = Stylist(style_count=3, width=8, depth=1)
    objective = Stylising(vgg, [Style(vgg, [make_stripes()]), Style(vgg, [-make_stripes()])])
    values = objective(model, (torch.rand(12, 3, 16, 16),))
    values["loss"].backward()
    table = model.blocks[0].first.norm.table.weight
    assert (table.grad.abs().sum(dim=1) > 0).all(), "each style, and copying, has its row"
    assert values["style"] > 0 and values["content"] > 0


def test_mixed_styles_lie_between(vgg) -> None:
    stripes, flat = make_stripes(), torch.zeros(3, 32, 32)
    first, second = Style(vgg, [stripes]), Style(vgg, [flat])
    before = first.relu1_2.clone()
    answers = vgg(stripes[None], STYLE_LAYERS)
    distances = [mix_styles(first, second, share).compute_distance(answers).item() for share in (0.0, 0.5, 1.0)]
    assert distances[0] < 1e-6 < distances[1] < distances[2]
    assert torch.equal(first.relu1_2, before), "mixing changes neither"
