"""What a network gives away about the pictures it learned from: was this one among them?"""

from torch import Tensor, nn

from cnngen_course.metrics import Estimate
from cnngen_course.objectives.classification import compute_logits


def compute_losses(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of each picture, (N,): small where the network is sure of the right answer."""
    return nn.functional.cross_entropy(compute_logits(model, images), labels, reduction="none")


def compute_auc(higher: Tensor, lower: Tensor) -> Estimate:
    """Return how often a value of the first set is above one of the second: 0.5 if by chance, 1 if always.

    This is the area under the curve of true against false alarms. Equal values count half; the interval is that of
    Hanley and McNeil (1982).
    """
    if min(len(higher), len(lower)) == 0:
        raise ValueError(f"there must be values on both sides, got {len(higher)} and {len(lower)}")
    from scipy.stats import mannwhitneyu  # here, not above: half a second to import

    won = mannwhitneyu(higher.double(), lower.double(), method="asymptotic").statistic  # of all pairs
    auc = float(won) / (len(higher) * len(lower))
    pairs = (len(higher) - 1) * (auc / (2 - auc) - auc**2), (len(lower) - 1) * (2 * auc**2 / (1 + auc) - auc**2)
    deviation = max(0.0, (auc * (1 - auc) + sum(pairs)) / (len(higher) * len(lower))) ** 0.5
    return Estimate(auc, max(0.0, auc - 1.96 * deviation), min(1.0, auc + 1.96 * deviation), len(higher) + len(lower))


def measure_membership(model: nn.Module, members: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> Estimate:
    """Return how well an attacker tells training pictures from new ones by their loss alone (Yeom et al., 2018).

    ``members`` and ``others`` are images (N, C, H, W) with labels (N,). The value is that of ``compute_auc``.
    """
    return compute_auc(-compute_losses(model, *members), -compute_losses(model, *others))
