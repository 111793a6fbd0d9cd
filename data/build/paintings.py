"""Nine paintings by Vincent van Gogh and a woodblock print, as styles to transfer."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from data.build import gcompris
from data.build.gcompris import credited_pictures
from data.build.ledger import Record
from data.build.photos import BUDGIE, BUDGIE_CREDIT
from data.build.pictures import (
    FREE,
    PUBLIC_DOMAIN,
    empty_folder,
    read_picture,
    save_webp,
    shrink,
    write_attribution,
    write_free_licence,
    write_metadata,
)
from data.build.sources import DATA, Source, fetch, unpack

OPENCV = Source(
    registry="debian",
    package="opencv-doc",
    version="4.6.0+dfsg-12",
    file="opencv-doc_4.6.0+dfsg-12_all.deb",
    sha256="4b12681df35878207ac7097dc66184b2ae552e4bf4ddd2af04a0f03ed0b8682a",
)
RECORD = Record(
    title="Nine paintings by Vincent van Gogh and a woodblock print of waves",
    contents=(
        "Ten pictures as WebP of quality 90, in sRGB, with a short side of about 370 to 560 pixels; scan "
        "borders were cut off, and the print was cut evenly to a width of 700. `metadata.json` tells of each "
        "the title, author, year, style, size, licence, page and source. There is no test set: each picture "
        "is a style of its own."
    ),
    author="Vincent van Gogh; the woodblock print comes from the Budgie Desktop Developers",
    licence="public domain or CC0-1.0, told for each picture",
    attribution=(
        "Paintings by Vincent van Gogh (1853-1890), in the public domain; the woodblock print of waves, "
        "published by the Budgie Desktop Developers under CC0 1.0."
    ),
    left_out="The photographs among the GCompris details, and its second folder of paintings, which is labelled GPL.",
    sources=[gcompris.SOURCE, OPENCV, BUDGIE],
)
SHORT_SIDE, LONG_SIDE, QUALITY = 560, 700, 90
VAN_GOGH = "Vincent van Gogh"
OIL = "oil painting"
STARRY_NIGHT = "usr/share/doc/opencv-doc/examples/data/starry_night.jpg"


@dataclass(frozen=True)
class Painting:
    """A painting in its package; ``border`` is how many pixels to cut off: left, top, right and bottom."""

    name: str
    original: str
    title: str
    year: int
    border: tuple[int, int, int, int] = (0, 0, 0, 0)


IN_GCOMPRIS = (
    Painting("asylum_entrance", "VincentVanGogh0012", "Entrance hall of the asylum", 1889, (0, 0, 4, 9)),
    Painting("cafe_terrace", "Gogh4", "Café terrace at night", 1888),
    Painting("church_at_auvers", "Eglise_dAuvers-sur-Oise", "The church at Auvers", 1890, (1, 0, 0, 0)),
    Painting("harvest", "VincentVanGogh0019", "The harvest", 1888, (0, 10, 0, 9)),
    Painting("langlois_bridge", "VincentVanGoghBridge", "The Langlois bridge at Arles", 1888, (0, 0, 4, 6)),
    Painting("night_cafe", "Van_Gogh_The_Night_Cafe", "The night café", 1888),
    Painting("painter_on_the_road", "VincentVanGogh0013", "The painter on the road to Tarascon", 1888, (0, 0, 0, 2)),
    Painting("pere_tanguy", "PortraitOfPereTanguy", "Portrait of Père Tanguy", 1887, (0, 0, 3, 0)),
)
IN_OPENCV = Painting("starry_night", STARRY_NIGHT, "The starry night", 1889, (23, 22, 22, 24))


def build() -> None:
    folder = empty_folder(DATA / "paintings")
    entries = []
    for picture, entry in sorted(all_paintings(), key=lambda pair: pair[1]["file"]):
        small = shrink(picture, SHORT_SIDE, LONG_SIDE)
        save_webp(small, folder / entry["file"], QUALITY)
        entries.append(entry | {"size": small.size})
    write_metadata(folder, entries)
    write_attribution(folder, RECORD.attribution, entries)
    write_free_licence(folder)


def all_paintings() -> Iterator[tuple[Image.Image, dict]]:
    """Every picture without its border, and what is known of it."""
    details = credited_pictures("details", "image")
    for painting in IN_GCOMPRIS:
        content, credit = details[f"{painting.original}_background.webp"]
        yield cut(content, painting), describe(painting, FREE[credit.licence], gcompris.SOURCE)
    starry_night = (unpack(fetch(OPENCV)) / IN_OPENCV.original).read_bytes()
    yield cut(starry_night, IN_OPENCV), describe(IN_OPENCV, PUBLIC_DOMAIN, OPENCV)
    waves = unpack(fetch(BUDGIE)) / "usr/share/backgrounds/budgie/ocean-waves.jpg"
    yield (
        read_picture(waves.read_bytes()),
        {
            "file": "waves.webp",
            "title": "Waves",
            "author": BUDGIE_CREDIT.author,
            "year": None,
            "style": "woodblock print",
            "licence": FREE[BUDGIE_CREDIT.licence],
            "page": BUDGIE_CREDIT.page,
            "source": f"{BUDGIE.package} {BUDGIE.version}",
        },
    )


def cut(content: bytes, painting: Painting) -> Image.Image:
    picture = read_picture(content)
    left, top, right, bottom = painting.border
    return picture.crop((left, top, picture.width - right, picture.height - bottom))


def describe(painting: Painting, licence: str, source: Source) -> dict:
    return {
        "file": f"{painting.name}.webp",
        "title": painting.title,
        "author": VAN_GOGH,
        "year": painting.year,
        "style": OIL,
        "licence": licence,
        "page": "",
        "source": f"{source.package} {source.version}",
    }
