"""Ink-and-colour drawings of animals, buildings, landscapes and vehicles, as a comic style."""

import hashlib
import shutil
from pathlib import Path

from PIL import Image

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.pictures import empty_folder, write_metadata
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="debian",
    package="pysiogame",
    version="4.20.01-1",
    file="pysiogame_4.20.01-1_all.deb",
    sha256="6b22766dfd8ef3a046c2665fe2598ac8a1ecee3d331bda38accf53de65bc59bf",
)
RECORD = Record(
    title="166 drawings in ink and colour (Art4Apps)",
    contents=(
        "Drawings of animals, buildings, landscapes and vehicles on white, 200 x 200 pixels, as the very JPEG"
        " files of the package: nothing was changed but the selection and the names. `metadata.json` tells of"
        " each the category, title, size, author, licence, page and source, and whether it belongs to the "
        "training or the test set (80 to 20 in every category)."
    ),
    author="Smart4Kids (Art4Apps)",
    licence="CC BY-SA 3.0",
    attribution=(
        "Drawings from Art4Apps (http://www.art4apps.org/) by Smart4Kids, CC BY-SA 3.0 "
        "(https://creativecommons.org/licenses/by-sa/3.0/), by way of pysiogame by Ireneusz Imiolek, whose "
        "CREDITS.txt names the licence without its version."
    ),
    left_out=(
        "People, their bodies, clothes, food, fruit, sports and actions; apes; drawings with an arrow that "
        "points at a part; drawings that are the same as another or very like it; a few for their poor "
        "drawing, and a hospital for its red cross."
    ),
    sources=[SOURCE],
)
PICTURES = "usr/share/games/pysiogame/res/images/art4apps"
FOLDERS = {"animals": "animal", "construction": "building", "nature": "landscape", "transport": "vehicle"}
LEFT_OUT = {
    "animals": "anteater chimp doe elk gorilla lama leopard opossum oyster pigeon rat slug toad viper wasp",
    "construction": "bank brick chimney door hospital roof smoke staircase steeple step",
    "nature": "cliff coast dune hill lake lava peak rock",
    "transport": "bike carpet handlebar mast pedal sail",
}
TEST_SHARE = 0.2


def build() -> None:
    folder = empty_folder(DATA / "comic")
    write_notices(folder, RECORD, licence_text("CC-BY-SA-3.0"))
    entries = [entry for name in FOLDERS for entry in copy_folder(name, folder)]
    write_metadata(folder, entries)


def copy_folder(name: str, target: Path) -> list[dict]:
    """Copy the chosen drawings of one folder of the package and return what is known of them."""
    drawings = (unpack(fetch(SOURCE)) / PICTURES / name).glob("*.jpg")
    chosen = sorted(path for path in drawings if path.stem not in LEFT_OUT[name].split())
    shuffled = sorted(chosen, key=lambda path: hashlib.sha256(path.stem.encode()).digest())
    test = shuffled[: round(TEST_SHARE * len(chosen))]
    entries = []
    for path in chosen:
        file = f"{FOLDERS[name]}_{path.name}"
        shutil.copyfile(path, target / file)
        entries.append(
            {
                "file": file,
                "category": FOLDERS[name],
                "title": path.stem.replace("_", " "),
                "size": Image.open(path).size,
                "author": RECORD.author,
                "licence": RECORD.licence,
                "page": "http://www.art4apps.org/",
                "source": f"{SOURCE.package} {SOURCE.version}",
                "split": "test" if path in test else "train",
            }
        )
    return entries
