"""Every block keeps its promise about shapes; the famous ones do what their papers say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnngen_course.blocks import (
    ACTIVATIONS,
    BLOCKS,
    BottleneckBlock,
    ConvNormAct,
    DenseBlock,
    Downsample,
    ResidualBlock,
    SeparableBlock,
    Upsample,
    VGGBlock,
    count_multiply_adds,
    count_weights,
    make_block,
)
from cnngen_course.operations import compute_receptive_field, count_overlaps

CHANNELS = st.integers(4, 12)


@pytest.mark.parametrize("kind", BLOCKS)
@settings(max_examples=10, deadline=None)
@given(before=CHANNELS, after=CHANNELS, size=st.integers(5, 9))
def test_a_block_changes_channels_and_keeps_the_size(kind: str, before: int, after: int, size: int) -> None:
    y = BLOCKS[kind](before, after)(torch.randn(2, before, size, size))
    assert y.shape == (2, after, size, size)
    assert (y >= 0).all()  # each ends in ReLU


@settings(max_examples=20, deadline=None)
@given(kernel_size=st.sampled_from([1, 3, 5, 7]), stride=st.sampled_from([1, 2]), size=st.integers(2, 6))
def test_conv_norm_act_divides_the_size_by_its_stride(kernel_size: int, stride: int, size: int) -> None:
    y = ConvNormAct(3, 5, kernel_size, stride)(torch.randn(2, 3, 2 * size, 2 * size))
    assert y.shape == (2, 5, 2 * size // stride, 2 * size // stride)


def test_conv_norm_act_is_the_three_layers_in_a_row() -> None:
    block, x = ConvNormAct(2, 3).eval(), torch.randn(1, 2, 6, 6)
    block[1].running_mean.normal_()
    expected = nn.functional.conv2d(x, block[0].weight, padding=1)
    expected = (expected - block[1].running_mean[:, None, None]) / (1 + block[1].eps) ** 0.5
    torch.testing.assert_close(block(x), expected.relu())


def test_two_3x3_see_what_one_5x5_sees_with_fewer_weights() -> None:
    assert compute_receptive_field([(3, 1), (3, 1)]) == compute_receptive_field([(5, 1)]) == 5
    assert count_weights(VGGBlock(16, 16)) < count_weights(ConvNormAct(16, 16, 5))


@pytest.mark.parametrize("kind", [ResidualBlock, BottleneckBlock])
@pytest.mark.parametrize("normalise", [True, False])
def test_a_residual_block_begins_as_the_identity(kind: type[nn.Module], normalise: bool) -> None:
    x = torch.rand(2, 8, 5, 5)
    torch.testing.assert_close(kind(8, 8, normalise=normalise)(x), x)


@pytest.mark.parametrize("kind", [ResidualBlock, BottleneckBlock])
def test_a_residual_block_learns_though_it_begins_as_the_identity(kind: type[nn.Module]) -> None:
    block = kind(4, 6)
    block(torch.rand(2, 4, 5, 5)).square().sum().backward()
    assert block.shortcut.weight.grad.abs().sum() > 0
    assert block.correction[-1].weight.grad.abs().sum() > 0


def test_a_dense_layer_sees_all_layers_before_it() -> None:
    block = DenseBlock(8, 16, layers=3)
    assert [layer[0].in_channels for layer in block.layers] == [8, 12, 16]
    assert block.gather[0].in_channels == 20


def test_downsample_halves() -> None:
    assert Downsample(3, 7)(torch.randn(2, 3, 14, 14)).shape == (2, 7, 7, 7)


@pytest.mark.parametrize("kind", ["nearest", "bilinear", "transposed", "shuffle"])
def test_upsample_doubles(kind: str) -> None:
    assert Upsample(3, 5, kind)(torch.randn(2, 3, 7, 7)).shape == (2, 5, 14, 14)


def test_the_transposed_kind_stamps_evenly() -> None:
    layer = Upsample(1, 1, "transposed")[0]
    inner = count_overlaps(6, layer.kernel_size[0], layer.stride[0])[3:-3, 3:-3]
    assert inner.unique().tolist() == [4]


def test_an_unknown_kind_of_upsampling_is_named() -> None:
    with pytest.raises(ValueError, match="unknown kind of upsampling 'cubic'"):
        Upsample(3, 5, "cubic")


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_blocks_take_an_activation_and_can_do_without_normalisation(kind: str, name: str) -> None:
    block = make_block(kind, 4, 8, activation=name, normalise=False)
    layers = list(block.modules())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
    wanted = type(ACTIVATIONS[name]())
    assert any(isinstance(layer, wanted) for layer in layers)
    assert name == "relu" or not any(isinstance(layer, nn.ReLU) for layer in layers)
    assert block(torch.randn(2, 4, 6, 6)).shape == (2, 8, 6, 6)


def test_without_normalisation_a_convolution_has_a_bias() -> None:
    assert ConvNormAct(2, 3)[0].bias is None and ConvNormAct(2, 3, normalise=False)[0].bias is not None


def test_bottleneck_and_separable_blocks_save_weights() -> None:
    counts = [count_weights(kind(32, 32)) for kind in (BottleneckBlock, SeparableBlock, ResidualBlock)]
    assert counts[0] < counts[1] < counts[2] / 5


def test_a_separable_block_filters_each_channel_by_itself() -> None:
    first = SeparableBlock(6, 8)[0][0]
    assert first.groups == 6 and first.weight.shape == (6, 1, 3, 3)


def test_unknown_blocks_and_activations_are_named() -> None:
    with pytest.raises(ValueError, match="unknown block 'cube'"):
        make_block("cube", 2, 2)
    with pytest.raises(ValueError, match="unknown activation 'wavy'"):
        ConvNormAct(2, 2, activation="wavy")


def test_multiply_adds_are_those_of_the_layers() -> None:
    grouped = nn.Conv2d(4, 2, 1, groups=2)
    network = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), grouped, nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 7))
    assert count_multiply_adds(network, torch.zeros(1, 2, 6, 6)) == 36 * (9 * 2 * 4 + 2 * 2) + 72 * 7
    assert network.training
    assert count_weights(grouped) == 2 * 2 + 2
