"""Naming the class of a picture that somebody has tampered with: training on attacks made for each batch."""

import torch
from torch import Tensor, nn

from cnngen_course.safety.attacks import add_noise, attack_once, make_aim


class RobustClassification:
    """Cross-entropy on pictures attacked by one step from a random start (Wong et al., 2020).

    Args:
        epsilon: the most that the attack may change a pixel; 0 is ordinary training.
        clean: the share of each batch that is left as it is, which keeps some accuracy on honest pictures.
    """

    def __init__(self, epsilon: float, clean: float = 0.0) -> None:
        self.epsilon, self.clean = epsilon, clean

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        logits = model(self._attack(model, images, labels))  # (N, classes)
        accuracy = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"loss": nn.functional.cross_entropy(logits, labels), "accuracy": accuracy}

    def _attack(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        kept = round(self.clean * len(images))
        if self.epsilon == 0 or kept == len(images):
            return images
        honest, chosen = images[:kept], images[kept:]
        was_training = model.training
        model.eval()  # the attack must not move the statistics of batch norm
        start = chosen + (add_noise(chosen, self.epsilon) - chosen) * torch.rand_like(chosen)
        changed = attack_once(make_aim(model, labels[kept:]), start, 1.25 * self.epsilon)
        changed = chosen + (changed - chosen).clamp(-self.epsilon, self.epsilon)
        model.train(was_training)
        return torch.cat([honest, changed])
