"""Rasterising drawings and packing small pictures into one lossless sheet."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

COLUMNS = 32
WEBP_LIMIT = 16383


def rasterise(svg: str, size: int) -> Image.Image:
    """Draw a square SVG on white, anti-aliased at its final size: no resampling, so no halos and small files."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, background="white", skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGB")


def distances(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Mean absolute difference of every two pictures, at half size."""
    small = np.stack([np.asarray(picture.reduce(2), np.float32).ravel() for picture in pictures])
    return np.stack([np.abs(small - one).mean(1) for one in small])


def pack(pictures: Sequence[Image.Image], columns: int = COLUMNS) -> Image.Image:
    """Lay equal pictures out in rows, left to right; the rest of the last row stays white."""
    tiles = np.stack([np.asarray(picture) for picture in pictures])
    count, height, width = tiles.shape[:3]
    rows = -(-count // columns)
    sheet = np.full((rows * columns, *tiles.shape[1:]), 255, np.uint8)
    sheet[:count] = tiles
    grid = sheet.reshape(rows, columns, height, width, *tiles.shape[3:]).swapaxes(1, 2)
    return Image.fromarray(grid.reshape(rows * height, columns * width, *tiles.shape[3:]))


def save_sheet(pictures: Sequence[Image.Image], path: Path, columns: int = COLUMNS) -> None:
    """Save equal pictures as one lossless WebP sheet, ``columns`` to a row."""
    sheet = pack(pictures, columns)
    if max(sheet.size) > WEBP_LIMIT:
        raise ValueError(f"{path.name} would be {sheet.size}, and WebP ends at {WEBP_LIMIT} pixels: use more columns")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, lossless=True, quality=100, method=6)


def save_records(path: Path, facts: dict, records: Sequence[dict]) -> None:
    """Save a metadata file: a few facts about the sheets, then ``pictures``, one line for each picture in order."""
    lines = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in records)
    head = json.dumps(facts, ensure_ascii=False, indent=1)[:-2]
    path.write_text(f'{head},\n "pictures": [\n{lines}\n ]\n}}\n', encoding="utf-8")
