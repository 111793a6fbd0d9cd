"""Attacks on a network by changes too small to be seen: each pixel moves by at most ``epsilon``.

An aim says what the attacker wants to grow, given the network's answer: the error of a classifier, the damage in a
repair. ``epsilon`` is in the pictures' own unit, [-1, 1]: one grey level of 255 is ``LEVEL``.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

LEVEL = 1 / 127.5  # one grey level of 255, where pictures lie in [-1, 1]

Aim = Callable[[Tensor], Tensor]  # changed pictures (N, C, H, W) -> a scalar that the attacker wants to be large


def make_aim(model: nn.Module, labels: Tensor, targeted: bool = False) -> Aim:
    """Return the aim to be misnamed: the cross-entropy with the true ``labels``, summed over the pictures.

    With ``targeted`` the labels are what the attacker wants to read, and their cross-entropy shall be small.
    """
    sign = -1.0 if targeted else 1.0
    return lambda images: sign * nn.functional.cross_entropy(model(images), labels, reduction="sum")


def compute_gradient(aim: Aim, images: Tensor) -> Tensor:
    """Return by how much the aim grows with each pixel, the shape of ``images``."""
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(aim(images), images)[0]


def attack_once(aim: Aim, images: Tensor, epsilon: float) -> Tensor:
    """Take one step of ``epsilon`` in every pixel, up or down as the aim grows (FGSM, Goodfellow et al., 2014)."""
    return (images + epsilon * compute_gradient(aim, images).sign()).clamp(-1, 1).detach()


def attack_stepwise(
    aim: Aim,
    images: Tensor,
    epsilon: float,
    steps: int = 10,
    generator: torch.Generator | None = None,
    changeable: Tensor | None = None,
) -> Tensor:
    """Take many small steps, each time back to within ``epsilon`` of the picture (PGD, Madry et al., 2017).

    Args:
        aim: what shall grow.
        images: (N, C, H, W) in [-1, 1].
        epsilon: the most that a pixel may change.
        steps: each goes 2.5 · epsilon / steps, so that every corner can be reached.
        generator: if given, begin at a random place within epsilon.
        changeable: (N, 1, H, W) bool, which pixels the attacker can reach; all by default.
    """
    reach = torch.ones_like(images) if changeable is None else changeable.expand_as(images).to(images)
    start = torch.zeros_like(images) if generator is None else (2 * torch.rand(images.shape, generator=generator) - 1)
    changed = (images + epsilon * reach * start.to(images)).clamp(-1, 1)
    for _ in range(steps):
        step = 2.5 * epsilon / steps * compute_gradient(aim, changed).sign()
        change = (changed + step - images).clamp(-epsilon, epsilon)
        changed = (images + reach * change).clamp(-1, 1)
    return changed.detach()


def add_noise(images: Tensor, epsilon: float, generator: torch.Generator | None = None) -> Tensor:
    """Change every pixel by ``epsilon``, up or down by chance: what an attack must be compared with."""
    signs = torch.randint(0, 2, images.shape, generator=generator) * 2 - 1
    return (images + epsilon * signs.to(images)).clamp(-1, 1)


def quantise(images: Tensor, levels: int) -> Tensor:
    """Round pictures in [-1, 1] to ``levels`` shades of grey; the gradient of rounding is zero."""
    return ((images + 1) / 2 * (levels - 1)).round() / (levels - 1) * 2 - 1


def see_through(images: Tensor, levels: int) -> Tensor:
    """Round as ``quantise`` does, but hand the gradient on as if nothing were rounded (straight-through)."""
    return images + (quantise(images, levels) - images).detach()
