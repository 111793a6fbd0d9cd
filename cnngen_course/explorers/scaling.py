"""Any face in any design and what lies between; and what width, depth and data buy."""

from functools import cache

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.experiments.scaling import SERIES, load_runs
from cnngen_course.explorers.panel import Panel, View
from cnngen_course.figures import put_side_by_side
from cnngen_course.figures.scaling import describe_scaling, plot_series
from cnngen_course.galleries import find_picture, load_table
from cnngen_course.images import to_pil, to_pixels
from cnngen_course.models.artist import Artist
from cnngen_course.pretrained import load_pretrained

FACES = (
    "grinning face",
    "smiling face with heart eyes",
    "winking face with tongue",
    "nerd face",
    "face with raised eyebrow",
    "slightly frowning face",
    "loudly crying face",
    "face with open mouth",
    "angry face",
    "angry face with horns",
    "face with medical mask",
    "nauseated face",
    "alien",
    "pleading face",
    "yawning face",
    "cold face",
    "baby",
    "man beard",
    "woman curly hair",
    "prince",
    "police officer",
    "mage",
    "cat face",
    "dog face",
    "panda",
    "tiger face",
    "unicorn",
    "rabbit face",
)
GREY = 214  # of the place of a picture that does not exist


@cache
def load_artist() -> Artist:
    return load_pretrained("artist", Artist)


def choose_faces() -> list[str]:
    """Return those of ``FACES`` that the artist knows."""
    return [name for name in FACES if name in load_table().face_names]


def mix(first: str, second: str, share: float, names: tuple[str, ...]) -> Tensor:
    """Return shares (1, len(names)): ``share`` of the second, the rest of the first."""
    start, end = (F.one_hot(torch.tensor(names.index(name)), len(names)).float() for name in (first, second))
    return torch.lerp(start, end, share)[None]


@torch.inference_mode()
def draw_faces(faces: Tensor, styles: Tensor) -> Tensor:
    """Draw mixtures of faces in mixtures of styles, shares (N, faces) and (N, styles) -> (N, 3, 64, 64) in [-1, 1]."""
    return load_artist()(faces, styles)


def make_artist_explorer() -> Panel:
    """Choose two faces and two designs and mix both."""
    styles = list(load_table().style_names)
    controls = {
        "first": widgets.Dropdown(options=choose_faces(), value="grinning face", description="face"),
        "second": widgets.Dropdown(options=choose_faces(), value="angry face with horns", description="mixed with"),
        "share": widgets.FloatSlider(0.35, min=0, max=1, step=0.05, description="share of the second"),
        "style": widgets.Dropdown(options=styles, value="noto", description="design"),
        "other": widgets.Dropdown(options=styles, value="fluent", description="mixed with"),
        "style_share": widgets.FloatSlider(0.3, min=0, max=1, step=0.05, description="share of the other"),
    }
    return Panel(draw_artist, controls)


def draw_artist(first: str, second: str, share: float, style: str, other: str, style_share: float) -> View:
    table = load_table()
    face, design = mix(first, second, share, table.face_names), mix(style, other, style_share, table.style_names)
    count = len(table.style_names)
    pictures = draw_faces(
        torch.cat([face, face.expand(count, -1)]), torch.cat([design, torch.eye(count)])
    )  # the mixture, then the same face in each design
    tiles = [to_pil(pixels) for pixels in to_pixels(pictures)]
    large = tiles[0].resize((288, 288), Image.Resampling.LANCZOS)
    nearest = first if share <= 0.5 else second
    columns = [
        stack(tile, find_picture(nearest, name)[0]) for tile, name in zip(tiles[1:], table.style_names, strict=True)
    ]
    row = put_side_by_side(columns, table.style_names, gap=14)
    whole = Image.new("RGB", (large.width + 20 + row.width, large.height), "white")
    whole.paste(large, (0, 0))
    whole.paste(row, (large.width + 20, 40))
    return View(whole, describe_artist(first, second, share, style, other, style_share), quality=80)


def stack(drawn: Image.Image, true: Tensor | None) -> Image.Image:
    """Return what was drawn above the true picture, or above an empty place."""
    column = Image.new("RGB", (84, 174), "white")
    column.paste(drawn.resize((84, 84), Image.Resampling.LANCZOS), (0, 0))
    below = Image.new("RGB", (64, 64), (GREY, GREY, GREY)) if true is None else to_pil(true)
    column.paste(below.resize((84, 84), Image.Resampling.LANCZOS), (0, 90))
    return column


def describe_artist(first: str, second: str, share: float, style: str, other: str, style_share: float) -> str:
    who = first if share == 0 or first == second else f"{1 - share:.0%} {first} and {share:.0%} {second}"
    how = (
        style if style_share == 0 or style == other else f"{1 - style_share:.0%} {style} and {style_share:.0%} {other}"
    )
    nearest = first if share <= 0.5 else second
    found = {name: find_picture(nearest, name) for name in load_table().style_names}
    never = [name for name, (picture, _) in found.items() if picture is None]
    held = [name for name, (picture, seen) in found.items() if picture is not None and not seen]
    facts = []
    if never:
        facts.append(f"{' and '.join(never)} never drew it")
    if held:
        facts.append(f"{' and '.join(held)} was kept from the artist")
    known = "; ".join(facts) if facts else "the artist learned from all six"
    return f"Left: {who}, in the design {how}. Right: the same face in each design, above the true {nearest} ({known})."


def list_budgets() -> tuple[float, float]:
    """Return the logarithms (base 10) of what the cheapest first moment and the dearest last one cost."""
    costs = [cost for run in load_runs().values() for cost in run.compute_cost()]
    return torch.tensor(min(costs)).log10().item(), torch.tensor(max(costs)).log10().item()


def make_scaling_explorer() -> Panel:
    """Choose what grows and what may be spent."""
    low, high = list_budgets()
    controls = {
        "name": widgets.Dropdown(options=list(SERIES), value="width", description="what grows"),
        "power": widgets.FloatSlider(
            round((low + high) / 2, 1),
            min=round(low - 0.1, 1),
            max=round(high + 0.1, 1),
            step=0.1,
            description="spend 10 to the power",
        ),
        "with_train": widgets.Checkbox(True, description="training pictures, too"),
    }
    return Panel(draw_scaling, controls)


def draw_scaling(name: str, power: float, with_train: bool) -> View:
    return View(plot_series(name, 10**power, with_train), describe_scaling(name, 10**power, with_train))
