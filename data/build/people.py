"""Photographs of people whose faces can be recognised, for the lesson on privacy only."""

from collections.abc import Iterator

from PIL import Image

from data.build import gcompris
from data.build.gcompris import Credit, credited_pictures
from data.build.ledger import Record
from data.build.photos import SCIKIT_IMAGE
from data.build.pictures import (
    FREE,
    empty_folder,
    read_picture,
    save_webp,
    write_attribution,
    write_free_licence,
    write_metadata,
)
from data.build.sources import DATA, Source, fetch, unpack

MATPLOTLIB = Source(
    registry="pypi",
    package="matplotlib",
    version="3.11.2",
    file="matplotlib-3.11.2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256="07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8",
)
RECORD = Record(
    title="Five photographs of people, to practise taking faces out",
    contents=(
        "Photographs as WebP of quality 90, in sRGB, with a long side of at most 640 pixels, at which MTCNN "
        "finds the faces of the astronaut, the admiral and the band, some of those on the opera stage, and "
        "none of the tiny ones in the orchestra. They are for the lesson on privacy only: show them "
        "anonymised. `metadata.json` tells of each the title, size, author, licence, page and source."
    ),
    author="The photographers named in ATTRIBUTION.md",
    licence="public domain or CC0-1.0, told for each picture",
    attribution="Photographs in the public domain or under CC0 1.0, by the people named in ATTRIBUTION.md.",
    left_out="Other pictures of people in GCompris: another licence, or no face to be seen.",
    sources=[gcompris.SOURCE, SCIKIT_IMAGE, MATPLOTLIB],
)
LONG_SIDE, QUALITY = 640, 90
MUSIC = {"italy": "opera", "mexico": "mariachi", "orchestra": "orchestra"}
ASTRONAUT = Credit("NASA", "Public Domain", "https://flic.kr/p/r9qvLn")
HOPPER = Credit("US Navy", "Public Domain", "")
TITLES = {
    "astronaut": "The astronaut Eileen Collins",
    "grace_hopper": "Rear Admiral Grace Hopper, who made one of the first compilers",
    "mariachi": "A mariachi band in Guadalajara",
    "opera": "Singers on the stage of an opera",
    "orchestra": "The Orchestra of the 18th Century",
}


def build() -> None:
    folder = empty_folder(DATA / "people")
    entries = []
    for name, content, credit, source in sorted(all_pictures()):
        picture = read_picture(content)
        picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        save_webp(picture, folder / f"{name}.webp", QUALITY)
        entries.append(
            {
                "file": f"{name}.webp",
                "title": TITLES[name],
                "size": picture.size,
                "author": credit.author,
                "licence": FREE[credit.licence],
                "page": credit.page,
                "source": f"{source.package} {source.version}",
            }
        )
    write_metadata(folder, entries)
    write_attribution(folder, RECORD.attribution, entries)
    write_free_licence(folder)


def all_pictures() -> Iterator[tuple[str, bytes, Credit, Source]]:
    """Name, content, credit and source of every picture."""
    for path, (content, credit) in credited_pictures("explore_world_music", "music").items():
        if (stem := path.removesuffix(".webp")) in MUSIC:
            yield MUSIC[stem], content, credit, gcompris.SOURCE
    astronaut = unpack(fetch(SCIKIT_IMAGE)) / "skimage/data/astronaut.png"
    yield "astronaut", astronaut.read_bytes(), ASTRONAUT, SCIKIT_IMAGE
    hopper = unpack(fetch(MATPLOTLIB)) / "matplotlib/mpl-data/sample_data/grace_hopper.jpg"
    yield "grace_hopper", hopper.read_bytes(), HOPPER, MATPLOTLIB
