"""Drawing what was asked for: colours and edges of a known picture."""

from torch import Tensor, nn

from cnngen_course.images import compute_step


class Drawing:
    """Mean squared error of the pixels, and mean absolute error of the steps from each pixel to the next.

    The second half is what keeps lines sharp: a soft edge is nearly right in each pixel, and wrong in its step. It is
    not squared, so that one large step costs no more than many small ones.

    Args:
        edges: weight of the steps, right and down.
    """

    def __init__(self, edges: float = 0.5) -> None:
        self.edges = edges

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, things, styles = batch
        error = model(things, styles).float() - images
        pixels = error.square().mean()
        return {"loss": pixels + self.edges * compute_step(error), "l1": error.abs().mean().detach()}
