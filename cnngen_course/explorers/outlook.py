"""Scrub through the way from noise to a picture, and weigh steps and guidance against each other."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.journeys import ANY, compute_journey, load_denoiser
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import RED, put_side_by_side
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.metrics import compute_label_consistency
from cnngen_course.objectives.flow import SAMPLERS, sample_images
from cnngen_course.pretrained import load_judge
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import compute_diversity

STOPS = 9  # pictures in the strip
SHOWN = 12  # pictures that the second explorer draws
GUIDANCE = 2.0
STEP_COUNTS = (1, 2, 3, 5, 10, 20, 40)


def make_journey_explorer() -> Panel:
    """Scrub through the moments between noise and a picture."""
    options = [(name, label) for label, name in enumerate(load_fashion_mnist("test").class_names)]
    controls = {
        "moment": widgets.IntSlider(50, 0, 100, step=5, description="way done, %"),
        "label": widgets.Dropdown(options=[*options, ("any (no class)", ANY)], value=9, description="class"),
        "steps": widgets.SelectionSlider(options=STEP_COUNTS, value=20, description="steps"),
        "seed": widgets.IntSlider(1, 0, 50, description="noise"),
    }
    return Panel(draw_journey, controls)


def draw_journey(moment: int, label: int, steps: int, seed: int) -> View:
    """Draw a moment of a journey large, with what the network expects then, above the whole way in small."""
    places, expected = compute_journey(label, steps, GUIDANCE, seed)
    step = round(moment / 100 * steps)
    chance, named = judge_picture(expected[step])
    tiles = [to_pil(to_pixels(images), 6) for images in (places[step], expected[step], places[-1])]
    titles = [f"after step {step} of {steps}", "what it expects then", "where it arrives"]
    picture = pile([put_side_by_side(tiles, titles), draw_strip(places, expected, step)])
    wanted = "any class" if label == ANY else load_fashion_mnist("test").class_names[label]
    ending = ", which is what was asked for" if named == label else ""
    text = (
        f"Asked for: {wanted}. After step {step} of {steps}, {1 - step / steps:.0%} of the way is still to go. "
        f"What the network expects at the end, the judge takes for: {load_fashion_mnist('test').class_names[named]} "
        f"({chance:.0%} sure){ending}."
    )
    return View(picture, text, quality=60)


@torch.inference_mode()
def judge_picture(image: Tensor) -> tuple[float, int]:
    """Return how sure the judge is of its first choice, and that choice."""
    best = load_judge()(image[None]).softmax(dim=1).max(dim=1)
    return best.values.item(), int(best.indices.item())


def draw_strip(places: Tensor, expected: Tensor, step: int) -> Image.Image:
    """Draw ``STOPS`` moments above what was expected then; a frame marks the one nearest to ``step``."""
    steps = len(places) - 1
    stops = (torch.arange(STOPS) / (STOPS - 1) * steps).round().long()
    pixels = to_pixels(torch.cat([places[stops], expected[stops]]))
    strip = to_pil(make_grid(pixels, STOPS), 2).convert("RGB")
    column = int((stops - step).abs().argmin())
    ImageDraw.Draw(strip).rectangle((60 * column, 0, 60 * column + 56, strip.height - 1), outline=RED, width=3)
    return strip


def pile(pieces: Sequence[Image.Image], gap: int = 8) -> Image.Image:
    """Return pictures below each other on white."""
    sheet = Image.new(
        "RGB", (max(piece.width for piece in pieces), sum(piece.height + gap for piece in pieces)), "white"
    )
    top = 0
    for piece in pieces:
        sheet.paste(piece, (0, top))
        top += piece.height + gap
    return sheet


def make_guidance_explorer() -> Panel:
    """Choose steps, sampler and guidance; see twelve pictures and what the judge says of them."""
    options = [(name, label) for label, name in enumerate(load_fashion_mnist("test").class_names)]
    controls = {
        "label": widgets.Dropdown(options=options, value=8, description="class"),
        "steps": widgets.SelectionSlider(options=STEP_COUNTS, value=5, description="steps"),
        "guidance": widgets.FloatSlider(2.0, min=0, max=8, step=0.5, description="guidance"),
        "sampler": widgets.Dropdown(options=list(SAMPLERS), description="sampler"),
        "seed": widgets.IntSlider(1, 0, 50, description="noise"),
    }
    return Panel(draw_guidance, controls, slow=lambda steps, **_: steps >= 5)


def draw_guidance(label: int, steps: int, guidance: float, sampler: str, seed: int) -> View:
    """Draw twelve pictures of a class, with their cost, and how right and how different they are."""
    images = draw_class(label, steps, guidance, sampler, seed)
    labels = torch.full((SHOWN,), label)
    share = compute_label_consistency(load_judge(), images, labels)
    diversity = measure_diversity(images, label)
    calls = count_calls(steps, guidance, sampler)
    name = load_fashion_mnist("test").class_names[label]
    grid = to_pil(make_grid(to_pixels(images), 6), 3)
    title = f"calls of the network a picture: {calls}"
    text = (
        f"{SHOWN} pictures of the class {name}: {steps} step{'s' * (steps > 1)} of the sampler {sampler}, "
        f"guidance {guidance:g}, {calls} call{'s' * (calls > 1)} of the network a picture. "
        f"The judge takes {round(share.value * SHOWN)} of them for what was asked. "
        f"They differ {diversity:.2f} times as much as real ones do."
    )
    return View(put_side_by_side([grid], [title]), text, quality=70)


@lru_cache(maxsize=32)
def draw_class(label: int, steps: int, guidance: float, sampler: str, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    settings: dict[str, Any] = {"steps": steps, "guidance": guidance, "sampler": sampler, "precision": pick_precision()}
    return sample_images(load_denoiser(), torch.full((SHOWN,), label), generator=random, **settings)


def count_calls(steps: int, guidance: float, sampler: str) -> int:
    """Return how often the network is asked for a picture: twice as often with guidance, and with a look ahead."""
    asked = {"euler": steps, "midpoint": 2 * steps, "heun": 2 * steps - 1}[sampler]  # Heun's last step is Euler's
    return asked * (1 if guidance == 1 else 2)


def measure_diversity(images: Tensor, label: int) -> float:
    """Return how much pictures of one class differ, as a share of what real ones of that class do."""
    real = load_fashion_mnist("test").images[load_fashion_mnist("test").labels == label][:500]
    return compute_diversity(real, torch.full((len(real),), label), images, torch.full((len(images),), label)).mean
