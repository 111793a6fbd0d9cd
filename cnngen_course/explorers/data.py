"""From a file to what a network sees, step by step; and pictures mixed from the eigenvectors of a data set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode, v2

from cnngen_course.augmentation import Augmentation, RandomErase, RandomRotate, RandomShift, random_flip
from cnngen_course.datasets import ImageSet, load_fashion_mnist
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import BLUE, ORANGE, load_font
from cnngen_course.galleries import load_photo
from cnngen_course.images import from_pil, to_images, to_pil, to_pixels
from cnngen_course.linear import PrincipalComponents, compute_eigenimages, compute_principal_components

PHOTOS = {
    "kingfisher": "animal_kingfisher",
    "solar panel": "energy_solar7",
    "lemurs": "animal_lemur",
    "leaning tower": "monument_leaningTowerOfPisa_s",
    "Colosseum": "monument_colosseum",
    "skyline": "scene_singaporean-cityscape",
}
SHAPES = ("cut out the centre square", "squeeze", "add black bars")
FILTERS = {
    "nearest pixel": (InterpolationMode.NEAREST, False),
    "bilinear": (InterpolationMode.BILINEAR, False),
    "bilinear, anti-aliased": (InterpolationMode.BILINEAR, True),
    "bicubic, anti-aliased": (InterpolationMode.BICUBIC, True),
}
RANGES = ("0 to 1", "−1 to 1", "mean 0, deviation 1")
AUGMENTATIONS: dict[str, Callable[[int], Augmentation] | None] = {
    "none": None,
    "flip": lambda size: random_flip,
    "shift": lambda size: RandomShift(size // 6),
    "rotate": lambda size: RandomRotate(20),
    "erase a square": lambda size: RandomErase(size // 3),
    "random crop": lambda size: v2.RandomResizedCrop(size, scale=(0.3, 0.9), antialias=True),
    "colours": lambda size: _jitter_colours,
}
BOX, GAP, TITLE, BARS = 208, 16, 24, 64
WIDE = 264  # at most, of the picture as it came
BINS, REACH = 60, 3.0  # the histogram runs from -3 to 3


@dataclass(frozen=True)
class Preparation:
    """A picture on its way into a network.

    Attributes:
        pixels: (3, H, W) uint8, as it came.
        prepared: (C, S, S) uint8, after cropping, resizing and perhaps turning grey.
        images: (1, C, S, S) floats in [-1, 1], after augmentation.
        values: (1, C, S, S), the same in the chosen range: what the network receives.
    """

    pixels: Tensor
    prepared: Tensor
    images: Tensor
    values: Tensor


def compute_preparation(
    pixels: Tensor,
    shape: str = SHAPES[0],
    size: int = 64,
    resize: str = "bilinear, anti-aliased",
    grey: bool = False,
    range_: str = "−1 to 1",
    augmentation: str = "none",
    number: int = 0,
) -> Preparation:
    """Prepare one picture (3, H, W) uint8 as a data loader would.

    Args:
        shape: how it becomes a square, one of ``SHAPES``.
        size: S, the side in pixels.
        resize: one of ``FILTERS``.
        range_: one of ``RANGES``.
        augmentation: one of ``AUGMENTATIONS``, drawn with the seed ``number``.
    """
    interpolation, antialias = FILTERS[resize]
    prepared = v2.functional.resize(make_square(pixels, shape), [size, size], interpolation, antialias=antialias)
    prepared = v2.functional.rgb_to_grayscale(prepared) if grey else prepared
    images = to_images(prepared)[None]
    make = AUGMENTATIONS[augmentation]
    if make:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            images = make(size)(images)
    return Preparation(pixels, prepared, images, change_range(images, range_))


def make_square(pixels: Tensor, shape: str) -> Tensor:
    """Cut or fill up a picture (C, H, W) to a square, or leave it for the resizing to squeeze."""
    height, width = pixels.shape[1:]
    if shape == SHAPES[0]:
        return v2.functional.center_crop(pixels, [min(height, width)])
    if shape == SHAPES[1]:
        return pixels
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    return F.pad(pixels, (left, side - width - left, top, side - height - top))


def change_range(images: Tensor, range_: str) -> Tensor:
    """Bring images (N, C, H, W) in [-1, 1] into one of ``RANGES``; the last is reckoned per channel."""
    if range_ == RANGES[0]:
        return (images + 1) / 2
    if range_ == RANGES[1]:
        return images
    mean = images.mean(dim=(0, 2, 3), keepdim=True)
    deviation = images.std(dim=(0, 2, 3), keepdim=True, unbiased=False)
    return (images - mean) / deviation.clamp(min=1e-3)


def _jitter_colours(images: Tensor) -> Tensor:
    jitter = v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.6, hue=0.15)
    return jitter((images + 1) / 2) * 2 - 1  # torchvision reckons colours in [0, 1]


def plot_preparation(preparation: Preparation, credit: str) -> Image.Image:
    """Draw the picture as it came, prepared, and augmented, and below it how its values are spread."""
    before = to_pil(preparation.pixels)
    before.thumbnail((WIDE, BOX), Image.Resampling.LANCZOS)
    after = to_pil(preparation.prepared).resize((BOX, BOX), Image.Resampling.NEAREST)
    served = to_pil(to_pixels(preparation.images[0])).resize((BOX, BOX), Image.Resampling.NEAREST)
    lefts = 0, WIDE + GAP, WIDE + BOX + 2 * GAP
    canvas = Image.new("RGB", (lefts[2] + BOX, TITLE + BOX + BARS + 58), "white")
    draw = ImageDraw.Draw(canvas)
    size = preparation.prepared.shape[-1]
    titles = "the file", f"prepared, {size} × {size}", "augmented, as it is served"
    for left, title, picture in zip(lefts, titles, (before, after, served), strict=True):
        draw.text((left, 3), title, "black", load_font(14))
        canvas.paste(picture, (left, TITLE))
    _draw_credit(draw, credit)
    _draw_histogram(draw, preparation.values, lefts[1], TITLE + BOX + 34)
    return canvas


def _draw_credit(draw: ImageDraw.ImageDraw, credit: str) -> None:
    for line, text in enumerate(credit.split(": ", 1)):
        draw.text((0, TITLE + BOX + 14 + 18 * line), text, "#555555", load_font(12))


def _draw_histogram(draw: ImageDraw.ImageDraw, values: Tensor, left: int, top: int) -> None:
    """Draw which values the network receives, on a line from -3 to 3."""
    width, bottom = 2 * BOX + GAP, top + BARS
    counts = torch.histc(values.clamp(-REACH, REACH - 1e-4), BINS, -REACH, REACH)
    for index, height in enumerate((counts / counts.max()).tolist()):
        x = left + index * width / BINS
        draw.rectangle((x, bottom - height * (BARS - 4), x + width / BINS - 2, bottom), fill=BLUE)
    draw.text((left, top - 18), "how often each value occurs in what the network receives", "black", load_font(12))
    for value in range(-3, 4):
        x = left + (value + REACH) / (2 * REACH) * width
        draw.line((x, bottom, x, bottom + 4), fill="black")
        draw.text(
            (min(max(x, left + 10), left + width - 6), bottom + 5),
            f"{value}".replace("-", "−"),
            "black",
            load_font(12),
            "ma",
        )


def describe_preparation(preparation: Preparation, shape: str, resize: str, augmentation: str) -> str:
    """Say in words what became of the picture."""
    height, width = preparation.pixels.shape[1:]
    values = preparation.values
    channels, size = values.shape[1], values.shape[2]
    kept = {
        SHAPES[0]: f"The centre square keeps {min(height, width) / max(height, width):.0%} of the picture",
        SHAPES[1]: f"Squeezing changes width against height by a factor of {height / width:.2f}",
        SHAPES[2]: f"Black bars fill {1 - min(height, width) / max(height, width):.0%} of the square",
    }[shape]
    factor = (min if shape == SHAPES[0] else max)(height, width) / size
    return (
        f"The file has {width} × {height} pixels. {kept}. It is resized by {resize} to {size} × {size}: one new pixel "
        f"for {factor:.1f} old ones along its longest side. Augmentation: {augmentation}. The network receives "
        f"(1, {channels}, {size}, {size}), {values.numel():,} numbers from {_write(values.min())} to "
        f"{_write(values.max())}, mean {_write(values.mean())}, deviation {_write(values.std())}."
    )


def _write(number: Tensor) -> str:
    return f"{number.item():.2f}".replace("-", "−").replace("−0.00", "0.00")


@cache
def _load_pixels(name: str) -> tuple[Tensor, str]:
    photo = load_photo(PHOTOS[name])
    return photo.pixels, photo.credit


def _prepare_own(picture: Image.Image) -> Tensor:
    picture.thumbnail(
        (640, 640), Image.Resampling.LANCZOS
    )  # more cannot be seen here, and every redraw would wait for it
    return from_pil(picture)


def make_preparation_explorer() -> Panel:
    """Return the preparation pipeline: a photograph, or the learner's own, becomes a batch of one."""

    def draw(photo: str, upload: Tensor | None, **settings: Any) -> View:
        pixels, credit = _load_pixels(photo) if upload is None else (upload, "your own picture")
        preparation = compute_preparation(pixels, **settings)
        words = describe_preparation(preparation, settings["shape"], settings["resize"], settings["augmentation"])
        return View(plot_preparation(preparation, credit), f"{credit}. {words}", quality=75)

    controls = {
        "photo": widgets.Dropdown(options=list(PHOTOS), description="photograph"),
        "upload": PictureUpload(_prepare_own, "or your own", ended_by=("photo",)),
        "shape": widgets.Dropdown(options=list(SHAPES), description="to a square"),
        "size": widgets.IntSlider(64, 16, 128, description="size in pixels"),
        "resize": widgets.Dropdown(options=list(FILTERS), value="bilinear, anti-aliased", description="resize by"),
        "grey": widgets.Checkbox(False, description="turn grey"),
        "range_": widgets.Dropdown(options=list(RANGES), value="−1 to 1", description="values"),
        "augmentation": widgets.Dropdown(options=list(AUGMENTATIONS), value="rotate", description="augmentation"),
        "number": widgets.IntSlider(1, 0, 20, description="draw number"),
    }
    return Panel(draw, controls)


