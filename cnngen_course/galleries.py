"""The colour sets: photographs, paintings, comics and people as files; emoji, heads and maps as sheets of tiles."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from cnngen_course.datasets import Crops
from cnngen_course.images import crop_square, from_pil, to_images, to_pil, to_pixels
from cnngen_course.paths import read_data

HEADS = ("humans", "cats")
MAPS = ("elevation", "satellite", "lights")
HELD_OUT = 100  # emoji faces never trained on
LEAST = 3  # pictures of each face that stay in the training set
SHORT = 300  # pixels of a painting's short side: how broad its strokes are
CUT, CUTS = 96, 24  # pixels and number of the squares cut from the drawings
PAPER = 0.85  # of [-1, 1]; lighter pixels of a drawing are bare paper


@dataclass(frozen=True)
class Photo:
    """One photograph with what is known of it; ``pixels`` is (3, H, W) uint8."""

    name: str
    pixels: Tensor
    category: str
    author: str
    licence: str
    page: str

    @property
    def credit(self) -> str:
        """The line to print beside the picture."""
        return f"{self.name}: {self.author}, {self.licence}"


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


def load_photos(split: str | None = None, category: str | None = None) -> list[Photo]:
    """Load the course's photographs, short side at most 256 pixels, sizes differ.

    Args:
        split: "train", "test", or None for all.
        category: e.g. "animal" or "fish"; None for all.

    Raises:
        DamagedFileError: a file is missing, cut or altered.
    """
    entries = json.loads(read_data("photos", "metadata.json"))
    chosen = [entry for entry in entries if split in (None, entry["split"]) and category in (None, entry["category"])]
    if not chosen:
        raise ValueError(f"there are no photographs of split {split!r} and category {category!r}")
    return [_load_photo(entry) for entry in chosen]


def load_photo(name: str) -> Photo:
    """Load one photograph by its name, e.g. "animal_cat"."""
    entries = {entry["file"].removesuffix(".webp"): entry for entry in json.loads(read_data("photos", "metadata.json"))}
    if name not in entries:
        raise ValueError(f"there is no photograph {name!r}; there are: {', '.join(entries)}")
    return _load_photo(entries[name])


@cache
def load_grey_square(name: str, size: int) -> Tensor:
    """Return the centre of a photograph in grey, (1, 1, size, size) in [-1, 1]."""
    return to_images(from_pil(crop_square(to_pil(load_photo(name).pixels).convert("L"), size)))[None]


def _load_photo(entry: dict) -> Photo:
    file = entry["file"]
    facts = {key: entry[key] for key in ("category", "author", "licence", "page")}
    return Photo(file.removesuffix(".webp"), decode(read_data("photos", file)), **facts)


def decode(content: bytes) -> Tensor:
    """Decode a picture file of the course into uint8 pixels (3, H, W)."""
    return from_pil(Image.open(io.BytesIO(content)).convert("RGB"))


@dataclass(frozen=True)
class Cells(Dataset):
    """Pictures with two labels each, as cells of a table of faces and designs; some cells are empty.

    Attributes:
        pixels: (N, 3, H, W) uint8.
        faces, styles: (N,) int64, which face it is and in whose design.
    """

    pixels: Tensor
    faces: Tensor
    styles: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        chosen = torch.as_tensor(indices)
        return to_images(self.pixels[chosen]), self.faces[chosen], self.styles[chosen]

    @property
    def images(self) -> Tensor:
        """All pictures as floats (N, 3, H, W) in [-1, 1]."""
        return to_images(self.pixels)

    def select(self, chosen: Tensor | slice) -> "Cells":
        """Return the cells of a mask, of indices, or of a slice."""
        return Cells(self.pixels[chosen], self.faces[chosen], self.styles[chosen])


@dataclass(frozen=True)
class Table:
    """All faces in all designs, as far as they exist.

    Attributes:
        train, held_out: the cells to learn from, and those that only measure.
        face_names, style_names: what the labels mean.
        kinds: of each face: its mood where it has one, else "animal", "person" or "other".
    """

    train: Cells
    held_out: Cells
    face_names: tuple[str, ...]
    style_names: tuple[str, ...]
    kinds: tuple[str, ...]


@cache
def load_table() -> Table:
    """Load the emoji faces of the training split, and hold out ``HELD_OUT`` of them, the same ones each time."""
    gallery = load_emoji_faces("train")
    faces, face_names = gallery.compute_labels("name")
    styles, style_names = gallery.compute_labels("vendor")
    held = choose_held_out(gallery, faces)
    cells = Cells(gallery.pixels, faces, styles)
    kinds = {
        facts["name"]: facts["category"] if facts["category"] != "smiley" else facts["mood"] or "other"
        for facts in gallery.details
    }
    return Table(cells.select(~held), cells.select(held), face_names, style_names, tuple(kinds[n] for n in face_names))


def choose_held_out(gallery: Gallery, faces: Tensor) -> Tensor:
    """Return which pictures to hold out, (N,) bool: by the order of a hash, and never the last ``LEAST`` of a face."""
    texts = [f"{facts['vendor']} {facts['name']}" for facts in gallery.details]
    order = sorted(range(len(texts)), key=lambda place: hashlib.sha256(texts[place].encode()).digest())
    left, held = torch.bincount(faces), torch.zeros(len(texts), dtype=torch.bool)
    for place in order:
        if held.sum() < HELD_OUT and left[faces[place]] > LEAST:
            held[place] = True
            left[faces[place]] -= 1
    return held


def cut_squares(split: str, cuts: int = 8, size: int = 64) -> Tensor:
    """Cut squares from a split's photographs, the same each time: (photographs · cuts, 3, size, size) in [-1, 1]."""
    squares = Crops([photo.pixels for photo in load_photos(split)], size)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.cat([squares.__getitems__(range(len(squares)))[0] for _ in range(cuts)])


