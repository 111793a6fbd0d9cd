"""Scrub through the way from noise to a picture, and weigh steps and guidance against each other."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import ImageSet, load_fashion_mnist
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLUE, ORANGE, RED, make_axes, put_side_by_side
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.metrics import Estimate, compute_features, compute_label_consistency
from cnngen_course.models.denoiser import Denoiser
from cnngen_course.objectives.flow import SAMPLERS, follow, make_velocity, sample_images
from cnngen_course.pretrained import load_judge, load_pretrained
from cnngen_course.runtime import pick_precision
from cnngen_course.set_metrics import compute_diversity

ANY = 10  # the label for "no class"
STOPS = 9  # pictures in the strip
SHOWN = 12  # pictures that the second explorer draws
GUIDANCE = 2.0
STEP_COUNTS = (1, 2, 3, 5, 10, 20, 40)


@cache
def load_denoiser() -> Denoiser:
    return load_pretrained("flow", Denoiser)


@cache
def load_clothes() -> ImageSet:
    return load_fashion_mnist("test")


@lru_cache(maxsize=32)  # scrubbing moves along one journey
@torch.inference_mode()
def compute_journey(label: int, steps: int, guidance: float, seed: int) -> tuple[Tensor, Tensor]:
    """Follow one picture from noise to its end, and say at each moment what the network expects at the end.

    Returns the places and the expectations, both (steps + 1, 1, 28, 28): the expectation is where one would arrive by
    keeping the present velocity, x + (1 - t)·v.
    """
    noise = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    labels = torch.tensor([label])
    velocity = make_velocity(load_denoiser(), labels, 1.0 if label == ANY else guidance)
    places = torch.cat(list(follow(velocity, noise, steps)))
    velocities = places.diff(dim=0) * steps  # of Euler's steps: no need to ask the network again
    left = 1 - torch.arange(steps) / steps
    expected = places[:-1] + left.view(-1, 1, 1, 1) * velocities
    return places, torch.cat([expected, places[-1:]]).clamp(-1, 1)


def make_journey_explorer() -> Panel:
    """Scrub through the moments between noise and a picture."""
    options = [(name, label) for label, name in enumerate(load_clothes().class_names)]
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
    wanted = "any class" if label == ANY else load_clothes().class_names[label]
    ending = ", which is what was asked for" if named == label else ""
    text = (
        f"Asked for: {wanted}. After step {step} of {steps}, {1 - step / steps:.0%} of the way is still to go. "
        f"What the network expects at the end, the judge takes for: {load_clothes().class_names[named]} "
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
    options = [(name, label) for label, name in enumerate(load_clothes().class_names)]
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
    name = load_clothes().class_names[label]
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
    real = load_clothes().images[load_clothes().labels == label][:500]
    return compute_diversity(real, torch.full((len(real),), label), images, torch.full((len(images),), label)).mean


def measure_settings(
    model: Denoiser, labels: Tensor, settings: Sequence[dict[str, Any]], seed: int = 0
) -> list[tuple[Tensor, Tensor, Estimate]]:
    """Draw the same noise with each of the settings of ``sample_images``; return images, features and consistency."""
    outcomes = []
    for choice in settings:
        random = torch.Generator().manual_seed(seed)
        images = sample_images(model, labels, generator=random, precision=pick_precision(), **choice)
        features = compute_features(load_judge(), images)
        outcomes.append((images, features, compute_label_consistency(load_judge(), images, labels, features)))
    return outcomes


def plot_clouds(clouds: dict[str, Tensor], colours: Sequence[str] | None = None, size: float = 2.0) -> Figure:
    """Plot clouds of points (N, 2) side by side, each under its title, at one scale."""
    figure, axes = make_axes(1, len(clouds), size, size)
    for index, (place, (title, points)) in enumerate(zip(axes[0], clouds.items(), strict=True)):
        place.scatter(points[:, 0], points[:, 1], 3, colours[index] if colours else BLUE, alpha=0.5, linewidths=0)
        place.set_title(title, fontsize=9)
        frame(place)
    return figure


def plot_ways(ways: dict[str, Tensor], size: float = 3.2) -> Figure:
    """Plot the ways of points, each (moments, N, 2), as lines from an open mark to a filled one."""
    figure, axes = make_axes(1, len(ways), size, size)
    for place, (title, way) in zip(axes[0], ways.items(), strict=True):
        place.plot(way[..., 0], way[..., 1], color="grey", linewidth=0.7, alpha=0.7)
        place.plot(way[0, :, 0], way[0, :, 1], "o", color="white", markeredgecolor=ORANGE, markersize=4, label="noise")
        place.plot(way[-1, :, 0], way[-1, :, 1], "o", color=BLUE, markersize=4, label="end")
        place.set_title(title, fontsize=10)
        frame(place)
    axes[0, 0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def frame(place: Any, reach: float = 2.6) -> None:
    """Give axes of points the same square window, without numbers."""
    place.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")


def plot_tradeoff(strengths: Sequence[float], consistency: Sequence[Estimate], diversity: Sequence[float]) -> Figure:
    """Plot against the strength of guidance the share named as asked, with its interval, and the diversity."""
    figure, axes = make_axes(1, 1, 4.6, 2.8)
    place = axes[0, 0]
    values = torch.tensor([[share.low, share.value, share.high] for share in consistency])  # (strengths, 3)
    reach = torch.stack([values[:, 1] - values[:, 0], values[:, 2] - values[:, 1]])
    place.errorbar(strengths, values[:, 1], reach, fmt="o-", color=BLUE, capsize=3, label="named as asked for")
    place.plot(strengths, diversity, "s--", color=ORANGE, label="diversity (real: 1)")
    place.axhline(1, color="grey", linewidth=1, linestyle=":")
    place.set(xlabel="guidance", ylabel="share", ylim=(0, max(1.15, 1.05 * max(diversity))))
    place.legend(frameon=False, loc="lower right")
    return figure
