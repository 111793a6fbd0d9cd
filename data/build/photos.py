"""Photographs in the public domain or under CC0, with the short side at most 256: animals, fish, monuments and more."""

import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from data.build import gcompris
from data.build.gcompris import Credit, credited_pictures
from data.build.ledger import Record
from data.build.pictures import (
    FREE,
    empty_folder,
    read_picture,
    save_webp,
    shrink,
    write_attribution,
    write_free_licence,
    write_metadata,
)
from data.build.sources import DATA, Source, fetch, unpack

BUDGIE = Source(
    registry="debian-trixie",
    package="budgie-backgrounds",
    version="3.0-1",
    file="budgie-backgrounds_3.0-1_all.deb",
    sha256="b91c2d5209558bc11d8d3a161f22a608857e3f8c735980cfab0d6650b03014ca",
)
SCIKIT_IMAGE = Source(
    registry="pypi",
    package="scikit-image",
    version="0.26.0",
    file="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)
RECORD = Record(
    title="166 photographs of animals, fish, monuments, energy and scenes",
    contents=(
        "Photographs as WebP of quality 88, in sRGB, with a short side of at most 256 pixels; what exceeds "
        "448 pixels on the long side is cut evenly from both ends. `metadata.json` tells of every picture its"
        " category, size, author, licence, page and source, and whether it belongs to the training or the "
        "test set (about 80 to 20 in every category). Pictures that show the same subject are all in the "
        "training set."
    ),
    author="Many photographers, named in ATTRIBUTION.md",
    licence="public domain or CC0-1.0, told for each picture",
    attribution="Photographs in the public domain or under CC0 1.0, by the people named in ATTRIBUTION.md.",
    left_out=(
        "Every picture of GCompris under another licence or without a credit; three photographs that GCompris"
        " has twice; two fish and a statue that are too narrow; one photograph with writing on it, one in "
        "black and white and one scan with its frame; computer drawings and a planet among the Budgie "
        "backgrounds."
    ),
    sources=[gcompris.SOURCE, BUDGIE, SCIKIT_IMAGE],
)
SHORT_SIDE, LONG_SIDE, QUALITY, TEST_SHARE = 256, 448, 88, 0.2

# (category, activity, folder of the activity, mark at the end of the name)
GCOMPRIS = (
    ("fish", "categorization", "images/fishes", ""),
    ("monument", "categorization", "images/monuments", "_s"),
    ("energy", "categorization", "images/renewable", ""),
    ("scene", "categorization", "images/others", ""),
    ("animal", "explore_farm_animals", "animals", ""),
    ("animal", "explore_world_animals", "animals", ""),
    ("animal", "erase", "", ""),
    ("monument", "explore_monuments", "", ""),
    ("scene", "explore_world_music", "music", ""),
)
RENAMED = {("erase", "giraffe"): "giraffe_closeup", ("explore_world_music", "africa"): "bata_drums"}
SCENES = {"igloo", "bata_drums"}  # the rest of these two folders are people and things on a table
LEFT_OUT = {
    *("fish_fish8", "fish_fish17", "monument_cabrillo"),  # too narrow
    *("monument_castillodeSanMarcos", "monument_castleClinton", "monument_georgeWashingtonBirthplace"),  # see RECORD
    *("monument_greatPyramid_s", "monument_colosseum_s", "monument_brandenburgGate_s"),  # the same photograph, smaller
}
BUDGIE_SCENES = (
    *("beacon-street-sunset", "blue-periwinkle", "casa-mila", "extreme-desert-hike", "high-trestle-trail"),
    *("lake-sherburne", "piazza-gae-aulenti", "roman-colosseum", "singaporean-cityscape", "tea-gardens"),
)
BUDGIE_ANIMALS = ("canyon-wren", "oakland-zoo-otters", "perched-osprey")
BUDGIE_CREDIT = Credit("Budgie Desktop Developers", "CC0-1.0", "https://github.com/buddiesofbudgie/budgie-backgrounds")
SCIKIT_IMAGE_CREDITS = {
    "animal_chelsea": ("chelsea.png", Credit("Stefan van der Walt", "CC0-1.0", "")),
    "scene_coffee": ("coffee.png", Credit("Rachel Michetti", "CC0-1.0", "")),
    "scene_rocket": (
        "rocket.jpg",
        Credit("SpaceX", "Public Domain", "https://www.flickr.com/photos/spacexphotos/16511594820/"),
    ),
}
SAME_SUBJECT = {
    *("animal_giraffe", "animal_giraffe_closeup", "fish_fish5", "fish_fish14", "fish_fish2", "fish_fish26"),
    *("fish_fish23", "fish_fish24", "energy_windmill9", "energy_windmill14", "monument_colosseum"),
    *("scene_roman-colosseum", "monument_eiffelTower", "monument_eiffelTower_s", "monument_greatWallofChina"),
    *("monument_greatWall_s", "monument_kutubMinar_s", "monument_qutubMinar", "monument_mountRushmore"),
    *("monument_mountRushmore_s", "monument_statueofLiberty", "monument_statueOfLiberty_s"),
}


def build() -> None:
    folder = empty_folder(DATA / "photos")
    pictures = sorted((name, *rest) for name, *rest in all_pictures() if name not in LEFT_OUT)
    test = choose_test([name for name, *_ in pictures])
    entries = []
    for name, content, credit, source in pictures:
        picture = shrink(read_picture(content), SHORT_SIDE, LONG_SIDE)
        save_webp(picture, folder / f"{name}.webp", QUALITY)
        entries.append(
            {
                "file": f"{name}.webp",
                "category": name.split("_")[0],
                "size": picture.size,
                "author": credit.author,
                "licence": FREE[credit.licence],
                "page": credit.page,
                "source": f"{source.package} {source.version}",
                "split": "test" if name in test else "train",
            }
        )
    write_metadata(folder, entries)
    write_attribution(folder, RECORD.attribution, entries)
    write_free_licence(folder)


def all_pictures() -> Iterator[tuple[str, bytes, Credit, Source]]:
    """Name, content, credit and source of every free picture of the packages."""
    for category, activity, folder, mark in GCOMPRIS:
        for path, (content, credit) in credited_pictures(activity, folder).items():
            stem = RENAMED.get((activity, PurePosixPath(path).stem), PurePosixPath(path).stem)
            if credit.licence in FREE and (category != "scene" or stem in SCENES):
                yield f"{category}_{stem}{mark}", content, credit, gcompris.SOURCE
    backgrounds = unpack(fetch(BUDGIE)) / "usr/share/backgrounds/budgie"
    for category, stems in (("scene", BUDGIE_SCENES), ("animal", BUDGIE_ANIMALS)):
        for stem in stems:
            yield f"{category}_{stem}", (backgrounds / f"{stem}.jpg").read_bytes(), BUDGIE_CREDIT, BUDGIE
    samples = unpack(fetch(SCIKIT_IMAGE)) / "skimage/data"
    for name, (file, credit) in SCIKIT_IMAGE_CREDITS.items():
        yield name, (samples / file).read_bytes(), credit, SCIKIT_IMAGE


def choose_test(names: list[str]) -> set[str]:
    """A fifth of every category in the order of a hash, without the pictures that show the same subject."""
    chosen = set()
    for category in {name.split("_")[0] for name in names}:
        members = [name for name in names if name.startswith(f"{category}_")]
        alone = sorted(set(members) - SAME_SUBJECT, key=lambda name: hashlib.sha256(name.encode()).digest())
        chosen |= set(alone[: round(TEST_SHARE * len(members))])
    return chosen
