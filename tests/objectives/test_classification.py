"""Cross-entropy and accuracy, against their formulas."""

import math

import pytest
import torch
from torch import Tensor, nn

from cnngen_course.objectives.classification import Classification, compute_accuracy, compute_logits


class Given(nn.Module):
    """Answers each picture with logits that are written into its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        self.modes.append(self.training)
        return self.scale * images.flatten(1)


LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 3.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
IMAGES = LOGITS.view(4, 1, 1, 3)
LABELS = torch.tensor([0, 2, 1, 1])  # the third is wrong


def test_the_loss_is_minus_the_log_of_the_labels_probability() -> None:
    values = Classification()(Given(), (IMAGES, LABELS))
    expected = -sum(math.log(LOGITS[i].softmax(0)[label]) for i, label in enumerate(LABELS)) / 4
    assert values["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert values["accuracy"].item() == 0.75
    assert not values["accuracy"].requires_grad and values["loss"].requires_grad


def test_smoothing_punishes_certainty() -> None:
    sure, right = 30 * torch.eye(3).view(3, 1, 1, 3), torch.arange(3)
    plain = Classification()(Given(), (sure, right))["loss"]
    smooth = Classification(label_smoothing=0.1)(Given(), (sure, right))["loss"]
    assert plain < 1e-6
    assert smooth.item() == pytest.approx(30 * 0.1 * 2 / 3, rel=1e-4)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 100])
def test_accuracy_does_not_depend_on_the_batches(batch_size: int) -> None:
    assert compute_accuracy(Given(), IMAGES, LABELS, batch_size) == 0.75


@pytest.mark.parametrize("training", [True, False])
def test_measuring_happens_in_evaluation_mode_and_leaves_the_model_as_it_was(training: bool) -> None:
    model = Given().train(training)
    torch.testing.assert_close(compute_logits(model, IMAGES, 2), LOGITS)
    assert model.modes == [False, False]
    assert model.training is training
