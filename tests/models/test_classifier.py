"""The classifier: shapes, what its features mean, and the names that the shipped weights rely on."""

import pytest
import torch

from cnngen_course.blocks import BLOCKS
from cnngen_course.models.classifier import Classifier


@pytest.mark.parametrize("block", BLOCKS)
def test_logits_for_every_block_and_size(block: str) -> None:
    model = Classifier(3, 7, widths=[8, 12], block=block, feature_count=9)
    for size in (28, 20):
        images = torch.randn(2, 3, size, size)
        assert model(images).shape == (2, 7)
        assert model.compute_features(images).shape == (2, 9)


def test_logits_are_a_linear_view_of_the_features() -> None:
    model, images = Classifier().eval(), torch.randn(3, 1, 28, 28)
    torch.testing.assert_close(model.head(model.compute_features(images)), model(images))


def test_each_stage_halves_the_picture_even_at_equal_width() -> None:
    model = Classifier(widths=[8, 8, 12])
    assert model.body(torch.randn(2, 1, 28, 28)).shape == (2, 64, 7, 7)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_depth_is_blocks_a_stage(depth: int) -> None:
    model = Classifier(widths=[4, 8], depth=depth)
    assert sum(isinstance(layer, BLOCKS["residual"]) for layer in model.body) == 2 * depth


def test_the_names_of_the_judges_weights_stay() -> None:
    names = set(Classifier(widths=[32, 64, 96], depth=1, block="residual", feature_count=64).state_dict())
    assert {"body.0.0.weight", "body.1.correction.0.0.weight", "body.2.0.weight", "body.5.correction.2.bias"} <= names
    assert {"body.6.0.weight", "body.6.1.running_var", "head.weight", "head.bias"} <= names
    assert len(names) == 62


def test_an_unknown_block_is_named() -> None:
    with pytest.raises(ValueError, match="unknown block 'dens'"):
        Classifier(block="dens")
