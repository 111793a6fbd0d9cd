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
        "anonymised. `metadata.json` tells of each the title, size, author, licence, page and source, "
        "and where the faces are: boxes drawn by hand, masked faces apart."
    ),
    author="The photographers named in ATTRIBUTION.md",
    licence="public domain or CC0-1.0, told for each picture",
    attribution="Photographs in the public domain or under CC0 1.0, by the people named in ATTRIBUTION.md.",
    left_out="Other pictures of people in GCompris: another licence, or no face to be seen.",
    sources=[gcompris.SOURCE, SCIKIT_IMAGE, MATPLOTLIB],
)
LONG_SIDE, QUALITY = 640, 90
FACES = {  # from forehead to chin, drawn by hand on the pictures as they are stored: left, top, right, bottom
    "astronaut": [(180, 75, 272, 182)],
    "grace_hopper": [(168, 132, 362, 332)],
    "mariachi": [
        *((83, 73, 122, 116), (230, 80, 277, 137), (402, 173, 447, 234)),
        *((452, 172, 508, 250), (516, 165, 602, 280), (379, 168, 396, 190)),
    ],
    "opera": [(205, 140, 237, 178), (368, 147, 393, 183), (424, 150, 448, 190), (274, 220, 301, 257)],
    "orchestra": [
        *((10, 118, 20, 131), (57, 98, 68, 110), (74, 174, 85, 188), (139, 160, 149, 172), (190, 138, 200, 149)),
        *((196, 173, 206, 186), (153, 197, 164, 211), (42, 223, 53, 239), (233, 53, 242, 65), (277, 54, 286, 66)),
        *((316, 55, 325, 67), (365, 51, 375, 65), (210, 85, 221, 99), (254, 85, 263, 98), (292, 83, 302, 97)),
        *((332, 87, 341, 100), (371, 83, 382, 97), (243, 127, 253, 140), (262, 154, 272, 169), (326, 159, 337, 173)),
        *((373, 133, 382, 147), (402, 171, 412, 186), (404, 84, 414, 98), (438, 84, 448, 98), (478, 88, 488, 101)),
        *((552, 71, 564, 86), (530, 141, 541, 155), (438, 143, 449, 157), (451, 191, 461, 205), (451, 219, 460, 233)),
        *((543, 186, 553, 201), (549, 213, 560, 228), (580, 163, 591, 178), (616, 191, 626, 205), (620, 210, 632, 225)),
    ],
}
MASKS = {  # faces behind golden masks: neither a face to be found nor a false alarm
    "opera": [
        *((22, 148, 34, 172), (108, 138, 131, 173), (135, 157, 155, 190)),
        *((172, 141, 197, 175), (283, 178, 313, 216), (336, 132, 363, 168)),
    ]
}
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
                "faces": FACES[name],
                "masks": MASKS.get(name, []),
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
