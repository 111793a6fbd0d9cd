"""The colour sets of Part IV: paintings, comics and people as files; emoji, heads and maps as sheets of tiles."""

import json
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnngen_course.datasets import Photo, decode
from cnngen_course.images import to_images
from cnngen_course.paths import read_data

HEADS = ("humans", "cats")
MAPS = ("elevation", "satellite", "lights")


@dataclass(frozen=True)
class Gallery:
    """Pictures of one size, each with what is known of it.

    Attributes:
        pixels: (N, 3, H, W) uint8.
        details: one dictionary a picture, e.g. ``{"name": "red apple", "category": "food-drink", ...}``.
    """

    pixels: Tensor
    details: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def images(self) -> Tensor:
        """All pictures as floats (N, 3, H, W) in [-1, 1]."""
        return to_images(self.pixels)

    def where(self, **wanted: Any) -> "Gallery":
        """Return the pictures whose details have all the wanted values, e.g. ``where(category="animal")``."""
        unknown = set(wanted) - set().union(*self.details)
        if unknown:
            raise ValueError(f"no detail named {', '.join(sorted(unknown))}; there are: {', '.join(self.details[0])}")
        chosen = [i for i, facts in enumerate(self.details) if all(facts.get(k) == v for k, v in wanted.items())]
        return Gallery(self.pixels[chosen], tuple(self.details[index] for index in chosen))

    def compute_labels(self, detail: str) -> tuple[Tensor, tuple[str, ...]]:
        """Return one detail as labels (N,) int64 with the names they stand for, in sorted order."""
        names = tuple(sorted({str(facts[detail]) for facts in self.details}))
        return torch.tensor([names.index(str(facts[detail])) for facts in self.details]), names


def load_emoji_pairs(split: str) -> tuple[Gallery, Gallery]:
    """Load OpenMoji outlines and the same emoji in colour, 64x64, aligned pixel by pixel; "train" or "test"."""
    outlines, colours = (_load_sheet("emoji_pairs", "labels.json", name, split) for name in ("outline", "colour"))
    return outlines, colours


def load_heads(kind: str, split: str) -> Gallery:
    """Load drawn heads, 64x64: ``kind`` is "humans" or "cats", ``split`` "train" or "test"."""
    if kind not in HEADS:
        raise ValueError(f"kind is one of {', '.join(HEADS)}, got {kind!r}")
    return _load_sheet("heads", f"{kind}.json", kind, split)


def load_head_colours() -> dict[str, tuple[int, int, int]]:
    """Load the seven colours, each red, green and blue in 0..255, that skins and furs of the heads are drawn in."""
    return {name: tuple(colour) for name, colour in json.loads(read_data("heads", "cats.json"))["colours"].items()}


def load_emoji_faces(split: str) -> Gallery:
    """Load emoji faces by several vendors, 64x64: "train", "test", or "test_vendor" (a vendor never trained on)."""
    return _load_sheet("emoji_faces", "labels.json", "faces", split)


def load_earth(split: str) -> dict[str, Gallery]:
    """Load the same places as elevation, satellite picture and night lights, 64x64; the Americas are "test"."""
    facts = json.loads(read_data("earth", "tiles.json"))
    chosen = _select(facts["pictures"], split)
    size = facts["tile"]
    maps = {name: decode(read_data("earth", facts["maps"][name])) for name in MAPS}
    return {
        name: Gallery(
            torch.stack([whole[:, d["y"] : d["y"] + size, d["x"] : d["x"] + size] for d in chosen]), tuple(chosen)
        )
        for name, whole in maps.items()
    }


def load_paintings() -> list[Photo]:
    """Load nine paintings by Van Gogh and one woodblock print, short side 372 to 560; the category is the style."""
    return _load_files("paintings", None, "style")


def load_comics(split: str | None = None) -> list[Photo]:
    """Load ink-and-colour drawings, 200x200; ``split`` is "train", "test", or None for all."""
    return _load_files("comic", split, "category")


def load_people() -> list[Photo]:
    """Load five pictures with identifiable faces, for the lesson on privacy only: show them anonymised."""
    return _load_files("people", None, None)


def load_face_boxes() -> list[tuple[Tensor, Tensor]]:
    """Load where the faces of ``load_people`` are, in the same order: boxes of faces (F, 4), and of masked ones (M, 4).

    A box is left, top, right, bottom in pixels, drawn by hand from forehead to chin.
    """
    entries = json.loads(read_data("people", "metadata.json"))
    kinds = [
        [torch.tensor(entry[kind], dtype=torch.float32).view(-1, 4) for kind in ("faces", "masks")] for entry in entries
    ]
    return [(faces, masks) for faces, masks in kinds]


def _load_sheet(name: str, labels: str, sheet: str, split: str) -> Gallery:
    facts = json.loads(read_data(name, labels))
    tiles = _cut_tiles(decode(read_data(name, facts["sheets"][sheet])), facts["tile"])
    places = [place for place, entry in enumerate(facts["pictures"]) if entry["split"] == split]
    return Gallery(tiles[places], tuple(_select(facts["pictures"], split)))


def _cut_tiles(sheet: Tensor, size: int) -> Tensor:
    """Cut a sheet (3, rows·size, columns·size) into tiles (rows·columns, 3, size, size), row by row."""
    tiles = sheet.unfold(1, size, size).unfold(2, size, size)  # (3, rows, columns, size, size)
    return tiles.permute(1, 2, 0, 3, 4).flatten(0, 1).contiguous()


def _select(entries: list[dict[str, Any]], split: str) -> list[dict[str, Any]]:
    splits = {entry["split"] for entry in entries}
    if split not in splits:
        raise ValueError(f"split is one of {', '.join(sorted(splits))}, got {split!r}")
    return [entry for entry in entries if entry["split"] == split]


def _load_files(name: str, split: str | None, category: str | None) -> list[Photo]:
    entries = json.loads(read_data(name, "metadata.json"))
    return [
        Photo(
            entry["title"],
            decode(read_data(name, entry["file"])),
            entry[category] if category else name,
            *(entry[key] for key in ("author", "licence", "page")),
        )
        for entry in (entries if split is None else _select(entries, split))
    ]
