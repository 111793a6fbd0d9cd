"""Drawing what was asked for: colours and edges of a known picture."""

from torch import Tensor, nn


class Drawing:
    """Mean absolute error of the pixels, and of the steps from each pixel to the next, right and down.

    The second half is what keeps lines sharp: a soft edge is nearly right in each pixel, and wrong in its step.

    Args:
        edges: weight of the steps.
    """

    def __init__(self, edges: float = 1.0) -> None:
        self.edges = edges

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, things, styles = batch
        error = model(things, styles).float() - images
        pixels = error.abs().mean()
        steps = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
        return {"loss": pixels + self.edges * steps, "l1": pixels.detach()}
