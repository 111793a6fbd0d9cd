"""Lesson classifier: what each channel of the judge answers to a picture, and which pictures it gets wrong."""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import ipywidgets as widgets
import matplotlib as mpl
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import BLUE, RED
from cnngen_course.figures.charts import draw_bars
from cnngen_course.galleries import Photo, load_photos
from cnngen_course.images import crop_square, from_pil, make_grid, to_images, to_pil
from cnngen_course.models.classifier import Classifier
from cnngen_course.objectives.classification import compute_logits
from cnngen_course.pretrained import load_judge

CLOTHES, PHOTO, OWN = "Fashion-MNIST", "photograph", "own picture"
LAYERS = {"first convolution": 0, "stage 1": 1, "stage 2": 3, "stage 3": 5, "features": 6}  # places in judge.body
HEAT = torch.from_numpy((mpl.colormaps["inferno"](range(256))[:, :3] * 255).astype("uint8"))
CHANNELS = {"first convolution": 32, "stage 1": 32, "stage 2": 64, "stage 3": 96, "features": 64}
GRIDS = {32: (6, 38), 64: (8, 28), 96: (10, 23)}  # number of channels: columns, pixels of a cell
TOP = 26
QUALITY = 75  # of the JPEG: the stills are stored in the notebook
PICTURES = 20  # choices on the slider


@cache
def load_chosen_photos() -> list[Photo]:
    return load_photos("test", "animal")


@dataclass(frozen=True)
class Look:
    """What the judge makes of one picture: its probabilities (10,) and each layer's answer (channels, H, W)."""

    chances: Tensor
    responses: dict[str, Tensor]


@torch.inference_mode()
def compute_look(judge: Classifier, images: Tensor) -> Look:
    """Send one picture (1, 1, H, W) in [-1, 1] through the judge and keep what every layer answers."""
    x, answers = images, []
    for layer in judge.body:
        x = layer(x)
        answers.append(x[0].clone())  # the next layer may change x in place
    chances = judge.head(x.mean(dim=(2, 3))).softmax(dim=1)[0]
    return Look(chances, {name: answers[place] for name, place in LAYERS.items()})


@lru_cache(maxsize=64)
def look_at(pixels: bytes) -> Look:
    """``compute_look`` of the shipped judge, remembered, so that the other controls follow at once."""
    square = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(1, 1, 28, 28)
    return compute_look(load_judge(), to_images(square))


def make_grey(picture: Image.Image) -> Tensor:
    """Cut a picture square and shrink it to what the judge knows: grey, 28x28, as pixels (1, 28, 28)."""
    return from_pil(crop_square(picture, 28).convert("L"))


def pick_picture(source: str, index: int, inverted: bool, own: Tensor | None) -> tuple[Tensor, str]:
    """Return the chosen picture, pixels (1, 28, 28), and what is known of it in words; ``own`` is the learner's."""
    if source == PHOTO:
        photo = load_chosen_photos()[index % len(load_chosen_photos())]
        name = photo.name.split("_", 1)[1].replace("_", " ").replace("-", " ")
        pixels, known = make_grey(to_pil(photo.pixels)), f"a photograph of a {name} ({photo.author}, {photo.licence})"
    elif source == OWN and own is not None:
        pixels, known = own, "your own picture"
    else:
        test = load_fashion_mnist("test")
        pixels, known = test.pixels[index], f"a picture labelled {test.class_names[test.labels[index]]}"
        if source == OWN:
            known = f"nothing of yours yet (choose a file), and so {known}"
    return (255 - pixels, f"{known}, black and white swapped") if inverted else (pixels, known)


def colour(response: Tensor, top: float) -> Tensor:
    """Turn answers (..., H, W) into heat colours, pixels (..., 3, H, W): black for 0, light yellow for ``top``."""
    shades = (response / max(top, 1e-6)).clamp(0, 1).mul(255).long()
    return HEAT[shades].movedim(-1, -3)