EVERYTHING = "all ten classes"
STARTS = ("a real picture", "the mean picture", "a random draw")
SLIDERS, MOST = 8, 300
ZOOM, TILE = 8, 224  # eight screen pixels a pixel, as JPEG likes it


@cache
def load_components(name: str) -> PrincipalComponents:
    """Return the principal components of one class of Fashion-MNIST's training pictures, or of all."""
    return compute_principal_components(load_class(name).images)


@cache
def load_class(name: str) -> ImageSet:
    data = load_fashion_mnist("train")
    return data if name == EVERYTHING else data.select(data.labels == data.class_names.index(name))


def compute_mix(name: str, start: str, number: int, components: int, shifts: list[float]) -> tuple[Tensor, Tensor]:
    """Return a start picture and the mix, both (1, 1, 28, 28).

    Args:
        name: of the class, or ``EVERYTHING``.
        start: one of ``STARTS``; ``number`` chooses the picture or the draw.
        components: how many components of the start are kept.
        shifts: added to the first components, in standard deviations.
    """
    pca = load_components(name)
    if start == STARTS[0]:
        images = load_class(name).select(slice(number, number + 1)).images
        coordinates = pca.compute_coordinates(images)
    else:
        spread = 0.0 if start == STARTS[1] else 1.0
        latents = spread * torch.randn(1, MOST, generator=torch.Generator().manual_seed(number))
        coordinates = latents * pca.deviations[:MOST]
        images = pca.compose(coordinates)
    kept = coordinates[:, :MOST] * (torch.arange(MOST) < components)
    kept[:, : len(shifts)] += torch.tensor(shifts) * pca.deviations[: len(shifts)]
    return images, pca.compose(kept)