def load_painting(title: str) -> list[Tensor]:
    """Return one painting, (3, H, W) in [-1, 1], its short side brought to 300 pixels."""
    pixels = next(painting.pixels for painting in load_paintings() if painting.name == title)
    factor = SHORT / min(pixels.shape[1:])
    return list(F.interpolate(to_images(pixels[None]), scale_factor=factor, mode="bilinear", antialias=True))


def cut_photos(split: str, size: int = 128) -> Tensor:
    """Return the centre of each photograph of a split, (N, 3, size, size) in [-1, 1]."""
    squares = [crop_square(to_pil(photo.pixels), size) for photo in load_photos(split)]
    return to_images(torch.stack([from_pil(square) for square in squares]))


def cut_comics(paper: float) -> list[Tensor]:
    """Return squares of the drawings, (3, 96, 96) in [-1, 1], of which at most the share ``paper`` is bare paper."""
    squares = Crops([comic.pixels for comic in load_comics("train")], CUT, scale=(CUT / 200, 0.7))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cuts = torch.cat([squares.__getitems__(range(len(squares)))[0] for _ in range(3)])
    bare = (cuts.amin(dim=1) > PAPER).float().mean(dim=(1, 2))  # (N,)
    return list(cuts[bare <= paper][:CUTS])


def cut_ink() -> list[Tensor]:
    """Return squares of the drawings without their colours."""
    return [square.mean(dim=0, keepdim=True).expand(3, -1, -1) for square in cut_comics(0.5)]


def cut_blueprints() -> list[Tensor]:
    """Return the drawings as light lines on blue paper: what was white is blue, what was black is nearly white."""
    blue, light = (torch.tensor(colour).view(3, 1, 1) for colour in ([-0.85, -0.45, 0.25], [0.9, 0.95, 1.0]))
    return [blue + (light - blue) * (1 - square) / 2 for square in cut_ink()]


STYLES: dict[str, Callable[[], list[Tensor]]] = {  # what loads the pictures that show each style, in [-1, 1]
    "starry night": partial(load_painting, "The starry night"),
    "café terrace": partial(load_painting, "Café terrace at night"),
    "sunlit road": partial(load_painting, "The painter on the road to Tarascon"),
    "woodblock": partial(load_painting, "Waves"),
    "comic": partial(cut_comics, 0.3),
    "ink": cut_ink,
    "blueprint": cut_blueprints,
}


def find_picture(face: str, style: str) -> tuple[Tensor | None, bool]:
    """Return the true picture (3, 64, 64) uint8 of a face in a design, and whether the artist has learned from it."""
    table = load_table()
    wanted = table.face_names.index(face), table.style_names.index(style)
    for cells, seen in ((table.train, True), (table.held_out, False)):
        places = ((cells.faces == wanted[0]) & (cells.styles == wanted[1])).nonzero()[:, 0]
        if len(places):
            return cells.pixels[places[0]], seen
    return None, False


NEAR = 70  # of 255: so far may a pixel be from a palette colour that it votes for


def name_head_colours(images: Tensor) -> list[str | None]:
    """Name the palette's colour that most pixels of each picture (N, 3, H, W) come near to; None if hardly any do."""
    palette = load_head_colours()
    colours = torch.tensor(list(palette.values())).float()  # (7, 3)
    pixels = to_pixels(images).float().flatten(2).transpose(1, 2)  # (N, H·W, 3)
    distances = torch.cdist(pixels, colours.expand(len(pixels), -1, -1))  # (N, H·W, 7)
    nearest = torch.nn.functional.one_hot(distances.argmin(dim=2), len(colours)).bool()
    votes = (nearest & (distances < NEAR)).sum(dim=1)  # (N, 7)
    enough = pixels.shape[1] / 100
    names = list(palette)
    return [names[place] if count >= enough else None for count, place in zip(*votes.max(dim=1), strict=True)]
