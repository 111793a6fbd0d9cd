"""Filling holes: damage whole pictures on purpose, and ask for what was there."""

import torch
from torch import Tensor, nn

from cnngen_course.objectives.adversarial import Opponent


def compute_hole_error(filled: Tensor, images: Tensor, known: Tensor, power: int = 1) -> Tensor:
    """Return the mean absolute error of the missing pixels alone (``power`` 2: mean squared error), a scalar.

    ``filled`` and ``images`` are (N, C, H, W), ``known`` is (N, 1, H, W) bool. The known pixels are right anyway:
    counted in, they would only dilute the error.
    """
    hole = (~known).to(images.dtype)
    return ((filled - images).abs().pow(power) * hole).sum() / (hole.sum() * images.shape[1]).clamp(min=1)


class Inpainting:
    """The mean error in the hole, and how little a discriminator is taken in, where there is one.

    Args:
        masks: (K, 1, H, W) bool, True where a pixel is known; each picture gets one of them, mirrored at random.
        opponent: sees whole pictures, restored and real.
        weight: of the opponent's part in the loss.
        power: 1 for the absolute error, 2 for the squared error, which is what PSNR measures.
    """

    def __init__(self, masks: Tensor, opponent: Opponent | None = None, weight: float = 0.02, power: int = 1) -> None:
        self.masks, self.opponent, self.weight, self.power = masks, opponent, weight, power

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        images = batch[0]
        known = self._choose(len(images)).to(images.device)
        filled = model(images, known)
        error = compute_hole_error(filled.float(), images, known, self.power)
        if self.opponent is None:
            return {"loss": error}
        values = self.opponent.play(images, filled)
        return values | {"loss": error + self.weight * values["loss"], "error": error.detach()}

    def _choose(self, count: int) -> Tensor:
        chosen = self.masks[torch.randint(len(self.masks), (count,))]
        for dim in (2, 3):
            mirrored = torch.rand(count, 1, 1, 1) < 0.5
            chosen = torch.where(mirrored, chosen.flip(dim), chosen)
        return chosen
