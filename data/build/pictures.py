"""Shrinking photographs and paintings, and writing who made them."""

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from data.build.licences import licence_text

PUBLIC_DOMAIN = "public domain"
CC0 = "CC0-1.0"
FREE = {"Public Domain": PUBLIC_DOMAIN, "Public domain": PUBLIC_DOMAIN, "CC0-1.0": CC0}
SRGB = ImageCms.createProfile("sRGB")


def read_picture(content: bytes) -> Image.Image:
    """Decode a picture, turn it upright and convert its colours to sRGB."""
    picture = Image.open(io.BytesIO(content))
    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    if profile and profile[16:20] == b"RGB ":
        picture = ImageCms.profileToProfile(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB)
    return picture


def shrink(picture: Image.Image, short_side: int, long_side: int) -> Image.Image:
    """Shrink to ``short_side`` (never enlarge), then cut what is over ``long_side`` evenly from both ends."""
    scale = min(1, short_side / min(picture.size))
    width, height = (round(side * scale) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    new = min(width, long_side), min(height, long_side)
    left, top = (width - new[0]) // 2, (height - new[1]) // 2
    return small.crop((left, top, left + new[0], top + new[1]))


def save_webp(picture: Image.Image, path: Path, quality: int) -> None:
    picture.save(path, quality=quality, method=6)


def empty_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_metadata(folder: Path, entries: Sequence[dict]) -> None:
    """Write one JSON object a line, so that a change to one picture shows as one line."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (folder / "metadata.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_free_licence(folder: Path) -> None:
    """The LICENSE of a set whose pictures are public domain or CC0, as ATTRIBUTION.md tells for each."""
    (folder / "LICENSE").write_text(
        "Every picture in this folder is either in the public domain or given to it with the CC0 1.0 dedication\n"
        "below; ATTRIBUTION.md says which holds for which picture, who made it and where it was published.\n\n"
        + licence_text("CC0-1.0"),
        encoding="utf-8",
    )


def write_attribution(folder: Path, sentence: str, entries: Sequence[dict]) -> None:
    rows = [f"| {e['file']} | {e['author']} | {e['licence']} | {link(e['page'])} |" for e in entries]
    table = "\n".join(["| file | author | licence | published at |", "|---|---|---|---|", *rows])
    (folder / "ATTRIBUTION.md").write_text(f"{sentence}\n\n{table}\n", encoding="utf-8")


def link(page: str) -> str:
    return f"<{page}>" if page else ""