def plot_look(pixels: Tensor, look: Look, layer: str, channel: int) -> Image.Image:
    """Draw the picture, all channels of one layer, one of them large, and a bar for every class."""
    response = look.responses[layer]
    count, size = response.shape[:2]
    columns, cell = GRIDS[count]
    canvas = Image.new("RGB", (750, 375), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(13)
    left, right = 252, 520
    small = nn.functional.interpolate(response[None], size=cell - 1, mode="bilinear")[0]
    heats = colour((small / small.max().clamp(min=1e-6)).sqrt(), 1.0)  # the root lifts weak answers out of the dark
    canvas.paste(to_pil(pixels, 8), (0, TOP))
    canvas.paste(to_pil(make_grid(heats, columns, gap=1)), (left, TOP))
    canvas.paste(to_pil(colour(response[channel], response[channel].max().item()), 224 // size), (right, TOP))
    x, y = left + channel % columns * cell, TOP + channel // columns * cell
    draw.rectangle((x - 1, y - 1, x + cell - 1, y + cell - 1), outline="#56B4E9", width=3)
    titles = {0: "what the judge sees", left: f"{layer}: {count} channels", right: f"channel {channel}"}
    for place, title in titles.items():
        draw.text((place, 4), title, "black", font)
    draw_chances(draw, look.chances, font)
    return canvas


def draw_chances(
    draw: ImageDraw.ImageDraw, chances: Tensor, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    words = [f"{chance:.0%}" for chance in chances.tolist()]
    draw_bars(draw, (0, 290, 750, 350), chances.tolist(), words, [BLUE] * len(words), gap=17)
    for index, name in enumerate(load_fashion_mnist("test").class_names):
        draw.text((37 + 75 * index, 367), name, "black", font, anchor="ms")


def describe_look(known: str, look: Look, layer: str, channel: int) -> str:
    response = look.responses[layer]
    names, best = load_fashion_mnist("test").class_names, look.chances.topk(2)
    first, second = (f"{names[index]} ({chance:.0%})" for chance, index in zip(*map(Tensor.tolist, best), strict=True))
    size, answer = response.shape[1], response[channel]
    words = f"Shown is {known}. The judge says {first}, then {second}. "
    if answer.max() <= 0:
        return words + f"Channel {channel} of {layer} ({size} × {size} places) is silent everywhere."
    row, column = divmod(answer.argmax().item(), size)
    return words + (
        f"Channel {channel} of {layer} answers in {(answer > 0).float().mean():.0%} of its {size} × {size} places, "
        f"strongest ({answer.max():.2f}) in row {row + 1}, column {column + 1}."
    )


def make_feature_explorer() -> Panel:
    """Any picture through the judge: every layer, every channel, and what the judge believes it sees."""
    source = widgets.Dropdown(options=[CLOTHES, PHOTO, OWN], description="picture from")
    layer = widgets.Dropdown(options=list(LAYERS), value="stage 1", description="layer")
    channel = widgets.IntSlider(value=5, min=0, max=31, description="channel")
    upload = PictureUpload(make_grey, "your own picture")
    controls = {
        "source": source,
        "index": widgets.IntSlider(value=0, min=0, max=PICTURES - 1, description="which one"),
        "inverted": widgets.Checkbox(description="swap black and white"),
        "layer": layer,
        "channel": channel,
        "upload": upload,
    }

    def fit_channels(_change: object) -> None:
        channel.max = CHANNELS[layer.value] - 1

    def show_own(change: dict) -> None:
        source.value = CLOTHES if change["new"] is None else OWN

    def draw(source: str, index: int, inverted: bool, layer: str, channel: int, upload: Tensor | None) -> View:
        pixels, known = pick_picture(source, index, inverted, upload)
        look = look_at(pixels.numpy().tobytes())
        channel = min(channel, CHANNELS[layer] - 1)
        return View(plot_look(pixels, look, layer, channel), describe_look(known, look, layer, channel), QUALITY)

    layer.observe(fit_channels, "value")
    upload.observe(show_own, "value")
    return Panel(draw, controls)


@cache
def load_chances(count: int = 2000) -> Tensor:
    """Return the judge's probabilities (count, 10) for the first test pictures."""
    return compute_logits(load_judge(), load_fashion_mnist("test").select(slice(count)).images).softmax(dim=1)


def find_pairs(chances: Tensor, labels: Tensor, label: int, belief: int, sure_first: bool = True) -> Tensor:
    """Return the indices of pictures with that label and that most probable class, ordered by its probability."""
    named = chances.argmax(dim=1)
    found = ((labels == label) & (named == belief)).nonzero()[:, 0]
    return found[chances[found, belief].argsort(descending=sure_first)]


def plot_pairs(pixels: Tensor, chances: Tensor, colour: str = BLUE) -> Image.Image:
    """Draw pictures (N, 1, 28, 28) uint8 in rows of six with the given probability (N,) under each."""
    canvas = Image.new("RGB", (6 * 94, max(1, math.ceil(len(pixels) / 6)) * 106), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for index, (picture, chance) in enumerate(zip(pixels, chances.tolist(), strict=True)):
        x, y = 94 * (index % 6), 106 * (index // 6)
        canvas.paste(to_pil(picture, 3), (x + 5, y + 2))
        draw.text((x + 47, y + 103), f"{chance:.0%} sure", colour, font, anchor="mb")
    if not len(pixels):
        draw.text((282, 53), "no such picture", "black", ImageFont.load_default(20), anchor="mm")
    return canvas


def make_mistake_explorer(chances: Tensor | None = None) -> Panel:
    """Which test pictures the judge takes for what; ``chances`` (N, 10), by default of the first 2,000 pictures."""
    chances = load_chances() if chances is None else chances
    test = load_fashion_mnist("test").select(slice(len(chances)))
    names = test.class_names

    def draw(label: str, belief: str, order: str) -> View:
        wanted, believed = names.index(label), names.index(belief)
        found = find_pairs(chances, test.labels, wanted, believed, order == "surest first")
        shown = found[:12]
        total = (test.labels == wanted).sum().item()
        share = len(found) / total
        text = f"Of {total} pictures labelled {label}, the judge calls {len(found)} {belief} ({share:.1%}). "
        if len(shown):
            sure = chances[shown, believed]
            text += f"Shown are {len(shown)}, {sure[0]:.0%} to {sure[-1]:.0%} sure."
        picture = plot_pairs(test.pixels[shown], chances[shown, believed], BLUE if label == belief else RED)
        return View(picture, text, QUALITY)

    return Panel(
        draw,
        {
            "label": widgets.Dropdown(options=names, value="Shirt", description="labelled"),
            "belief": widgets.Dropdown(options=names, value="T-shirt/top", description="taken for"),
            "order": widgets.Dropdown(options=["surest first", "least sure first"], description="order"),
        },
    )
