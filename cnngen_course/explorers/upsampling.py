"""Four ways to enlarge a picture and their checkerboards; a map of pictures to walk over."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor, nn

from cnngen_course.datasets import ImageSet, load_fashion_mnist
from cnngen_course.explorers.pad import XYPad
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import PALETTE, load_font, make_axes, put_side_by_side
from cnngen_course.galleries import load_photo
from cnngen_course.images import (
    crop_square,
    encode_jpeg,
    from_pil,
    make_grid,
    to_pil,
    to_pixels,
)
from cnngen_course.metrics import compute_checkerboard
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.operations import count_overlaps, resize_bilinear, resize_nearest
from cnngen_course.pretrained import load_pretrained

METHODS = {
    "nearest, then convolution": "nearest",
    "bilinear, then convolution": "bilinear",
    "transposed convolution": "transposed",
    "convolution, then pixel shuffle": "shuffle",
}
WEIGHTS = {"all equal": "equal", "a tent (high in the middle)": "tent", "random (an untrained network)": "random"}
# Clothes by their index in the test set.
PICTURES: dict[str, Any] = {"kingfisher": "photo", "ankle boot": 0, "pullover": 1, "trouser": 2}
SIDE = 24  # pixels of the small picture
SHOWN = 288  # pixels of each of the three pictures side by side
GREY = 0.5
VISIBLE = 3.0  # grey levels; a weaker pattern is hard to see


def compute_weight(kind: str, method: str, kernel_size: int, stride: int, seed: int = 5) -> Tensor:
    """Return kernels (out, 1, K, K) of a kind, scaled so that on average the picture keeps its brightness."""
    kernels = stride**2 if method == "shuffle" else 1
    if kind == "random":
        weight = torch.rand(kernels, 1, kernel_size, kernel_size, generator=torch.Generator().manual_seed(seed))
    elif kind == "tent":
        line = 1 - (torch.arange(kernel_size) - (kernel_size - 1) / 2).abs() / (kernel_size / 2)
        weight = torch.outer(line, line).expand(kernels, 1, -1, -1)
    else:
        weight = torch.ones(kernels, 1, kernel_size, kernel_size)
    total = stride**2 if method in ("transposed", "shuffle") else 1
    return weight / weight.sum() * total


def compute_upsampled(images: Tensor, weight: Tensor, method: str, stride: int) -> Tensor:
    """Enlarge pictures (N, C, H, W) ``stride`` times by one of the four methods, each channel by itself.

    The border is repeated outwards first, so that what is seen is the method and not the border.
    """
    single = images.flatten(0, 1)[:, None]  # (N·C, 1, H, W)
    if method == "nearest":
        large = convolve_same(resize_nearest(single, stride), weight)
    elif method == "bilinear":
        large = convolve_same(resize_bilinear(single, *(stride * side for side in single.shape[2:])), weight)
    elif method == "shuffle":
        large = nn.functional.pixel_shuffle(convolve_same(single, weight), stride)
    else:
        large = stamp_same(single, weight, stride)
    return large.view(*images.shape[:2], *large.shape[2:])


def convolve_same(images: Tensor, weight: Tensor) -> Tensor:
    before, after = (weight.shape[-1] - 1) // 2, weight.shape[-1] // 2
    return nn.functional.conv2d(nn.functional.pad(images, (before, after) * 2, mode="replicate"), weight)


def stamp_same(images: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Transposed convolution, cut to ``stride`` times the size with each stamp centred on its pixel."""
    height, width = (stride * side for side in images.shape[2:])
    around = weight.shape[-1]
    large = nn.functional.conv_transpose2d(
        nn.functional.pad(images, (around,) * 4, mode="replicate"), weight, stride=stride
    )
    start = around * stride + (around - stride) // 2
    return large[:, :, start : start + height, start : start + width]


def compute_overlaps(method: str, kernel_size: int, stride: int, size: int = 8) -> Tensor:
    """Return how many products are added up in each output pixel (size, size), away from the border."""
    ones = torch.ones_like(compute_weight("equal", method, kernel_size, stride))
    return compute_upsampled(torch.ones(1, 1, size, size), ones, method, stride)[0, 0, :size, :size]


def compute_untrained(method: str, kernel_size: int, stride: int = 2, count: int = 100) -> float:
    """Return the checkerboard that networks with random weights draw on flat grey, in grey levels of 255.

    It is the mean over ``count`` networks. Before any training, this is what a generator begins with.
    """
    flat = torch.full((1, 1, 8, 8), GREY)
    weights = [compute_weight("random", method, kernel_size, stride, seed) for seed in range(count)]
    patterns = [compute_checkerboard(compute_upsampled(flat, weight, method, stride), stride) for weight in weights]
    return 255 * torch.cat(patterns).mean().item()


