"""Naming the class of a picture."""

import torch
from torch import Tensor, nn


class Classification:
    """Cross-entropy between the predicted probabilities and the label.

    ``label_smoothing`` asks for a little less than certainty, which calibrates the probabilities
    (Szegedy et al., 2015).
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.compute_error = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        logits = model(images)  # (N, classes)
        accuracy = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"loss": self.compute_error(logits, labels), "accuracy": accuracy}


def compute_accuracy(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 500) -> float:
    """Return the share of pictures whose most probable class is the label; the model is left as it was."""
    return (compute_logits(model, images, batch_size).argmax(dim=1) == labels.cpu()).float().mean().item()


@torch.inference_mode()
def compute_logits(model: nn.Module, images: Tensor, batch_size: int = 500) -> Tensor:
    """Return the model's answers (N, classes) on the CPU, measured in evaluation mode; the model is left as it was."""
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    logits = [model(batch.to(device)).cpu() for batch in images.split(batch_size)]
    model.train(was_training)
    return torch.cat(logits)
