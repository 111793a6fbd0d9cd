"""Flow matching: learn which way noise must move to become a picture, then follow that way in small steps.

Time runs from 0, pure noise, to 1, a picture. Between them lies a straight line, x(t) = (1 - t)·noise + t·picture,
whose velocity is picture - noise everywhere. A network is shown x(t), t and the class, and is trained to name that
velocity (Lipman et al., 2023; Liu et al., 2023). Many lines cross at a place, so what it learns is their mean there.
Everything here works for pictures (N, C, H, W) and for points (N, 2) alike.
"""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn

Velocity = Callable[[Tensor, float], Tensor]  # places (N, ...) and one time -> velocities (N, ...)


class FlowMatching:
    """Mean squared error between the network's velocity and that of the straight line.

    Args:
        drop: share of labels that are replaced by "no class", so that the network learns to draw without one too;
            guidance needs both (Ho and Salimans, 2022).
    """

    def __init__(self, drop: float = 0.1) -> None:
        if not 0 <= drop <= 1:
            raise ValueError(f"drop is a share between 0 and 1, got {drop}")
        self.drop = drop

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The batch is pictures alone, or pictures and labels."""
        images = batch[0]
        labels = drop_labels(batch[1], self.drop, count_classes(model)) if len(batch) > 1 else None
        noise, times = torch.randn_like(images), sample_times(len(images)).to(images)
        said = model(mix(noise, images, times), times, labels)
        return {"loss": nn.functional.mse_loss(said.float(), images - noise)}


def count_classes(model: nn.Module) -> int:
    """Return how many classes the network knows, also when Accelerate has wrapped it for several processes."""
    return cast(int, getattr(model, "module", model).class_count)


def mix(noise: Tensor, images: Tensor, times: Tensor) -> Tensor:
    """Return the places on the straight lines, (1 - t)·noise + t·images: (N, ...), (N, ...), times (N,)."""
    times = times.view(-1, *[1] * (images.ndim - 1))  # (N, 1, 1, 1) for pictures
    return (1 - times) * noise + times * images


def sample_times(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw times in (0, 1), most of them near the middle, where the way is decided: σ(z), z ~ N(0, 1).

    Near 0 the best answer is "towards the mean picture", near 1 nearly all is seen: the middle deserves the
    practice (Esser et al., 2024).
    """
    return torch.randn(count, generator=generator).sigmoid()


def drop_labels(labels: Tensor, share: float, class_count: int) -> Tensor:
    """Replace about this share of the labels by ``class_count``, the label that means "no class"."""
    dropped = torch.rand(len(labels)).to(labels.device) < share
    return labels.masked_fill(dropped, class_count)


def guide(with_class: Tensor, without_class: Tensor, guidance: float) -> Tensor:
    """Return the velocity moved away from "any picture" towards the class: v₀ + guidance·(v - v₀).

    0 ignores the class, 1 is the network's own answer, more exaggerates what the class makes a difference in.
    """
    return without_class + guidance * (with_class - without_class)


def make_velocity(model: nn.Module, labels: Tensor | None, guidance: float = 1.0) -> Velocity:
    """Return the function that a sampler follows: places and one time in, velocities out.

    With a guidance of 1 the network is asked once a step; with another one twice, with the class and without.
    """

    def compute_velocity(x: Tensor, time: float) -> Tensor:
        times = torch.full((len(x),), time, device=x.device)
        if labels is None or guidance == 1:
            return model(x, times, labels).float()
        twice = torch.cat([labels, torch.full_like(labels, count_classes(model))])
        both = model(torch.cat([x, x]), torch.cat([times, times]), twice).float()
        with_class, without_class = both.chunk(2)
        return guide(with_class, without_class, guidance)

    return compute_velocity


def step_euler(velocity: Velocity, x: Tensor, time: float, length: float) -> Tensor:
    """Go straight on from here for ``length``: asks once a step."""
    return x + length * velocity(x, time)


def step_midpoint(velocity: Velocity, x: Tensor, time: float, length: float) -> Tensor:
    """Go half the way, look again, and take the whole step in that direction: asks twice a step."""
    half = x + length / 2 * velocity(x, time)
    return x + length * velocity(half, time + length / 2)


def step_heun(velocity: Velocity, x: Tensor, time: float, length: float) -> Tensor:
    """Take the step, look again at its end, and go the mean of both directions: asks twice a step.

    The last step is Euler's: no network was trained at time 1 itself (as in Karras et al., 2022).
    """
    here = velocity(x, time)
    if time + length > 1 - 1e-6:
        return x + length * here
    there = velocity(x + length * here, time + length)
    return x + length / 2 * (here + there)


SAMPLERS: dict[str, Callable[[Velocity, Tensor, float, float], Tensor]] = {
    "euler": step_euler,
    "midpoint": step_midpoint,
    "heun": step_heun,
}


def follow(velocity: Velocity, noise: Tensor, steps: int = 20, sampler: str = "euler") -> Iterator[Tensor]:
    """Yield the places on the way from noise (time 0) to the end (time 1), both included: ``steps`` + 1 of them.

    Raises:
        ValueError: an unknown sampler, or less than one step.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler {sampler!r}: use {', '.join(SAMPLERS)}")
    if steps < 1:
        raise ValueError(f"the way takes at least one step, got {steps}")
    x = noise
    yield x
    for index in range(steps):
        x = SAMPLERS[sampler](velocity, x, index / steps, 1 / steps)
        yield x


@torch.inference_mode()
def sample_images(
    model: nn.Module,
    labels: Tensor,
    *,
    steps: int = 20,
    guidance: float = 1.0,
    sampler: str = "euler",
    shape: tuple[int, ...] = (1, 28, 28),
    generator: torch.Generator | None = None,
    precision: str = "no",
    batch_size: int = 250,
) -> Tensor:
    """Draw one picture a label in evaluation mode, on the CPU, in [-1, 1]; the model is left as it was.

    Args:
        labels: (N,); the model's ``class_count`` stands for no class.
        steps: from noise to picture.
        guidance: see ``guide``.
        sampler: a name in ``SAMPLERS``.
        shape: of one picture.
        generator: source of the noise; the same seed gives the same pictures.
        precision: "no" (32 bits) or "bf16"; ``runtime.pick_precision()`` knows what pays on this machine.
    """
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    noise = torch.randn(len(labels), *shape, generator=generator)
    images = []
    for some, wanted in zip(noise.split(batch_size), labels.split(batch_size), strict=True):
        velocity = make_velocity(model, wanted.to(device), guidance)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            *_, drawn = follow(velocity, some.to(device), steps, sampler)
        images.append(drawn.clamp(-1, 1).cpu())
    model.train(was_training)
    return torch.cat(images)