def plot_overlaps(sizes: Sequence[tuple[int, int]]) -> Figure:
    """Plot how many stamps of a transposed convolution cover each pixel, for each (kernel size, stride)."""
    figure, axes = make_axes(1, len(sizes), 1.8, 2.0)
    for place, (kernel_size, stride) in zip(axes[0], sizes, strict=True):
        counts = count_overlaps(4, kernel_size, stride)
        place.imshow(counts, cmap="Blues", vmin=0, vmax=counts.max() + 1)
        for row, line in enumerate(counts.int().tolist()):
            for column, count in enumerate(line):
                colour = "white" if count > 0.6 * (counts.max() + 1) else "black"
                place.text(column, row, count, ha="center", va="center", fontsize=7, color=colour)
        place.set_title(f"kernel {kernel_size}, stride {stride}")
        place.set_axis_off()
    return figure


@cache
def load_small(name: str) -> Tensor:
    """Return one of the explorer's pictures as brightness in [0, 1], (1, C, SIDE, SIDE)."""
    if PICTURES[name] == "photo":
        pixels = load_photo(f"animal_{name}").pixels
    else:
        pixels = load_fashion_mnist("test").pixels[PICTURES[name]]
    return shrink(to_pil(pixels))


def shrink(picture: Image.Image) -> Tensor:
    return from_pil(crop_square(picture, SIDE))[None] / 255


def make_upsampling_explorer() -> Panel:
    """Choose a way to enlarge a picture; see its checkerboard on the picture and on flat grey."""
    controls = {
        "name": widgets.Dropdown(options=list(PICTURES), value="ankle boot", description="picture"),
        "method": widgets.Dropdown(options=list(METHODS.items()), value="transposed", description="method"),
        "weights": widgets.Dropdown(options=list(WEIGHTS.items()), description="weights"),
        "kernel_size": widgets.IntSlider(3, 1, 7, description="kernel"),
        "stride": widgets.IntSlider(2, 1, 4, description="stride"),
        "upload": PictureUpload(shrink, "your own picture", ended_by=("name",)),
    }

    return Panel(draw_upsampling, controls)


def draw_upsampling(upload: Tensor | None, name: str, method: str, weights: str, kernel_size: int, stride: int) -> View:
    small = load_small(name) if upload is None else upload
    weight = compute_weight(weights, method, kernel_size, stride)
    large = compute_upsampled(small, weight, method, stride)
    flat = compute_upsampled(torch.full((1, 1, 8, 8), GREY), weight, method, stride)[:, :, :8, :8]
    overlaps = compute_overlaps(method, kernel_size, stride)
    tiles = (draw_tile(small), draw_tile(large), write_numbers(draw_tile(flat), overlaps))
    titles = (f"{SIDE} × {SIDE} pixels", f"enlarged {stride}×", "flat grey, enlarged (8 × 8 pixels of it)")
    shown = f"the {name}" if upload is None else "your picture"
    return View(put_side_by_side(tiles, titles), describe(shown, method, weights, stride, overlaps, large, flat))


def describe(shown: str, method: str, weights: str, stride: int, overlaps: Tensor, large: Tensor, flat: Tensor) -> str:
    counts = [str(int(count)) for count in overlaps.unique()]
    spread = "equally many everywhere" if len(counts) == 1 else "not equally many"
    pattern = 255 * compute_checkerboard(flat, stride).item()
    in_picture = 255 * compute_checkerboard(large, stride).item()
    verdict = "a checkerboard that one sees" if pattern >= VISIBLE else "no visible checkerboard"
    ways = {value: key for key, value in METHODS.items()}
    kinds = {value: key.split(" (")[0] for key, value in WEIGHTS.items()}
    return (
        f"{ways[method].capitalize()}, weights {kinds[weights]}, on {shown}: each output pixel adds up "
        f"{' or '.join(counts)} products, {spread}. Flat grey gets {verdict}: it varies by {pattern:.1f} of 255 grey "
        f"levels from pixel to pixel; the same pattern in the picture has {in_picture:.1f}."
    )


def draw_tile(brightness: Tensor) -> Image.Image:
    """Turn one picture (1, C, H, W) with brightness in [0, 1] into a Pillow image of SHOWN pixels."""
    return to_pil(to_pixels(2 * brightness[0] - 1)).convert("RGB").resize((SHOWN, SHOWN), Image.Resampling.NEAREST)


def write_numbers(tile: Image.Image, numbers: Tensor) -> Image.Image:
    """Write a table of whole numbers (n, n) over a picture, dark on light and light on dark."""
    draw, step, font = ImageDraw.Draw(tile), SHOWN / len(numbers), load_font(13)
    for row, line in enumerate(numbers.tolist()):
        for column, number in enumerate(line):
            centre = ((column + 0.5) * step, (row + 0.5) * step)
            red, *_ = cast(tuple[int, ...], tile.getpixel((int(centre[0]), int(centre[1]))))
            colour = "black" if red > 120 else "white"
            draw.text(centre, f"{number:.0f}", colour, font, anchor="mm")
    return tile


