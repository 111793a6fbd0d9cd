"""The Earth three times over, pixel for pixel: elevation, satellite picture, night lights."""

import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from data.build.ledger import Record
from data.build.licences import write_notices
from data.build.sheets import save_records
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="debian",
    package="marble-qt-data",
    version="4:22.12.3-1",
    file="marble-qt-data_22.12.3-1_all.deb",
    sha256="137e6ddc52a3a245be27f44d2ffad063ddf21c0ba5f6d48edc295b3864c9db48",
)
RECORD = Record(
    title="The Earth: elevation, satellite picture and night lights",
    contents=(
        "Three maps of the whole Earth in the same projection (equirectangular, 2700 x 1350 pixels, north up, the left "
        "edge at 180 degrees west): `elevation.png` (grey, brighter is higher; land begins at 98), `satellite.jpg` and "
        "`lights.jpg`. The elevation was put together from eight tiles of Marble's atlas without resampling; the two "
        "JPEG files are unchanged. `tiles.json` lists the squares of 64 x 64 pixels to cut out of them, every 32 "
        "pixels, between 60 degrees south and 75 degrees north, with more than 30% land. The Americas with Greenland "
        "(west of 30 degrees west) are held out for testing, and no tile crosses that border."
    ),
    author="NASA Goddard Space Flight Center, NOAA NGDC, Natural Earth; put together by the Marble project (KDE)",
    licence="public domain",
    attribution=(
        "Satellite picture: NASA Goddard Space Flight Center Earth Observatory, Blue Marble Next Generation. Night "
        "lights: Marc Imhoff of NASA GSFC, Christopher Elvidge of NOAA NGDC, Craig Mayhew and Robert Simmon of NASA "
        "GSFC. Elevation: made with Natural Earth, free vector and raster map data @ naturalearthdata.com. "
        "All in the public domain; credit is a courtesy. From Marble (KDE)."
    ),
    left_out=(
        "Antarctica and the far north, where this projection stretches everything; tiles that are mostly sea; bare "
        "ice; tiles that cross the border of the held-out region."
    ),
    sources=[SOURCE],
)

WIDTH, HEIGHT = 2700, 1350
MOSAIC_TILE = 675
TILE, STRIDE = 64, 32
NORTH, SOUTH = 75, -60
FIRST_LAND = 98
LEAST_LAND = 0.3
BARE_ICE = 225  # mean of the satellite picture, of 255
AMERICAS = (-170, -30)  # degrees of longitude
THEMES = {"elevation": "srtm", "satellite": "bluemarble", "lights": "citylights"}
FILES = {"elevation": "elevation.png", "satellite": "satellite.jpg", "lights": "lights.jpg"}


def build() -> None:
    folder = DATA / "earth"
    maps = unpack(fetch(SOURCE)) / "usr" / "share" / "marble" / "data" / "maps" / "earth"
    write_notices(folder, RECORD, licence_statements(maps))
    stitch_elevation(maps / "srtm" / "1").save(folder / FILES["elevation"], optimize=True)
    for name in ("satellite", "lights"):
        shutil.copyfile(maps / THEMES[name] / f"{THEMES[name]}.jpg", folder / FILES[name])
    records = find_tiles({name: np.asarray(Image.open(folder / file), np.float32) for name, file in FILES.items()})
    facts = {
        "tile": TILE,
        "stride": STRIDE,
        "size": [WIDTH, HEIGHT],
        "maps": FILES,
        "first_land": FIRST_LAND,
        "count": {split: sum(record["split"] == split for record in records) for split in ("train", "test")},
    }
    save_records(folder / "tiles.json", facts, records)


def licence_statements(maps: Path) -> str:
    """What the package says of each map's licence, word for word."""
    lines = ["The maps in this folder are in the public domain. Marble states for each of them:\n"]
    for name, theme in THEMES.items():
        dgml = (maps / theme / f"{theme}.dgml").read_text(encoding="utf-8")
        short, text = re.search(r'<license short="([^"]*)">(.*?)</license>', dgml, re.DOTALL).groups()
        lines.append(f"{FILES[name]}: {short}\n  {text}\n")
    return "\n".join(lines)


def stitch_elevation(folder: Path) -> Image.Image:
    elevation = Image.new("L", (WIDTH, HEIGHT))
    for row in range(HEIGHT // MOSAIC_TILE):
        for column in range(WIDTH // MOSAIC_TILE):
            tile = Image.open(folder / f"{row:06}" / f"{row:06}_{column:06}.jpg")
            elevation.paste(tile, (column * MOSAIC_TILE, row * MOSAIC_TILE))
    return elevation


def find_tiles(maps: dict[str, np.ndarray]) -> list[dict]:
    """The squares worth learning from, row by row."""
    top, bottom = (round((90 - latitude) / 180 * HEIGHT) for latitude in (NORTH, SOUTH))
    tiles = []
    for y in range(-(-top // STRIDE) * STRIDE, bottom - TILE + 1, STRIDE):
        for x in range(0, WIDTH - TILE + 1, STRIDE):
            region = region_of(x)
            elevation, satellite, lights = (maps[name][y : y + TILE, x : x + TILE] for name in FILES)
            land = float((elevation >= FIRST_LAND).mean())
            if region and land > LEAST_LAND and satellite.mean() < BARE_ICE:
                tiles.append(
                    {
                        "x": x,
                        "y": y,
                        "latitude": round(90 - (y + TILE / 2) / HEIGHT * 180, 1),
                        "longitude": round((x + TILE / 2) / WIDTH * 360 - 180, 1),
                        "land": round(land, 3),
                        "elevation": round(float(elevation.mean()), 1),
                        "lights": round(float(lights.mean()), 1),
                        "region": region,
                        "split": "test" if region == "Americas" else "train",
                    }
                )
    return tiles


def region_of(x: int) -> str | None:
    """The region a tile lies in; None for a tile across the border."""
    west, east = (edge / WIDTH * 360 - 180 for edge in (x, x + TILE))
    if west >= AMERICAS[0] and east <= AMERICAS[1]:
        return "Americas"
    return "elsewhere" if east <= AMERICAS[0] or west >= AMERICAS[1] else None
