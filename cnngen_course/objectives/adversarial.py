"""The adversarial game: what a discriminator and a generator are trained for, and how to draw samples.

A discriminator gives each picture a logit, high for "real". Real and generated logits come in pairs, (N,) each.
Below, D(x) is the logit of a real picture, D(G(z)) that of a generated one, σ the sigmoid, and the formulas are
what is minimised, as a mean over the batch. ``softplus(a)`` is -log σ(-a), computed without overflow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from cnngen_course.augmentation import Augmentation


class Loss(Protocol):
    """One way to turn logits into what each player minimises.

    Attributes:
        generator_needs_real: whether the generator's loss looks at the logits of real pictures.
    """

    generator_needs_real: bool

    def compute_discriminator_loss(self, real: Tensor, generated: Tensor) -> Tensor: ...

    def compute_generator_loss(self, real: Tensor | None, generated: Tensor) -> Tensor: ...

    def compute_scores(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]: ...


class Saturating:
    """The game as first written down, a minimax of one value (Goodfellow et al., 2014).

    Discriminator: -log σ(D(x)) - log(1 - σ(D(G(z)))). Generator: log(1 - σ(D(G(z)))), which is flat wherever the
    discriminator is sure, so that a generator that is far behind learns nothing.
    """

    generator_needs_real = False

    def compute_discriminator_loss(self, real: Tensor, generated: Tensor) -> Tensor:
        return softplus(-real).mean() + softplus(generated).mean()

    def compute_generator_loss(self, real: Tensor | None, generated: Tensor) -> Tensor:
        return -softplus(generated).mean()

    def compute_scores(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean probabilities of being real, of the real and of the generated pictures."""
        return real.sigmoid().mean(), generated.sigmoid().mean()


class NonSaturating(Saturating):
    """The same discriminator; the generator makes "real" likely instead of "generated" unlikely.

    Generator: -log σ(D(G(z))), steep where the discriminator is sure (also Goodfellow et al., 2014).
    """

    def compute_generator_loss(self, real: Tensor | None, generated: Tensor) -> Tensor:
        return softplus(-generated).mean()


