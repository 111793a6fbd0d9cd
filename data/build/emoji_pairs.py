"""Outline and colour of the same emoji, pixel for pixel: OpenMoji, 64 x 64."""

import csv
import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from data.build.ledger import Record
from data.build.licences import write_notices
from data.build.sheets import COLUMNS, distances, rasterise, save_records, save_sheet
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="npm",
    package="openmoji",
    version="17.0.0",
    file="openmoji-17.0.0.tgz",
    sha256="55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68",
)
RECORD = Record(
    title="Emoji in outline and in colour (OpenMoji)",
    contents=(
        "`outline.webp` and `colour.webp` are two lossless sheets with the same emoji at the same place, 64 x 64 "
        "pixels each, RGB on white, 32 to a row; `labels.json` lists them in that order. They were drawn by resvg at "
        "their final size from the SVG files in `black/svg` and `color/svg` of the package. About a tenth is held out "
        "for testing. Emoji that differ only by gender, hair or direction, that have equal outlines or look nearly the "
        "same share one `family`, and no family is split between training and testing. Equal outlines in different "
        "colours (hearts, circles, birds) share an `outline_group`: there, one outline has several right answers."
    ),
    author="the OpenMoji project; the designer of each emoji is named in `labels.json`",
    licence="CC BY-SA 4.0",
    attribution=(
        "All emojis designed by OpenMoji (https://openmoji.org), the open-source emoji and icon project. Licence: "
        "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/). The two sheets are under the same licence."
    ),
    left_out=(
        "Skin tones (the yellow ones stay), flags and identity flags, brands, trademarks and portraits of living "
        "people, keycaps, arrows, letters, punctuation, mathematical, religious, zodiac, media-player, user-interface "
        "and plain geometric signs, filled shapes, pictures whose colour version is as good as black and white, "
        "near-duplicates, and all but three of each group of equal outlines."
    ),
    sources=[SOURCE],
)

SIZE = 64
KINDS = ("black", "color")
TEST_SHARE = 0.1
DROPPED_GROUPS = {"flags", "component", "extras-unicode"}
DROPPED_SUBGROUPS = set(
    [
        "flags",
        "brand",
        "queer-symbols",
        "keycap",
        "arrow",
        "alphanum",
        "punctuation",
        "math",
        "gender",
        "religion",
        "zodiac",
        "av-symbol",
        "ui-element",
    ]
)
DROPPED_CODES = set(
    "E183 E188 "  # living people
    "E145 E149 E1C9 E1D3 E1D0 25C9-FE0F-200D-1F534 25C9-FE0F-200D-1F534-200D-25AE-FE0F "  # trademarks
    "1F595 E181 "  # an insult, a drunk person
    "E0A2 E0A3 E0A4 E1D8 1F6BE 1F518 1F532 1F533".split()  # stencils, QR code, "WC", buttons
)
DROPPED_NAMES = ("black circle", "black large square", "black medium", "black small")

# What makes no new picture: joiners, variation, gender, direction, hair.
MODIFIERS = set(["200D", "FE0F", "2640", "2642", "27A1", "1F9B0", "1F9B1", "1F9B2", "1F9B3"])
PEOPLE = set(["1F468", "1F469", "1F9D1", "1F466", "1F467", "1F9D2"])  # man, woman, person, boy, girl, child

COLOURLESS = 2.0  # mean absolute difference of outline and colour below which there is nothing to colour
FILLED = 0.3  # share of dark outline pixels above which it is no outline
DUPLICATE = 2.0  # mean absolute colour difference at half size
SIMILAR = 4.0  # the same, for pictures that must not be split between training and testing
SAME_OUTLINE = 0.5
OUTLINE_COPIES = 3
LARGEST_TEST_FAMILY = 6


def build() -> None:
    folder = DATA / "emoji_pairs"
    package = unpack(fetch(SOURCE)) / "package"
    write_notices(folder, RECORD, (package / "LICENSE.txt").read_text(encoding="utf-8"))
    rows, outlines, colours = draw_all(package)
    kept, groups = thin_out(outlines, colours)
    rows, outlines, colours = ([items[i] for i in kept] for items in (rows, outlines, colours))
    records = label(rows, groups, find_families(rows, groups, colours))
    save_sheet(outlines, folder / "outline.webp")
    save_sheet(colours, folder / "colour.webp")
    facts = {
        "tile": SIZE,
        "columns": COLUMNS,
        "sheets": {"outline": "outline.webp", "colour": "colour.webp"},
        "count": {split: sum(r["split"] == split for r in records) for split in ("train", "test")},
    }
    save_records(folder / "labels.json", facts, records)


