"""Training on attacks: within the limit, on the chosen share, and without moving batch norm's statistics."""

import torch
from torch import nn

from cnngen_course.models.quick_classifier import QuickClassifier
from cnngen_course.safety.robust import RobustClassification

IMAGES = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = torch.arange(8) % 10


def test_without_an_attack_it_is_the_ordinary_loss() -> None:
    model = QuickClassifier().eval()
    values = RobustClassification(0.0)(model, (IMAGES, LABELS))
    torch.testing.assert_close(values["loss"], nn.functional.cross_entropy(model(IMAGES), LABELS))
    assert values["accuracy"] == (model(IMAGES).argmax(dim=1) == LABELS).float().mean()


def test_attacked_pictures_stay_within_the_limit_and_cost_more() -> None:
    torch.manual_seed(0)
    model = QuickClassifier().train()
    objective = RobustClassification(0.1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    changed = objective._attack(model, IMAGES, LABELS)
    assert (changed - IMAGES).abs().max() <= 0.1 + 1e-6 and changed.abs().max() <= 1 + 1e-6
    assert model.training and all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(model.eval()(images), LABELS) for images in (IMAGES, changed)]
    assert losses[1] > losses[0]


def test_a_share_is_left_honest() -> None:
    changed = RobustClassification(0.1, clean=0.5)._attack(QuickClassifier(), IMAGES, LABELS)
    assert torch.equal(changed[:4], IMAGES[:4]) and not torch.equal(changed[4:], IMAGES[4:])
