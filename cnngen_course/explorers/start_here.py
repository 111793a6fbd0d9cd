"""The first picture. A walk from one kind of clothes to another, drawn by the shipped generator."""

from functools import cache

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import one_hot

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.models.gan import Generator
from cnngen_course.pretrained import load_pretrained

STOPS = 9  # pictures along the walk


@cache
def load_generator() -> Generator:
    return load_pretrained("generator", Generator)


@cache
def load_class_names() -> tuple[str, ...]:
    return load_fashion_mnist("test").class_names


def sample_latents(count: int, variety: float, seed: int) -> Tensor:
    """Draw ``count`` latents (count, 64): normal numbers with a standard deviation of ``variety``."""
    return variety * torch.randn(count, load_generator().latent_size, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
def compute_walk(start: int, end: int, variety: float, seed: int, stops: int = STOPS) -> Tensor:
    """Return images (stops, 1, 28, 28) on the way from one class to another; class and latent change together."""
    steps = torch.linspace(0, 1, stops)[:, None]
    here, there = sample_latents(2, variety, seed).split(1)
    first, second = one_hot(torch.tensor([start, end]), load_generator().class_count).float().split(1)
    return load_generator()(torch.lerp(here, there, steps), torch.lerp(first, second, steps))


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
    names = load_class_names()
    options = [(name, label) for label, name in enumerate(names)]

    def draw(start: int, end: int, place: int, variety: float, seed: int) -> View:
        picture = plot_walk(compute_walk(start, end, variety, seed), place)
        share = round(100 * place / (STOPS - 1))
        text = (
            f"A picture made from 64 numbers and a wish: {100 - share}% {names[start]} and {share}% {names[end]}, "
            f"with a variety of {variety:.1f} (walk number {seed})."
        )
        return View(picture, text)

    controls = {
        "start": widgets.Dropdown(options=options, value=7, description="from"),
        "end": widgets.Dropdown(options=options, value=9, description="to"),
        "place": widgets.IntSlider(3, 0, STOPS - 1, description="step"),
        "variety": widgets.FloatSlider(0.8, min=0, max=2, step=0.1, description="variety"),
        "seed": widgets.IntSlider(1, 0, 50, description="another walk"),
    }
    return Panel(draw, controls)
