"""Ask for a class or a mixture of two, a size, a brightness; see what is drawn and what was measured."""

from collections.abc import Sequence
from functools import cache, lru_cache

import ipywidgets as widgets
import torch
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist, mix_classes
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.models.vae import ConditionalVAE, compute_details
from cnngen_course.objectives.variational import sample_images
from cnngen_course.pretrained import load_judge, load_pretrained

DRAWS = 9
KNOBS = 3  # latent sliders
EXAMPLES = 12_000  # training pictures from which a class's usual sizes and brightnesses are taken


@cache
def load_vae() -> ConditionalVAE:
    return load_pretrained("vae", ConditionalVAE)


@cache
def load_usual() -> tuple[Tensor, tuple[str, ...]]:
    """Return the middling details of each class and the range of nearly all, (classes, 3, 2), and the class names."""
    data = load_fashion_mnist("train").select(slice(EXAMPLES))
    details, levels = compute_details(data.images), torch.tensor([0.01, 0.5, 0.99])
    ranges = [details[data.labels == label].quantile(levels, dim=0) for label in range(len(data.class_names))]
    return torch.stack(ranges), data.class_names


@cache
def load_directions(label: int) -> Tensor:
    return compute_directions(load_vae(), label, load_usual()[0][label, 1])


@torch.inference_mode()
def compute_directions(model: ConditionalVAE, label: int, details: Tensor, samples: int = 400) -> Tensor:
    """Return the unit directions (KNOBS, D) of the noise along which the pictures of a class change most.

    They are the strongest singular vectors of the straight-line dependence of the pixels on the noise.
    """
    noise = torch.randn(samples, model.latent_size, generator=torch.Generator().manual_seed(0))
    noise = noise - noise.mean(dim=0)
    drawn = sample_images(model, torch.full((samples,), label), details.expand(samples, 2), noise).flatten(1)
    slopes = torch.linalg.lstsq(noise, drawn).solution  # (D, pixels)
    directions = torch.linalg.svd(slopes, full_matrices=False).U[:, :KNOBS].T
    lighter = (directions @ slopes).sum(dim=1, keepdim=True).sign()
    return directions * torch.where(lighter == 0, 1, lighter)  # the sign is arbitrary: upwards adds light


@lru_cache(maxsize=64)
def draw_many(first: int, second: int, share: float, size: float, brightness: float) -> Tensor:
    """Draw DRAWS pictures (DRAWS, 1, 28, 28) of one condition from noise that is always the same."""
    noise = torch.randn(DRAWS, load_vae().latent_size, generator=torch.Generator().manual_seed(1))
    weights, details = mix_classes(first, second, share, DRAWS), torch.tensor([[size, brightness]])
    return sample_images(load_vae(), weights, details.expand(DRAWS, 2), noise)


def draw_one(
    first: int, second: int, share: float, size: float, brightness: float, draw: int, knobs: Sequence[float]
) -> Tensor:
    """Draw one picture (1, 1, 28, 28). Draw 0 begins in the middle (no noise); the knobs then push it."""
    start = torch.randn(50, load_vae().latent_size, generator=torch.Generator().manual_seed(2))[draw - 1] * (draw > 0)
    noise = start + torch.tensor(knobs) @ load_directions(first)
    return sample_images(load_vae(), mix_classes(first, second, share), torch.tensor([[size, brightness]]), noise[None])


def make_supervised_explorer() -> Panel:
    """Ask for a picture by class, mixture, size and brightness; turn what the label leaves open."""
    _, names = load_usual()
    options = [(name, label) for label, name in enumerate(names)]
    controls = {
        "first": widgets.Dropdown(options=options, value=6, description="class"),
        "second": widgets.Dropdown(options=options, value=3, description="mixed with"),
        "share": widgets.FloatSlider(0.5, min=0, max=1, step=0.05, description="share of the second"),
        "size": widgets.FloatSlider(0.55, min=0.1, max=0.9, step=0.01, description="size"),
        "brightness": widgets.FloatSlider(0.6, min=0.15, max=0.95, step=0.01, description="brightness"),
        "draw": widgets.IntSlider(0, 0, 50, description="draw (0: the middle)"),
    }
    for knob in range(1, KNOBS + 1):
        controls[f"knob_{knob}"] = widgets.FloatSlider(0.0, min=-3, max=3, step=0.1, description=f"latent knob {knob}")
    return Panel(draw_supervised, controls)


def draw_supervised(
    first: int,
    second: int,
    share: float,
    size: float,
    brightness: float,
    draw: int,
    knob_1: float,
    knob_2: float,
    knob_3: float,
) -> View:
    drawn = draw_one(first, second, share, size, brightness, draw, (knob_1, knob_2, knob_3))
    draws = draw_many(first, second, share, size, brightness)
    tiles = (
        to_pil(to_pixels(drawn)[0], 9),
        to_pil(make_grid(to_pixels(draws), columns=3, gap=0), 3),
        to_pil(to_pixels(draws.mean(dim=0)), 9),
    )
    picture = put_side_by_side(tiles, ("the picture you turn", "nine random draws", "the mean of the nine"))
    return View(picture, describe(first, second, share, size, brightness, draw, drawn))


def describe(first: int, second: int, share: float, size: float, brightness: float, draw: int, drawn: Tensor) -> str:
    usual, names = load_usual()
    mixed = share > 0 and first != second
    asked = f"{1 - share:.0%} {names[first]} and {share:.0%} {names[second]}" if mixed else names[first]
    got_size, got_brightness = compute_details(drawn)[0].tolist()
    with torch.inference_mode():
        chances = load_judge()(drawn).softmax(dim=1)[0]
    chance, named = chances.max(dim=0)
    low, _, high = usual[first]
    details = torch.tensor([size, brightness])
    unusual = "" if ((details >= low) & (details <= high)).all() else f" Hardly a real {names[first]} is like that."
    origin = "the middle of the noise" if draw == 0 else f"draw {draw}"
    return (
        f"Asked for: {asked}, size {size:.2f}, brightness {brightness:.2f}, from {origin}. Measured in the picture: "
        f"size {got_size:.2f}, brightness {got_brightness:.2f}; the judge says {names[named]} ({chance:.0%}).{unusual}"
    )
