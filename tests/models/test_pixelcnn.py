"""The PixelCNN never looks ahead, sees everything behind, and its memory gives the numbers of the whole pass."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.models.pixelcnn import (
    MaskedConv2d,
    Memory,
    PixelCNN,
    compute_earlier,
    compute_order,
    compute_seen,
    make_block_mask,
)

ORDER = [
    (2 * row + place // 2, 2 * column + place % 2) for row in range(4) for column in range(4) for place in range(4)
]


@pytest.fixture
def model() -> PixelCNN:
    torch.manual_seed(0)
    return PixelCNN(level_count=4, class_count=3, width=8, depth=3, head_width=8, size=8).eval()


@pytest.fixture
def one_hot() -> Tensor:
    levels = torch.randint(4, (2, 8, 8), generator=torch.Generator().manual_seed(0))
    return F.one_hot(levels, 4).movedim(3, 1).float()


@pytest.mark.parametrize("step", [0, 1, 2, 3, 4, 17, 30, 63])
def test_a_pixel_depends_on_all_pixels_before_it_and_on_none_after(model: PixelCNN, one_hot: Tensor, step: int) -> None:
    one_hot.requires_grad_()
    row, column = ORDER[step]
    answer = model.predict(one_hot, torch.tensor([0, 1]))[:, :, row, column].square().sum()
    seen = torch.autograd.grad(answer, one_hot)[0].abs().sum(dim=(0, 1)) > 0
    assert [seen[place].item() for place in ORDER] == [True] * step + [False] * (len(ORDER) - step)


def test_memory_gives_what_the_whole_pass_gives(model: PixelCNN, one_hot: Tensor) -> None:
    labels = torch.tensor([2, 0])
    blocks = F.pixel_unshuffle(one_hot, 2)
    memory, stepwise = Memory(model, labels), torch.zeros_like(one_hot)
    with torch.inference_mode():
        for row in range(4):
            memory.enter_row(row, blocks)
            for column in range(4):
                context = memory.enter_column(row, column, blocks)
                block = blocks[:, :, row : row + 1, column : column + 1]
                stepwise[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = model.answer_blocks(context, block)
        torch.testing.assert_close(stepwise, model.predict(one_hot, labels))


def test_class_changes_the_answer(model: PixelCNN, one_hot: Tensor) -> None:
    levels = one_hot.argmax(dim=1, keepdim=True)
    assert not torch.equal(model(levels, torch.tensor([0, 0])), model(levels, torch.tensor([1, 1])))


def test_masked_convolution_is_a_convolution_with_some_weights_at_zero() -> None:
    layer = MaskedConv2d(2, 3, 3, torch.tensor([1.0, 1, 0]), padding=1)
    images = torch.randn(2, 2, 5, 5)
    expected = F.conv2d(images[:, :, :, :], layer.weight * torch.tensor([1.0, 1, 0]), layer.bias, padding=1)
    torch.testing.assert_close(layer(images), expected)
    assert "mask" not in layer.state_dict()


def test_block_mask_lets_each_pixel_see_those_before_it() -> None:
    mask = make_block_mask(level_count=2, head_width=1)[:, :, 0, 0]
    pixels_seen = mask.unflatten(1, (2, 4)).amax(dim=1)
    assert pixels_seen.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]]


def test_the_order_goes_through_blocks_and_visits_each_pixel_once() -> None:
    order = compute_order(4)
    assert order[:6].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2], [0, 3]]
    assert order[8].tolist() == [2, 0]
    assert len(order.unique(dim=0)) == 16


def test_earlier_pixels_are_those_before_in_the_order() -> None:
    reading = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    assert compute_earlier(reading, (1, 1)).flatten().tolist() == [True] * 4 + [False] * 5
    assert compute_earlier(compute_order(4), (0, 2)).nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_seen_is_what_the_kernel_reaches() -> None:
    kernel = torch.tensor([[[[0.0, 1, 0], [-1, 0, 0], [0, 0, 2]]]])
    seen = compute_seen(lambda x: F.conv2d(x, kernel, padding=1), torch.randn(1, 1, 5, 5), (2, 2))
    assert seen.nonzero().tolist() == [[1, 2], [2, 1], [3, 3]]