def plot_mix(name: str, images: Tensor, mix: Tensor, shifts: list[float], components: int) -> Image.Image:
    """Draw the mean, the start and the mix in a row, and below them the eigen-images with their shifts."""
    pca = load_components(name)
    canvas = Image.new("RGB", (3 * TILE + 2 * GAP, TITLE + TILE + GAP + TITLE + 56 + 28), "white")
    draw = ImageDraw.Draw(canvas)
    kept = f"{components} components" if components else "the mean"
    titles = "the mean picture", "the start, unchanged", f"mix: {kept} + sliders"
    for index, (title, picture) in enumerate(zip(titles, (pca.mean, images[0], mix[0]), strict=True)):
        draw.text((index * (TILE + GAP), 3), title, "black", load_font(14))
        canvas.paste(to_pil(to_pixels(picture), ZOOM), (index * (TILE + GAP), TITLE))
    top = TITLE + TILE + GAP
    draw.text(
        (0, top), "the first eight eigen-images, and how many deviations of each are added", "black", load_font(14)
    )
    for index, (picture, shift) in enumerate(zip(compute_eigenimages(pca, SLIDERS), shifts, strict=True)):
        left = index * 88
        canvas.paste(to_pil(to_pixels(picture), 2), (left, top + TITLE))
        if shift:
            draw.rectangle((left, top + TITLE, left + 55, top + TITLE + 55), outline=ORANGE, width=3)
        sign = f"{shift:+.1f}".replace("-", "−") if shift else "0"
        draw.text((left + 28, top + TITLE + 60), f"{index + 1}: {sign}", "black", load_font(13), "ma")
    return canvas


