"""Walk through the shipped generator's latent space, truncate, mix classes, look for what it has copied."""

import math
from functools import cache, lru_cache

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist, mix_classes
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import RED, load_font
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.models.gan import Generator
from cnngen_course.objectives.adversarial import sample_latents
from cnngen_course.pretrained import load_judge, load_pretrained
from cnngen_course.set_metrics import find_nearest

STEPS = 40  # of a round walk; step 40 is step 0 again
STOPS = 10  # pictures in the strip
NEIGHBOURS = 6
TESTED = 200  # test pictures of each class that say how far a new picture usually is from the training pictures


@cache
def load_generator() -> Generator:
    return load_pretrained("generator", Generator)


def compute_walk(places: Tensor, truncation: float | None, seed: int, size: int = 64) -> Tensor:
    """Return the latents (N, size) at the given places of a round walk: 0 is its start, 1 its start again.

    Two random vectors span the walk, which goes once around the circle between them. As a² + b² = 1 on a circle, each
    stop is as standard normal as the two vectors are; on a straight line the stops in the middle would be too short.
    """
    ends = sample_latents(2, size, truncation, torch.Generator().manual_seed(seed))
    angles = 2 * math.pi * places[:, None]
    return angles.cos() * ends[0] + angles.sin() * ends[1]


@torch.inference_mode()
def draw_walk(
    first: int, second: int, share: float, truncation: float | None, seed: int, places: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the images (N, 1, 28, 28) at places of a walk, and their latents (N, 64)."""
    latents = compute_walk(places, truncation, seed, load_generator().latent_size)
    return load_generator()(latents, mix_classes(first, second, share, len(places))), latents


@lru_cache(maxsize=16)
def draw_strip(first: int, second: int, share: float, truncation: float, seed: int) -> Tensor:
    return draw_walk(first, second, share, truncation, seed, torch.arange(STOPS) / STOPS)[0]


@lru_cache(maxsize=4)
def load_references(first: int, second: int) -> Tensor:
    """Return the training pictures of one or two classes as flat vectors (N, 784)."""
    train = load_fashion_mnist("train")
    return train.select((train.labels == first) | (train.labels == second)).images.flatten(1)


@lru_cache(maxsize=4)
def compute_squares(first: int, second: int) -> Tensor:
    """Return the squared length of each reference, (N,)."""
    return load_references(first, second).square().sum(dim=1)


@lru_cache(maxsize=4)
def compute_usual_distance(first: int, second: int) -> float:
    """Return how far a real test picture of these classes is from its nearest training picture: the median."""
    test = load_fashion_mnist("test")
    unseen = test.select((test.labels == first) | (test.labels == second)).images[:TESTED]
    return find_nearest(unseen, load_references(first, second))[1].median().item()


def find_neighbours(image: Tensor, first: int, second: int) -> tuple[Tensor, Tensor]:
    """Return the nearest training pictures (NEIGHBOURS, 1, 28, 28) of an image (1, 1, 28, 28), and their distances."""
    references, flat = load_references(first, second), image.flatten()
    # (r - x)² multiplied out: r² is known, so that one product is left, a tenth of the time of torch.cdist.
    squares = compute_squares(first, second) - 2 * (references @ flat) + flat.square().sum()
    distances, indices = squares.clamp(min=0).sqrt().topk(NEIGHBOURS, largest=False)
    return references[indices].view(-1, *image.shape[1:]), distances


def make_quality_explorer() -> Panel:
    """Walk, truncate, mix two classes, and compare what is drawn with the nearest training pictures."""
    names = load_fashion_mnist("test").class_names
    options = [(name, label) for label, name in enumerate(names)]
    controls = {
        "first": widgets.Dropdown(options=options, value=6, description="class"),
        "second": widgets.Dropdown(options=options, value=3, description="mixed with"),
        "share": widgets.FloatSlider(0.5, min=0, max=1, step=0.05, description="share of it"),
        "truncation": widgets.FloatSlider(1.5, min=0.1, max=3, step=0.1, description="truncation"),
        "step": widgets.IntSlider(8, 0, STEPS - 1, description="step of the walk"),
        "seed": widgets.IntSlider(4, 0, 50, description="another walk"),
        "nearest": widgets.Checkbox(True, description="nearest training pictures", indent=False),
    }
    return Panel(draw_quality, controls)


def draw_quality(first: int, second: int, share: float, truncation: float, step: int, seed: int, nearest: bool) -> View:
    image, latents = draw_walk(first, second, share, truncation, seed, torch.tensor([step / STEPS]))
    strip = draw_strip(first, second, share, truncation, seed)
    found = find_neighbours(image, first, second) if nearest else None
    return View(
        compose(image, strip, step, found), describe(first, second, share, step, image, latents, found), quality=85
    )


def compose(image: Tensor, strip: Tensor, step: int, found: tuple[Tensor, Tensor] | None) -> Image.Image:
    """Draw the picture large, what is near to it beside it, and below them the walk with its place framed."""
    row = to_pil(make_grid(to_pixels(strip), columns=STOPS, gap=2), zoom=2)
    picture = Image.new("RGB", (row.width + 8, 336), "white")
    draw, font = ImageDraw.Draw(picture), load_font(12)
    draw.text((4, 2), "drawn", "black", font)
    picture.paste(to_pil(to_pixels(image)[0], 8), (4, 20))
    if found:
        draw.text((250, 2), "nearest training pictures, with their distance", "black", font)
        for index, (neighbour, distance) in enumerate(zip(*found, strict=True)):
            left, top = 250 + 120 * (index % 3), 20 + 114 * (index // 3)
            picture.paste(to_pil(to_pixels(neighbour), 3), (left, top))
            draw.text((left, top + 86), f"{distance:.1f}", "black", font)
    draw.text((4, 252), "the whole walk; after the last picture it begins again", "black", font)
    picture.paste(row, (4, 272))
    left = 4 + 60 * (step * STOPS // STEPS % STOPS)
    draw.rectangle((left - 3, 269, left + 58, 331), outline=RED, width=3)
    return picture


def describe(
    first: int,
    second: int,
    share: float,
    step: int,
    image: Tensor,
    latents: Tensor,
    found: tuple[Tensor, Tensor] | None,
) -> str:
    names = load_fashion_mnist("test").class_names
    mixed = share > 0 and first != second
    asked = f"{1 - share:.0%} {names[first]} and {share:.0%} {names[second]}" if mixed else names[first]
    with torch.inference_mode():
        chance, named = load_judge()(image).softmax(dim=1)[0].max(dim=0)
    text = (
        f"Asked for: {asked}, at step {step} of a walk; the 64 numbers reach from {latents.min():.1f} to "
        f"{latents.max():.1f}, their spread is {latents.std():.2f}. The judge says {names[named]} ({chance:.0%})."
    )
    if found is None:
        return text
    usual = compute_usual_distance(first, second)
    return (
        f"{text} The nearest of {len(load_references(first, second)):,} training pictures is {found[1][0]:.1f} away; "
        f"half of the real test pictures are nearer than {usual:.1f} to theirs."
    )
