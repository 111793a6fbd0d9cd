"""A picture while it is being drawn, and candidates from most to least probable."""

import math
from dataclasses import dataclass
from functools import cache

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import BLUE, ORANGE, charts, load_font
from cnngen_course.images import make_grid, to_pil, to_pixels
from cnngen_course.metrics import compute_features, compute_sharpness
from cnngen_course.models.classifier import Classifier
from cnngen_course.models.pixelcnn import PixelCNN, compute_order
from cnngen_course.objectives.likelihood import (
    compute_log_likelihood,
    count_nats,
    sample_levels,
    to_bits_per_dimension,
    to_grey,
    to_levels,
)
from cnngen_course.pretrained import load_judge, load_pretrained

DRAWS = 8  # pictures drawn side by side in the explorer
CANDIDATES = 32
GIVEN_ROWS = 14  # of a picture that the network completes
UNDRAWN = (196, 214, 232)  # a tint that no grey picture has
BEGINNINGS = {"an empty page": False, "the upper half of a test picture": True}


@cache
def load_model() -> PixelCNN:
    """Return the course's trained PixelCNN."""
    return load_pretrained("pixelcnn", PixelCNN)


@cache
def load_class_names() -> tuple[str, ...]:
    return load_fashion_mnist("test").class_names


def make_class_list(label: int) -> widgets.Dropdown:
    classes = [(name, number) for number, name in enumerate(load_class_names())]
    return widgets.Dropdown(options=classes, value=label, description="class")


@cache
def load_example(label: int) -> Tensor:
    """Return the levels of the first test picture of a class, (1, 1, 28, 28)."""
    data = load_fashion_mnist("test")
    return to_levels(data.select(data.labels == label).select(slice(1)).images, load_model().level_count)