def describe_mix(name: str, start: str, images: Tensor, mix: Tensor, components: int, shifts: list[float]) -> str:
    """Say in words what is mixed, how much of all variance it keeps and how far it is from its start."""
    kept = load_components(name).compute_kept()[components - 1].item() if components else 0.0
    moved = [f"{index + 1} by {shift:+.1f}".replace("-", "−") for index, shift in enumerate(shifts) if shift]
    return (
        f"{name}, starting from {start}. {components} of 784 components are kept; they hold {kept:.0%} of the variance "
        f"of this set. Sliders moved: {', '.join(moved) or 'none'}. The mix has a mean brightness of "
        f"{mix.mean():.2f} and differs from its start by {(mix - images).square().mean().sqrt():.2f} a pixel."
    )


def make_eigenimage_explorer() -> Panel:
    """Return the eigen-image mixer: eight sliders along the directions of largest variance."""

    def draw(name: str, start: str, number: int, components: int, **sliders: float) -> View:
        shifts = list(sliders.values())
        images, mix = compute_mix(name, start, number, components, shifts)
        words = describe_mix(name, start, images, mix, components, shifts)
        return View(plot_mix(name, images, mix, shifts, components), words, quality=75)

    return Panel(
        draw,
        {
            "name": widgets.Dropdown(
                options=[EVERYTHING, *load_fashion_mnist("train").class_names], description="pictures of"
            ),
            "start": widgets.Dropdown(options=list(STARTS), description="start from"),
            "number": widgets.IntSlider(1, 0, 99, description="which one"),
            "components": widgets.IntSlider(30, 0, MOST, description="components kept"),
            **{
                f"shift_{index}": widgets.FloatSlider(0, min=-3, max=3, step=0.1, description=f"eigen-image {index}")
                for index in range(1, SLIDERS + 1)
            },
        },
    )
