"""Lesson 00: the first picture. A walk through the sixteen numbers from which the shipped network draws."""

from functools import cache

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.pretrained import load_pretrained

STOPS = 9  # pictures along the walk
EXAMPLES = 4000  # training pictures from which the latents of each class are learned


@cache
def load_generator() -> Autoencoder:
    return load_pretrained("autoencoder")


@cache
@torch.inference_mode()
def compute_class_latents() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return where each class lies among the latents: means (10, D), Cholesky factors (10, D, D), class names."""
    data = load_fashion_mnist("train").select(slice(EXAMPLES))
    latents = load_generator().encoder(data.images)
    groups = [latents[data.labels == label] for label in range(len(data.class_names))]
    spreads = torch.stack([torch.linalg.cholesky(group.T.cov()) for group in groups])
    return torch.stack([group.mean(dim=0) for group in groups]), spreads, data.class_names


def sample_latents(label: int, count: int, variety: float, seed: int) -> Tensor:
    """Draw ``count`` latents (count, D) of a class from a Gaussian fitted to it; ``variety`` scales its spread."""
    means, spreads, _ = compute_class_latents()
    noise = torch.randn(count, means.shape[1], generator=torch.Generator().manual_seed(seed))
    return means[label] + variety * noise @ spreads[label].T


@torch.inference_mode()
def compute_walk(start: int, end: int, variety: float, seed: int, stops: int = STOPS) -> Tensor:
    """Return images (stops, 1, 28, 28) on a straight line from one class to another."""
    here, there = sample_latents(start, 1, variety, seed), sample_latents(end, 1, variety, seed + 1)
    steps = torch.linspace(0, 1, stops)[:, None]
    return load_generator().decoder(torch.lerp(here, there, steps))


def plot_walk(images: Tensor, place: int) -> Image.Image:
    """Draw the picture at ``place`` large, and the whole walk below it with that place framed."""
    pixels = to_pixels(images)
    strip = to_pil(make_grid(pixels, columns=len(pixels), gap=3), zoom=2)
    large = to_pil(pixels[place], zoom=10)
    canvas = Image.new("RGB", (strip.width + 8, large.height + strip.height + 20), "white")
    canvas.paste(large, ((canvas.width - large.width) // 2, 0))
    canvas.paste(strip, (4, large.height + 14))
    left = 4 + place * 31 * 2
    frame = (left - 3, large.height + 11, left + 28 * 2 + 2, large.height + 14 + strip.height + 2)
    ImageDraw.Draw(canvas).rectangle(frame, outline="#D55E00", width=3)
    return canvas


def make_walk_explorer() -> Panel:
    """Choose two kinds of clothes and walk from one to the other."""
    _, _, names = compute_class_latents()
    options = [(name, label) for label, name in enumerate(names)]

    def draw(start: int, end: int, place: int, variety: float, seed: int) -> View:
        picture = plot_walk(compute_walk(start, end, variety, seed), place)
        share = round(100 * place / (STOPS - 1))
        text = (
            f"A picture made from 16 numbers: {100 - share}% {names[start]} and {share}% {names[end]}, "
            f"with a variety of {variety:.1f} (walk number {seed})."
        )
        return View(picture, text)

    controls = {
        "start": widgets.Dropdown(options=options, value=7, description="from"),
        "end": widgets.Dropdown(options=options, value=9, description="to"),
        "place": widgets.IntSlider(3, 0, STOPS - 1, description="step"),
        "variety": widgets.FloatSlider(0.6, min=0, max=2, step=0.1, description="variety"),
        "seed": widgets.IntSlider(1, 0, 50, description="another walk"),
    }
    return Panel(draw, controls)
