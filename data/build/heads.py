"""Drawn human heads and cat heads in the same pose and the same fantasy colours, 64 x 64, for unpaired translation.

No skin or fur has a colour that real skin has, on either side: see "people" in the ledger's ``left_out``.
"""

import json
import random
from functools import cache
from pathlib import Path

import numpy as np
from dicebear import Avatar, Style
from PIL import Image
from scipy import ndimage

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sheets import COLUMNS, rasterise, save_records, save_sheet
from data.build.sources import DATA, Source, fetch, unpack

STYLES = Source(
    registry="pypi",
    package="dicebear-styles",
    version="10.6.0",
    file="dicebear_styles-10.6.0-py3-none-any.whl",
    sha256="5a5b0b9c534d133fa06f1dd29f280139995965b32b08c5635a69cc6afc30930d",
)
ROBOHASH = Source(
    registry="pypi",
    package="robohash",
    version="2.0",
    file="robohash-2.0-py3-none-any.whl",
    sha256="fbb51f1e30924200a3c055360eddc09d722018a47ff28f4a73d523889b3d6ba4",
)
RECORD = Record(
    title="Drawn human heads and cat heads",
    contents=(
        "`humans.webp` and `cats.webp` are two lossless sheets of 1,000 heads each, 64 x 64 pixels, RGB on white, 32 "
        "to a row; `humans.json` and `cats.json` list them in that order, with every part they were put together from, "
        "and with labels that both sides share (colour, glasses, open mouth, closed eyes). The humans were drawn by "
        "DiceBear's style Adventurer, mirrored so that they look to the right as the cats do, with the skin in one of "
        "seven fantasy colours. The cats were composed from the parts of robohash's set 4; the bodies were tinted in "
        "the same seven colours (five of them are furs of the set), the tail was taken off and the head cut out. "
        "Parts were drawn by lot with a fixed seed, no two heads have the same parts, and the last 200 of each side "
        "are held out for testing. The two sides are not paired."
    ),
    author="Lisa Wischofsky (humans, Adventurer), David Revoy (cats)",
    licence="CC BY 4.0",
    attribution=(
        'Human heads: remix of "Adventurer" (https://www.figma.com/community/file/1184595184137881796) by Lisa '
        "Wischofsky, licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), recoloured. Cat heads: "
        "cat generator by David Revoy (https://www.peppercarrot.com/extras/html/2016_cat-generator/), from Robohash, "
        "licensed under CC BY 4.0, recoloured and cropped."
    ),
    left_out=(
        "Skin tones of real people and furs that resemble them: no lesson maps people to animals by skin. Hair that "
        "the picture's edge would cut off, earrings, freckles and birthmarks (too small at 64 pixels), two mouths and "
        "two pairs of eyes that look ill, one pair of glasses, and the accessory that stands before the cat."
    ),
    sources=[STYLES, ROBOHASH],
)

SIZE = 64
COUNT = 1000
TEST_COUNT = 200
COLOURS = {
    "lime": (168, 233, 91),
    "turquoise": (92, 208, 190),
    "blue": (134, 179, 242),
    "violet": (165, 135, 235),
    "lilac": (187, 152, 177),
    "pink": (241, 106, 152),
    "yellow": (255, 219, 94),
}

HUMAN_WINDOW = "45 48 662 662"  # of the style's 762 x 762, mirrored
HAIR = [f"long{n:02}" for n in (1, 2, 3, 4, 5, 7, 8, 12, 13, 19, 20, 21, 23, 25, 26)]
HAIR += [f"short{n:02}" for n in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 19)]
HAIR_COLOURS = {
    "ink": "#2b2d42",
    "plum": "#5b2a6e",
    "petrol": "#176b7a",
    "indigo": "#3b3fa0",
    "magenta": "#a3195b",
    "silver": "#d9dce3",
}
EYES = [n for n in range(1, 27) if n not in (8, 9)]
CLOSED_EYES = {19, 20}
MOUTHS = [n for n in range(1, 31) if n not in (13, 24)]
CLOSED_MOUTHS = {2, 4, 6, 8, 9, 10, 17, 19, 20, 29}
GLASSES = {"none": None, "sunglasses": 1, "square": 2, "round": 4, "half-rim": 5}
DETAILS = ("none", "blush", "mustache")

CAT_WINDOW = (120, -40, 1016, 856)  # of the parts' 1024 x 1024
CAT_FURS = "faint stripes,stripes,plain,swirls,dark eye,white eye,white tips,white muzzle,patches,dots".split(",")
CAT_ACCESSORIES = (
    "red scarf,bell,collar,red headband,pink bow,black hat,red headphones,blue scarf,wooden bell,camera,"
    "chain,bandana,blue bow,red hat,grey headphones,none"
).split(",")
CAT_GLASSES = {4: "monocle", 12: "square"}
CAT_CLOSED_EYES = {6}
CAT_CLOSED_MOUTHS = {1, 6}


def build() -> None:
    folder = DATA / "heads"
    write_notices(folder, RECORD, licence_text("CC-BY-4.0"))
    for name, choose, draw in (("humans", choose_human, draw_human), ("cats", choose_cat, draw_cat)):
        records = choose_all(choose, seed=name)
        save_sheet([draw(record) for record in records], folder / f"{name}.webp")
        facts = {
            "tile": SIZE,
            "columns": COLUMNS,
            "sheets": {name: f"{name}.webp"},
            "count": {"train": COUNT - TEST_COUNT, "test": TEST_COUNT},
            "colours": COLOURS,
        }
        save_records(folder / f"{name}.json", facts, records)


