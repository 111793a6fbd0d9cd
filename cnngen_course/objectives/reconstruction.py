"""Getting the same picture back: what an autoencoder is trained for."""

from collections.abc import Callable

from torch import Tensor, nn

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared": nn.functional.mse_loss,
    "absolute": nn.functional.l1_loss,
}


class Reconstruction:
    """Mean error a pixel between a picture and the model's copy of it; ``kind`` is "squared" or "absolute"."""

    def __init__(self, kind: str = "squared") -> None:
        self.compute_error = LOSSES[kind]

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, _ = batch
        return {"loss": self.compute_error(model(images), images)}