@dataclass(frozen=True)
class PictureMap:
    """Pictures as points on a plane, by an autoencoder of two numbers.

    ``places`` (N, 2) are in [-1, 1], y upwards; ``middle`` and ``reach`` (2,) turn them into latents.
    """

    model: Autoencoder
    data: ImageSet
    places: Tensor
    middle: Tensor
    reach: Tensor

    @torch.inference_mode()
    def draw(self, places: Tensor) -> Tensor:
        """Return the decoder's pictures (N, 1, 28, 28) at places (N, 2)."""
        return self.model.decoder(self.middle + self.reach * places)

    def find_nearest(self, place: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the distances and indices of the pictures nearest to one place (2,), nearest first."""
        return (self.places - place).norm(dim=1).topk(count, largest=False)


@torch.inference_mode()
def compute_map(model: Autoencoder, data: ImageSet) -> PictureMap:
    """Encode all pictures; the plane [-1, 1]² is laid over 98% of them along each number."""
    model.eval()
    latents = torch.cat([model.encoder(batch) for batch in data.images.split(500)])  # (N, 2)
    low, high = latents.quantile(torch.tensor([0.01, 0.99]), dim=0)
    middle, reach = (low + high) / 2, (high - low) / 2
    return PictureMap(model, data, (latents - middle) / reach, middle, reach)


@cache
def load_map() -> PictureMap:
    """Return the map of 2,000 test pictures by the course's trained weights."""
    return compute_map(load_pretrained("map_autoencoder", Autoencoder), load_fashion_mnist("test").select(slice(2000)))


def compute_lattice(rows: int, columns: int) -> Tensor:
    """Return evenly spaced places (rows·columns, 2) of the plane, row by row from the top left."""
    down, across = ((torch.arange(count) + 0.5) / count * 2 - 1 for count in (rows, columns))
    y, x = torch.meshgrid(-down, across, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def compute_atlas(picture_map: PictureMap, rows: int = 16, columns: int = 16) -> Tensor:
    """Return one picture (1, rows·28, columns·28), uint8: what the decoder draws all over the plane."""
    return make_grid(to_pixels(picture_map.draw(compute_lattice(rows, columns))), columns, gap=0)


def plot_map(picture_map: PictureMap) -> Figure:
    """Plot where each picture lies, a sign and a colour for each class, and its name at the class's middle."""
    figure, axes = make_axes(1, 1, 5.2, 4.4)
    place = axes[0, 0]
    for label in range(len(picture_map.data.class_names)):
        points = picture_map.places[picture_map.data.labels == label][:120]  # enough to see the shape
        colour = PALETTE[label % len(PALETTE)]
        place.scatter(*points.T, 9, colour, "osv^DPX*dp"[label], alpha=0.6, linewidths=0)
    for label, (x, y) in enumerate(spread_names(compute_middles(picture_map)).tolist()):
        colour = PALETTE[label % len(PALETTE)]
        box = {"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.2", "alpha": 0.9}
        place.text(x, y, picture_map.data.class_names[label], ha="center", va="center", fontsize=9, bbox=box)
    place.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="first number, scaled", ylabel="second number, scaled")
    return figure


def compute_middles(picture_map: PictureMap) -> Tensor:
    """Return the median place of each class, (classes, 2)."""
    labels = picture_map.data.labels
    return torch.stack([picture_map.places[labels == label].median(dim=0).values for label in labels.unique()])


def spread_names(places: Tensor, width: float = 0.36, height: float = 0.11) -> Tensor:
    """Move places (N, 2) down, from the top one on, until no two names of this size overlap."""
    places = places.clamp(-0.85, 0.85)
    done: list[int] = []
    for index in places[:, 1].argsort(descending=True).tolist():
        for other in done:
            gap = (places[index] - places[other]).abs()
            if gap[0] < width and gap[1] < height:
                places[index, 1] = places[other, 1] - height
        done.append(index)
    return places


def make_latent_explorer() -> Panel:
    """Drag a point over the map of pictures; the decoder draws what lies there."""
    background = encode_jpeg(to_pil(compute_atlas(load_map())))
    return Panel(draw_place, {"place": XYPad(value=(0.5, 0.1), description="place on the map", background=background)})


def draw_place(place: tuple[float, float]) -> View:
    picture_map = load_map()
    drawn = to_pixels(picture_map.draw(torch.tensor([place])))[0]
    distances, nearest = picture_map.find_nearest(torch.tensor(place), 4)
    real = make_grid(picture_map.data.pixels[nearest], columns=2, gap=0)
    tiles = (to_pil(drawn, 8), to_pil(real, 4))
    picture = put_side_by_side(tiles, ("drawn from two numbers", "the four nearest real pictures"))
    names = [picture_map.data.class_names[label] for label in picture_map.data.labels[nearest]]
    kinds = ", ".join(dict.fromkeys(names))
    far = "; no real picture is near, so the decoder has to guess" if distances[0] > 0.1 else ""
    x, y = (picture_map.middle + picture_map.reach * torch.tensor(place)).tolist()
    return View(picture, f"The decoder was given ({x:.2f}, {y:.2f}). The nearest real pictures: {kinds}{far}.")