@torch.inference_mode()
def compute_chances(model: PixelCNN, levels: Tensor, labels: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the probabilities that each pixel was drawn with, in the order of drawing: (N, size², level_count)."""
    chances = (model(levels, labels) / temperature).softmax(dim=1)
    row, column = compute_order(model.size).T
    return chances[:, :, row, column].transpose(1, 2)


@dataclass(frozen=True)
class Draws:
    """Pictures that were drawn together: ``levels`` (N, size, size), and ``chances`` of each pixel in its turn."""

    levels: Tensor
    chances: Tensor
    given: int  # so many pixels, from the first on, were not drawn but given


def compute_draws(model: PixelCNN, label: int, temperature: float, beginning: Tensor | None) -> Draws:
    """Draw DRAWS pictures of a class, always the same ones; ``beginning`` (1, 1, size, size) lends its upper half."""
    labels, known = torch.full((DRAWS,), label), None
    if beginning is not None:
        known = beginning.expand(DRAWS, -1, -1, -1).clone()
        known[:, :, GIVEN_ROWS:] = -1
    levels = sample_levels(model, labels, temperature, known, torch.Generator().manual_seed(1))
    given = 0 if known is None else GIVEN_ROWS * model.size
    return Draws(levels[:, 0], compute_chances(model, levels, labels, temperature), given)


DRAWN: dict[tuple[int, float, bool], Draws] = {}  # what was drawn once is kept


def load_draws(label: int, temperature: float, completing: bool) -> Draws:
    key = (label, temperature, completing)
    if key not in DRAWN:
        DRAWN[key] = compute_draws(load_model(), label, temperature, load_example(label) if completing else None)
    return DRAWN[key]


def make_drawing_explorer() -> Panel:
    """Watch pictures being drawn pixel by pixel, with the probabilities of the next one."""
    controls = {
        "drawn": widgets.IntSlider(420, 0, 784, description="pixels drawn"),
        "label": make_class_list(9),
        "number": widgets.IntSlider(1, 1, DRAWS, description="which of the draws"),
        "temperature": widgets.FloatSlider(1.0, min=0.5, max=1.5, step=0.25, description="temperature"),
        "completing": widgets.Dropdown(options=list(BEGINNINGS.items()), description="begin with"),
    }

    def is_slow(label: int, temperature: float, completing: bool, **_others: int) -> bool:
        return (label, temperature, completing) not in DRAWN

    return Panel(draw_drawing, controls, slow=is_slow)


def draw_drawing(drawn: int, label: int, number: int, temperature: float, completing: bool) -> View:
    draws = load_draws(label, temperature, completing)
    partial = paint_partial(draws.levels, drawn)
    large = partial[number - 1].resize((336, 336), Image.Resampling.NEAREST)
    canvas = Image.new("RGB", (756, 466), "white")
    pen = ImageDraw.Draw(canvas)
    if drawn < len(draws.chances[0]):
        row, column = compute_order(draws.levels.shape[-1])[drawn].tolist()
        frame = (12 * column - 2, 12 * row - 2, 12 * column + 13, 12 * row + 13)
        ImageDraw.Draw(large).rectangle(frame, outline=ORANGE, width=3)
        chances, taken = draws.chances[number - 1, drawn], int(draws.levels[number - 1, row, column])
        draw_bars(pen, chances, taken, (376, 0, 756, 336), drawn < draws.given)
    else:
        pen.text((376, 150), "All pixels are drawn.", "black", load_font(16))
    canvas.paste(large, (0, 0))
    pen.text((0, 348), f"all {DRAWS} draws at this moment", "black", load_font(13))
    for index, picture in enumerate(partial):
        left = index * 96
        canvas.paste(picture.resize((84, 84), Image.Resampling.NEAREST), (left, 372))
        if index == number - 1:
            pen.rectangle((left - 1, 371, left + 84, 456), outline=ORANGE, width=3)
    return View(canvas, describe_drawing(draws, drawn, number, label, temperature))


def paint_partial(levels: Tensor, drawn: int) -> list[Image.Image]:
    """Return the pictures (N, size, size) with only the first ``drawn`` pixels in place, the others in a tint."""
    pixels = to_pixels(to_grey(levels))[..., None].repeat(1, 1, 1, 3)  # (N, size, size, 3)
    row, column = compute_order(levels.shape[-1])[drawn:].T
    pixels[:, row, column] = torch.tensor(UNDRAWN, dtype=torch.uint8)
    return [Image.fromarray(picture) for picture in pixels.numpy()]


def draw_bars(
    pen: ImageDraw.ImageDraw, chances: Tensor, taken: int, box: tuple[int, int, int, int], given: bool
) -> None:
    """Draw the probabilities of all levels as bars over swatches of grey; the level that was taken is marked."""
    left, top, right, bottom = box
    floor, wide = bottom - 48, (right - left) / len(chances)
    pen.text((left, top), "probability of each level for the next pixel, in %", "black", load_font(13))
    height = floor - top - 44
    for share in (0.5, 1):
        pen.line((left, floor - share * height, right, floor - share * height), fill="#DDDDDD")
        pen.text((left, floor - share * height - 2), f"{share:.0%}", "#777777", load_font(11), anchor="lb")
    percents = [f"{100 * chance:.0f}" if chance >= 0.05 else "" for chance in chances.tolist()]
    colours = [ORANGE if level == taken else BLUE for level in range(len(chances))]
    charts.draw_bars(pen, (left, floor - height, right, floor), chances.tolist(), percents, colours)
    for level in range(len(chances)):
        x, grey = left + level * wide, round(255 * level / (len(chances) - 1))
        pen.rectangle((x + 2, floor + 4, x + wide - 3, floor + 18), fill=(grey,) * 3, outline="#888888")
    middle = left + (taken + 0.5) * wide
    pen.text((middle, floor + 21), "▲", ORANGE, load_font(12), anchor="mt")
    origin = "given" if given else "drawn"
    anchor = "lt" if taken < 3 else "rt" if taken > 12 else "mt"
    x = {"lt": middle - 6, "rt": middle + 6, "mt": middle}[anchor]
    pen.text((x, floor + 35), origin, "black", load_font(12), anchor=anchor)


def describe_drawing(draws: Draws, drawn: int, number: int, label: int, temperature: float) -> str:
    levels, chances = draws.levels[number - 1], draws.chances[number - 1]
    row, column = compute_order(levels.shape[-1]).T
    surprise = -chances.gather(1, levels[row, column][:, None])[:, 0].log2()  # bits, in the order of drawing
    name = load_class_names()[label]
    start = f"Draw {number} of class {name} at temperature {temperature:g}"
    if draws.given:
        start += f", the first {draws.given} pixels given"
    own = surprise[draws.given : drawn]
    so_far = f" So far the draw took {own.mean():.2f} bits a pixel." if len(own) else ""
    if drawn == len(chances):
        return f"{start}: finished.{so_far}"
    best, taken = int(chances[drawn].argmax()), int(levels[row[drawn], column[drawn]])
    got = "it was given" if drawn < draws.given else "it was drawn"
    if best == taken:
        choice = f"the likeliest level is {best} with {chances[drawn, best]:.0%}, and {got}"
    else:
        verb = got.removeprefix("it ")
        choice = (
            f"the likeliest level is {best} with {chances[drawn, best]:.0%}, "
            f"but level {taken} {verb}, which had {chances[drawn, taken]:.1%}"
        )
    return f"{start}. Next is pixel {drawn + 1} of {len(chances)}: {choice} ({surprise[drawn]:.1f} bits).{so_far}"


@dataclass(frozen=True)
class Ranking:
    """Candidates of a class from most to least probable: ``levels`` (N, 1, size, size), ``bits`` (N,) a pixel.

    ``surprise`` (N, size, size) is in bits; ``verdicts`` (N, classes) are the judge's probabilities.
    """

    levels: Tensor
    bits: Tensor
    surprise: Tensor
    verdicts: Tensor


@torch.inference_mode()
def compute_ranking(model: PixelCNN, judge: Classifier, label: int, count: int = CANDIDATES) -> Ranking:
    """Draw ``count`` candidates of a class, always the same ones, and order them by their probability."""
    labels = torch.full((count,), label)
    levels = sample_levels(model, labels, generator=torch.Generator().manual_seed(2))
    order = compute_log_likelihood(model, levels, labels).argsort(descending=True)
    levels = levels[order]
    surprise = count_nats(model(levels, labels), levels)
    bits = to_bits_per_dimension(-surprise.flatten(1).sum(dim=1), model.size**2)
    verdicts = judge.head(compute_features(judge, to_grey(levels, model.level_count))).softmax(dim=1)
    return Ranking(levels, bits, surprise / math.log(2), verdicts)


RANKED: dict[int, Ranking] = {}


def load_ranking(label: int) -> Ranking:
    if label not in RANKED:
        RANKED[label] = compute_ranking(load_model(), load_judge(), label)
    return RANKED[label]


def make_ranking_explorer() -> Panel:
    """Go through candidates from the most to the least probable; see where each one surprises the network."""
    controls = {
        "rank": widgets.IntSlider(1, 1, CANDIDATES, description="rank"),
        "label": make_class_list(6),
    }
    return Panel(draw_ranking, controls, slow=lambda rank, label: label not in RANKED)


def draw_ranking(rank: int, label: int) -> View:
    ranking, place = load_ranking(label), rank - 1
    canvas = Image.new("RGB", (752, 480), "white")
    pen = ImageDraw.Draw(canvas)
    pixels = to_pixels(to_grey(ranking.levels))
    heat = paint_surprise(ranking.surprise[place])
    for left, picture, title in (
        (0, to_pil(pixels[place], 8).convert("RGB"), f"rank {rank} of {len(pixels)}"),
        (240, heat.resize((224, 224), Image.Resampling.NEAREST), "its surprise, pixel by pixel"),
    ):
        pen.text((left, 2), title, "black", load_font(13))
        canvas.paste(picture, (left, 22))
    draw_ladder(pen, ranking.bits, place, (490, 22, 748, 246))
    grid = make_grid(pixels, columns=16, gap=3)
    small = to_pil(grid).convert("RGB")
    pen.text((0, 262), f"all {len(pixels)} candidates, the most probable at the top left", "black", load_font(13))
    canvas.paste(
        small.resize((round(small.width * 1.52), round(small.height * 1.52)), Image.Resampling.BICUBIC), (0, 284)
    )
    step = 31 * 1.52
    x, y = (place % 16) * step, 284 + (place // 16) * step
    pen.rectangle((x - 2, y - 2, x + 28 * 1.52 + 1, y + 28 * 1.52 + 1), outline=ORANGE, width=3)
    cut = canvas.crop((0, 0, 752, round(284 + 2 * step + 4)))
    return View(cut, describe_ranking(ranking, place, label))


def paint_surprise(surprise: Tensor) -> Image.Image:
    """Paint bits a pixel (size, size): nothing is white, 6 bits and more are the darkest orange-red."""
    share = (surprise / 6).clamp(0, 1)[..., None]
    ends = torch.tensor([[255.0, 255, 255], [140, 40, 0]])
    return Image.fromarray(torch.lerp(ends[0], ends[1], share).round().to(torch.uint8).numpy())


def draw_ladder(pen: ImageDraw.ImageDraw, bits: Tensor, place: int, box: tuple[int, int, int, int]) -> None:
    """Draw the candidates' bits a pixel as a row of dots, rank to the right; the chosen one is marked."""
    left, top, right, bottom = box
    low, high = bits.min().item(), bits.max().item()
    pen.text((left, 2), "bits a pixel, by rank", "black", load_font(13))
    pen.line((left, top, left, bottom, right, bottom), fill="#888888")
    pen.text((right, bottom - 4), "least probable", "#555555", load_font(11), anchor="rb")
    pen.text((left + 8, bottom - 4), "most probable", "#555555", load_font(11), anchor="lb")
    for index, value in enumerate(bits.tolist()):
        x = left + 12 + index * (right - left - 24) / max(1, len(bits) - 1)
        y = bottom - 44 - (value - low) / max(1e-6, high - low) * (bottom - top - 68)
        reach = 6 if index == place else 3
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=ORANGE if index == place else BLUE)
        if index == place:
            # The dots rise to the right: there is room at the lower right, and at the upper left.
            spot, anchor = ((x + 6, y + 6), "lt") if index < len(bits) / 2 else ((x - 6, y - 6), "rb")
            pen.text(spot, f"{value:.2f}", "black", load_font(13), anchor=anchor)


def describe_ranking(ranking: Ranking, place: int, label: int) -> str:
    names = load_class_names()
    image = to_grey(ranking.levels[place : place + 1])
    chance, named = ranking.verdicts[place].max(dim=0)
    edges, light = compute_sharpness(image).item(), (image.mean().item() + 1) / 2
    probability = -ranking.bits[place].item() * image.numel() * math.log10(2)
    return (
        f"Rank {place + 1} of {len(ranking.bits)} candidates of class {names[label]}: {ranking.bits[place]:.2f} bits a "
        f"pixel, a probability of 10 to the power of {probability:.0f}. Edges {edges:.2f}, mean brightness {light:.2f} "
        f"(the most probable: {compute_sharpness(to_grey(ranking.levels[:1])).item():.2f}). "
        f"The judge says {names[named]} ({chance:.0%})."
    )