def choose_all(choose, seed: str) -> list[dict]:
    """Draw ``COUNT`` different heads by lot; the last ``TEST_COUNT`` are for testing."""
    lot = random.Random(seed)
    chosen: dict[tuple, dict] = {}
    while len(chosen) < COUNT:
        record = choose(lot)
        chosen.setdefault(tuple(record.values()), record)
    splits = ["train"] * (COUNT - TEST_COUNT) + ["test"] * TEST_COUNT
    return [record | {"split": split} for record, split in zip(chosen.values(), splits, strict=True)]


def choose_human(lot: random.Random) -> dict:
    hair, eyes, mouth = lot.choice(HAIR), lot.choice(EYES), lot.choice(MOUTHS)
    glasses = lot.choices(list(GLASSES), weights=(8, 1, 1, 1, 1))[0]
    return {
        "colour": lot.choice(list(COLOURS)),
        "hair": hair,
        "hair_length": hair.rstrip("0123456789"),
        "hair_colour": lot.choice(list(HAIR_COLOURS)),
        "eyes": eyes,
        "eyebrows": lot.randint(1, 15),
        "mouth": mouth,
        "glasses": glasses,
        "detail": lot.choices(DETAILS, weights=(17, 2, 1))[0],
        "wears_glasses": glasses != "none",
        "mouth_open": mouth not in CLOSED_MOUTHS,
        "eyes_closed": eyes in CLOSED_EYES,
    }


def draw_human(record: dict) -> Image.Image:
    glasses, detail = GLASSES[record["glasses"]], record["detail"]
    options = {
        "seed": "",
        "flip": "horizontal",
        "skinColor": ["#{:02x}{:02x}{:02x}".format(*COLOURS[record["colour"]])],
        "hairColor": [HAIR_COLOURS[record["hair_colour"]]],
        "hairVariant": [record["hair"]],
        "earringsProbability": 0,
        "glassesVariant": [f"variant{glasses or 1:02}"],
        "glassesProbability": 100 if glasses else 0,
        "detailsVariant": [detail if detail != "none" else "blush"],
        "detailsProbability": 100 if detail != "none" else 0,
    }
    options |= {f"{part}Variant": [f"variant{record[part]:02}"] for part in ("eyes", "eyebrows", "mouth")}
    svg = Avatar(adventurer(), options).to_string()
    return rasterise(svg.replace('viewBox="0 0 762 762"', f'viewBox="{HUMAN_WINDOW}"'), SIZE)


@cache
def adventurer() -> Style:
    return Style(
        json.loads((unpack(fetch(STYLES)) / "dicebear_styles" / "adventurer.json").read_text(encoding="utf-8"))
    )


def choose_cat(lot: random.Random) -> dict:
    eyes, mouth = lot.randrange(15), lot.randrange(10)
    accessory = lot.choice([name for name in CAT_ACCESSORIES if name != "camera"] + ["none"] * 8)
    return {
        "colour": lot.choice(list(COLOURS)),
        "body": lot.randrange(15),
        "fur": lot.choice(CAT_FURS),
        "eyes": eyes,
        "mouth": mouth,
        "accessory": accessory,
        "glasses": CAT_GLASSES.get(eyes, "none"),
        "wears_glasses": eyes in CAT_GLASSES,
        "mouth_open": mouth not in CAT_CLOSED_MOUTHS,
        "eyes_closed": eyes in CAT_CLOSED_EYES,
    }


def draw_cat(record: dict) -> Image.Image:
    """Lay the parts over each other at double size; markings end where the body ends."""
    body = cat_body(record["body"], record["colour"])
    fur = cat_part("001#01fur", CAT_FURS.index(record["fur"])).copy()
    fur.putalpha(Image.fromarray(np.minimum(np.asarray(fur)[..., 3], np.asarray(body)[..., 3])))
    cat = Image.new("RGBA", body.size, "white")
    for part in (
        body,
        fur,
        cat_part("002#02eyes", record["eyes"]),
        cat_part("003#03mouth", record["mouth"]),
        cat_part("004#04accessories", CAT_ACCESSORIES.index(record["accessory"])),
    ):
        cat.alpha_composite(part)
    return cat.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)


@cache
def cat_body(number: int, colour: str) -> Image.Image:
    """The body without its tail, tinted: the commonest brightness becomes the wanted colour, lines get darker."""
    pixels = np.asarray(cat_part("000#00body", number)).astype(np.float32)
    regions, _ = ndimage.label(ndimage.binary_erosion(pixels[..., 3] > 128, iterations=2))
    head = ndimage.binary_dilation(regions == regions[SIZE, SIZE], iterations=4)  # what hangs together in the middle
    brightness = pixels[..., :3] @ np.float32([0.299, 0.587, 0.114])
    tone = brightness / np.median(brightness[pixels[..., 3] == 255])
    tinted = np.clip(tone[..., None] ** 1.5 * COLOURS[colour], 0, 255)
    return Image.fromarray(np.dstack([tinted, pixels[..., 3] * head]).round().astype(np.uint8))


@cache
def cat_part(kind: str, number: int) -> Image.Image:
    """One part, cut to the window and shrunk to double the final size."""
    path: Path = next((unpack(fetch(ROBOHASH)) / "robohash" / "sets" / "set4" / kind).glob(f"{number:03}#*"))
    window = Image.open(path).convert("RGBA").crop(CAT_WINDOW)
    return window.convert("RGBa").resize((2 * SIZE, 2 * SIZE), Image.Resampling.BOX).convert("RGBA")
