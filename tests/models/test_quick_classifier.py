"""The quick classifier answers like any classifier, at a fraction of the places."""

import torch

from cnngen_course.metrics import compute_features
from cnngen_course.models.quick_classifier import QuickClassifier


def test_it_gives_logits_and_features() -> None:
    model = QuickClassifier(class_count=7)
    assert model.eval()(torch.zeros(3, 1, 28, 28)).shape == (3, 7)
    assert compute_features(model, torch.zeros(3, 1, 28, 28)).shape == (3, 64)


def test_its_first_convolution_works_at_half_the_size() -> None:
    sizes = []
    model = QuickClassifier().eval()
    model.body[0].register_forward_hook(lambda layer, inputs, output: sizes.append(tuple(output.shape)))
    model(torch.zeros(1, 1, 28, 28))
    assert sizes == [(1, 16, 14, 14)]