class Hinge:
    """Logits beyond the margin of 1 count no more (Lim and Ye, 2017; Miyato et al., 2018).

    Discriminator: max(0, 1 - D(x)) + max(0, 1 + D(G(z))). Generator: -D(G(z)).
    """

    generator_needs_real = False

    def compute_discriminator_loss(self, real: Tensor, generated: Tensor) -> Tensor:
        return torch.relu(1 - real).mean() + torch.relu(1 + generated).mean()

    def compute_generator_loss(self, real: Tensor | None, generated: Tensor) -> Tensor:
        return -generated.mean()

    def compute_scores(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean logits: this loss knows no probabilities."""
        return real.mean(), generated.mean()


class Relativistic:
    """Only differences count: is this real picture more real than this generated one? (Jolicoeur-Martineau, 2019).

    Discriminator: -log σ(D(x) - D(G(z))). Generator: -log σ(D(G(z)) - D(x)). With a gradient penalty on both sides
    it converges where other losses circle, and it drops no modes (Huang et al., 2024).
    """

    generator_needs_real = True

    def compute_discriminator_loss(self, real: Tensor, generated: Tensor) -> Tensor:
        return softplus(generated - real).mean()

    def compute_generator_loss(self, real: Tensor | None, generated: Tensor) -> Tensor:
        if real is None:
            raise ValueError("the relativistic loss compares: it needs the logits of real pictures, too")
        return softplus(real - generated).mean()

    def compute_scores(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean probability that the real one of a pair looks more real, and the rest."""
        score = (real - generated).sigmoid().mean()
        return score, 1 - score


LOSSES: dict[str, Loss] = {
    "saturating": Saturating(),
    "non_saturating": NonSaturating(),
    "hinge": Hinge(),
    "relativistic": Relativistic(),
}


@dataclass(frozen=True)
class GradientPenalty:
    """Holds the discriminator's slope down: adds ``weight`` · E‖∇D(x)‖², on real (R1) and generated (R2) pictures.

    Exact, by differentiating twice (Mescheder et al., 2018, whose γ is ``2 · weight``), which costs about as much as
    a step without it.

    Attributes:
        weight: of the squared slope in the loss.
        every: only each so manieth step, with the same weight.
        on_generated: whether generated pictures are penalised too.
    """

    weight: float = 0.1
    every: int = 4
    on_generated: bool = True

    def compute(self, discriminator: nn.Module, images: Tensor, labels: Tensor | None, logits: Tensor) -> Tensor:
        """Return the mean squared slope at the images, a scalar; ``logits`` are not used."""
        images = images.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(discriminator(images, labels).sum(), images, create_graph=True)
        return slopes.float().square().flatten(1).sum(dim=1).mean()


@dataclass(frozen=True)
class DifferencePenalty(GradientPenalty):
    """The same penalty from a finite difference: how much does a little noise change the answer?

    For noise u of standard deviation ``sigma``, E((D(x + u) - D(x)) / sigma)² is E‖∇D(x)‖² as ``sigma`` goes to 0
    (Lin et al., 2025). One more forward pass, nothing to differentiate twice.
    """

    sigma: float = 0.1

    def compute(self, discriminator: nn.Module, images: Tensor, labels: Tensor | None, logits: Tensor) -> Tensor:
        """Return an estimate of the mean squared slope at the images, whose ``logits`` are known, a scalar."""
        moved = images.detach() + self.sigma * torch.randn_like(images)
        return ((discriminator(moved, labels).float() - logits) / self.sigma).square().mean()


@dataclass(frozen=True)
class Adversarial:
    """The objective of both players; networks and loop are elsewhere.

    Attributes:
        loss: a name in ``LOSSES``.
        penalty: on the discriminator's slope, or None.
        augment: changes every picture that the discriminator sees, real or generated, so that it cannot learn the
            real ones by heart (Zhao et al., 2020); gradients flow through it to the generator.
        naming: weight of -log p(class | picture), which the discriminator pays on real and the generator on generated
            pictures; above 0 it needs a discriminator that names classes (``models.gan.NamingDiscriminator``).
    """

    loss: str = "relativistic"
    penalty: GradientPenalty | None = None
    augment: Augmentation | None = None
    naming: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}: use {', '.join(LOSSES)}")

    def compute_discriminator_loss(
        self, discriminator: nn.Module, real: Tensor, generated: Tensor, labels: Tensor | None, step: int = 0
    ) -> dict[str, Tensor]:
        """Return ``{"loss": ..., "discriminator_loss": ..., "score_real": ..., "score_generated": ...}``.

        ``loss`` is what to minimise; ``discriminator_loss`` is the game alone, without penalty and naming. The penalty
        is part of it when ``step`` is a multiple of its ``every``. No gradient reaches what ``generated`` came from.
        """
        game = LOSSES[self.loss]
        real, generated = self._show(real), self._show(generated.detach())
        real_logits, named = self._ask(discriminator, real, labels)
        logits = real_logits, discriminator(generated, labels).float()
        plain = game.compute_discriminator_loss(*logits)
        loss = plain + self.naming * named
        if self.penalty and step % self.penalty.every == 0:
            slope = self.penalty.compute(discriminator, real, labels, logits[0])
            if self.penalty.on_generated:
                slope = slope + self.penalty.compute(discriminator, generated, labels, logits[1])
            loss = loss + self.penalty.weight * slope
        scores = game.compute_scores(*(values.detach() for values in logits))
        return {
            "loss": loss,
            "discriminator_loss": plain.detach(),
            "score_real": scores[0],
            "score_generated": scores[1],
        }

    def compute_generator_loss(
        self, discriminator: nn.Module, real: Tensor, generated: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        """Return ``{"loss": ..., "generator_loss": ...}``: what to minimise, and the same without the naming."""
        game = LOSSES[self.loss]
        logits, named = self._ask(discriminator, self._show(generated), labels)
        reference = None
        if game.generator_needs_real:
            with torch.no_grad():
                reference = discriminator(self._show(real), labels).float()
        loss = game.compute_generator_loss(reference, logits)
        return {"loss": loss + self.naming * named, "generator_loss": loss.detach()}

    def _ask(self, discriminator: Any, images: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | float]:
        """Return the logits and how far the names are from the classes, 0 where nobody asks for names."""
        if not self.naming:
            return discriminator(images, labels).float(), 0.0
        if labels is None:
            raise ValueError(f"naming={self.naming} asks for the class of each picture: hand over labels")
        logits, names = discriminator.judge(images, labels)
        return logits.float(), cross_entropy(names.float(), labels)

    def _show(self, images: Tensor) -> Tensor:
        return self.augment(images) if self.augment else images


class Opponent:
    """A discriminator that learns along inside another objective, so that the plain ``fit`` trains the generator.

    Args:
        discriminator: called with pictures and what comes along with them (or None); returns logits.
        game: what both minimise.
        lr: learning rate of the discriminator's Adam.
    """

    def __init__(self, discriminator: nn.Module, game: Adversarial, lr: float = 1e-3) -> None:
        self.discriminator, self.game = discriminator, game
        # No momentum (first beta 0): the generator moves too, so yesterday's direction misleads.
        self.optimizer = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.0, 0.99))
        self.steps = 0

    def play(
        self, real: Tensor, generated: Tensor, condition: Tensor | None = None, older: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Train the discriminator one step, then return its values with what the generator is to minimise as "loss".

        ``real`` and ``generated`` are pictures (N, C, H, W), ``condition`` (N, ...) is shown beside both. With
        ``older`` pictures the discriminator learns from these instead of the generated ones. Where no gradient is
        wanted (an evaluation), it stays as it is.
        """
        self.discriminator.to(real.device)
        values = {}
        if torch.is_grad_enabled():
            shown = generated if older is None else older
            values = self.game.compute_discriminator_loss(self.discriminator, real, shown, condition, self.steps)
            values.pop("loss").backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.steps += 1
        with frozen(self.discriminator):  # it hands the gradient on and keeps none of it
            return values | self.game.compute_generator_loss(self.discriminator, real, generated, condition)

    def state_dict(self) -> dict[str, Any]:
        learned = {"discriminator": self.discriminator.state_dict(), "optimizer": self.optimizer.state_dict()}
        return {**learned, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Spare the gradients of the network's own weights, a third of the work of going back through it."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


def get_latent_size(network: nn.Module) -> int:
    """Return how many random numbers a generator asks for.

    Raises:
        TypeError: the network does not say it.
    """
    size = getattr(network, "latent_size", None)
    if not isinstance(size, int):
        raise TypeError(f"a generator knows its latent_size, a whole number; {type(network).__name__} does not")
    return size


def sample_latents(
    count: int, size: int, truncation: float | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Return ``count`` standard normal vectors (count, size).

    With a ``truncation``, numbers beyond ± ``truncation`` are drawn again (Brock et al., 2019): below about 1 pictures
    become more typical and less varied.
    """
    if truncation is None:
        return torch.randn(count, size, generator=generator)
    if not truncation > 0:
        raise ValueError(f"the truncation is a number above 0, got {truncation}")
    return nn.init.trunc_normal_(torch.empty(count, size), a=-truncation, b=truncation, generator=generator)


@torch.inference_mode()
def sample_images(
    model: nn.Module,
    labels: Tensor,
    *,
    truncation: float | None = None,
    generator: torch.Generator | None = None,
    batch_size: int = 500,
) -> Tensor:
    """Draw one picture a label in evaluation mode, on the CPU, in [-1, 1]; the model is left as it was.

    Args:
        labels: (N,), or shares of classes (N, class_count).
        truncation: see ``sample_latents``.
        generator: source of the latent vectors; the same seed gives the same pictures.
    """
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    latents = sample_latents(len(labels), get_latent_size(model), truncation, generator)
    batches = zip(latents.split(batch_size), labels.split(batch_size), strict=True)
    images = [model(some.to(device), wanted.to(device)).float().cpu() for some, wanted in batches]
    model.train(was_training)
    return torch.cat(images)
