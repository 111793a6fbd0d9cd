"""The AUC is a share of pairs, and an over-fitted network gives its training pictures away."""

import pytest
import torch
from torch import nn

from cnngen_course.safety.privacy import compute_auc, compute_losses, measure_membership


def test_the_auc_counts_pairs() -> None:
    auc = compute_auc(torch.tensor([3.0, 2.0, 1.0]), torch.tensor([2.0, 0.0]))
    assert auc.value == pytest.approx((2 + 1.5 + 1) / 6) and auc.n == 5
    assert compute_auc(torch.ones(3), torch.zeros(4)).value == 1
    assert compute_auc(torch.ones(3), torch.ones(4)).value == 0.5


def test_its_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = torch.Generator().manual_seed(0)
    estimates = [compute_auc(*torch.randn(2, 60, generator=random)) for _ in range(200)]
    assert 0.9 < sum(e.low <= 0.5 <= e.high for e in estimates) / 200 <= 1


def test_nothing_to_compare_is_told() -> None:
    with pytest.raises(ValueError, match="both sides"):
        compute_auc(torch.ones(3), torch.ones(0))


def test_losses_are_one_a_picture() -> None:
    images, labels = torch.randn(7, 1, 4, 4), torch.randint(3, (7,))
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    wanted = nn.functional.cross_entropy(model(images), labels).item()
    assert compute_losses(model, images, labels).mean().item() == pytest.approx(wanted, abs=1e-6)


def test_what_was_learned_by_heart_is_given_away() -> None:
    torch.manual_seed(0)
    seen, new = ((torch.randn(40, 1, 8, 8), torch.randint(4, (40,))) for _ in range(2))
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    before = measure_membership(model, seen, new)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(150):
        nn.functional.cross_entropy(model(seen[0]), seen[1]).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert before.low < 0.5 < before.high and measure_membership(model, seen, new).low > 0.9
