"""Pictures to be rated without knowing who drew them: as many real ones as of each generator."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.models.vae import compute_details
from cnngen_course.objectives import adversarial, variational
from cnngen_course.pretrained import load_pretrained

QUESTIONS = 40
SOURCES = ("real", "generator", "generator, truncated", "VAE")
TRUNCATION = 0.5


@cache
def load_model(name: str) -> Any:
    return load_pretrained(name)


@dataclass(frozen=True)
class Piece:
    """One picture (1, 1, 28, 28) to be rated, what it shall show, who drew it, and how sure the judge is of that."""

    image: Tensor
    label: int
    source: str
    judge: float


@cache
def make_pieces(series: int) -> tuple[Piece, ...]:
    """Return ``QUESTIONS`` pictures in random order, as many of each source; the same series, the same pictures."""
    random = torch.Generator().manual_seed(series)
    chosen = torch.randint(len(load_fashion_mnist("test")), (QUESTIONS,), generator=random)
    labels = load_fashion_mnist("test").labels[chosen]
    sources = [SOURCES[index % len(SOURCES)] for index in torch.randperm(QUESTIONS, generator=random).tolist()]
    images = torch.empty(QUESTIONS, 1, 28, 28)
    for source in SOURCES:
        here = torch.tensor([name == source for name in sources])
        images[here] = draw_source(source, load_fashion_mnist("test").images[chosen[here]], labels[here], random)
    chances = compute_chances(images, labels).tolist()
    return tuple(Piece(*facts) for facts in zip(images.split(1), labels.tolist(), sources, chances, strict=True))


@torch.inference_mode()
def draw_source(source: str, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return what a source draws for the classes of real images (N, 1, 28, 28): the images themselves if "real"."""
    if source == "real":
        return images
    if source == "VAE":
        model = load_model("vae")
        noise = torch.randn(len(labels), model.latent_size, generator=generator)
        return variational.sample_images(model, labels, compute_details(images), noise)
    truncation = TRUNCATION if source == "generator, truncated" else None
    return adversarial.sample_images(load_model("generator"), labels, truncation=truncation, generator=generator)


@torch.inference_mode()
def compute_chances(images: Tensor, labels: Tensor) -> Tensor:
    """Return how sure the judge is that images (N, 1, 28, 28) show the wanted classes (N,): (N,) in [0, 1]."""
    return load_model("judge")(images).softmax(dim=1)[torch.arange(len(labels)), labels].clamp(0, 1)