def draw_all(package: Path) -> tuple[list[dict], list[Image.Image], list[Image.Image]]:
    """Draw every wanted emoji twice; leave out those that are no outline or have no colour."""
    with (package / "data" / "openmoji.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if is_wanted(row)]
    drawn = [
        (
            row,
            *(
                rasterise((package / kind / "svg" / f"{row['hexcode']}.svg").read_text(encoding="utf-8"), SIZE)
                for kind in KINDS
            ),
        )
        for row in rows
    ]
    rows, outlines, colours = zip(*(item for item in drawn if is_pair(*item[1:])), strict=True)
    return list(rows), list(outlines), list(colours)


def is_wanted(row: dict) -> bool:
    return not (
        row["skintone"]
        or row["group"] in DROPPED_GROUPS
        or row["subgroups"] in DROPPED_SUBGROUPS
        or row["hexcode"] in DROPPED_CODES
        or row["annotation"].startswith(DROPPED_NAMES)
    )


def is_pair(outline: Image.Image, colour: Image.Image) -> bool:
    ink, paint = np.asarray(outline, np.float32), np.asarray(colour, np.float32)
    return bool(np.abs(ink - paint).mean() >= COLOURLESS and (ink < 80).mean() <= FILLED)


def thin_out(outlines: list[Image.Image], colours: list[Image.Image]) -> tuple[list[int], list[int | None]]:
    """Indices of the pictures to keep, and for each the number of its group of equal outlines, if it has one."""
    apart, outline_apart = distances(colours), distances(outlines)
    kept: list[int] = []
    for i in range(len(colours)):
        twins = [j for j in kept if outline_apart[i, j] < SAME_OUTLINE]
        if len(twins) < OUTLINE_COPIES and all(apart[i, j] >= DUPLICATE for j in kept):
            kept.append(i)
    components = connected(outline_apart[np.ix_(kept, kept)] < SAME_OUTLINE)
    shared = [c for c in dict.fromkeys(components) if components.count(c) > 1]
    return kept, [shared.index(c) if c in shared else None for c in components]


def connected(adjacent: np.ndarray) -> list[int]:
    """Label the connected components of a symmetric relation by their smallest member."""
    labels = list(range(len(adjacent)))
    for i, j in zip(*np.nonzero(np.triu(adjacent, 1)), strict=True):
        low, high = sorted((labels[i], labels[j]))
        labels = [low if label == high else label for label in labels]
    return labels


def base_of(code: str) -> str:
    """The code points that make the picture: without gender, hair and direction."""
    points = [point for point in code.split("-") if point not in MODIFIERS]
    return "-".join(dict.fromkeys("1F9D1" if point in PEOPLE else point for point in points))


def find_families(rows: list[dict], groups: list[int | None], colours: list[Image.Image]) -> list[int]:
    """Number the families of pictures that belong together, so that none is split between training and testing."""
    related = distances(colours) < SIMILAR
    for keys in ([base_of(row["hexcode"]) for row in rows], groups):
        members = defaultdict(list)
        for i, key in enumerate(keys):
            if key is not None:
                members[key].append(i)
        for indices in members.values():
            related[np.ix_(indices, indices)] = True
    components = connected(related)
    order = {c: number for number, c in enumerate(dict.fromkeys(components))}
    return [order[c] for c in components]


def choose_test_families(rows: list[dict], families: list[int]) -> set[int]:
    """Whole families in the order of a hash, until a tenth of the pictures is reached; very large ones stay out."""
    first = {family: row["hexcode"] for row, family in reversed(list(zip(rows, families, strict=True)))}
    small = [family for family in first if families.count(family) <= LARGEST_TEST_FAMILY]
    chosen, count = set(), 0
    for family in sorted(small, key=lambda family: hashlib.sha256(first[family].encode()).digest()):
        if count >= TEST_SHARE * len(rows):
            break
        chosen.add(family)
        count += families.count(family)
    return chosen


def label(rows: list[dict], groups: list[int | None], families: list[int]) -> list[dict]:
    test = choose_test_families(rows, families)
    return [
        {
            "code": row["hexcode"],
            "base": base_of(row["hexcode"]),
            "name": row["annotation"],
            "category": row["group"],
            "subcategory": row["subgroups"],
            "author": row["openmoji_author"],
            "outline_group": group,
            "family": family,
            "split": "test" if family in test else "train",
        }
        for row, group, family in zip(rows, groups, families, strict=True)
    ]
