"""Faces of smileys, people and animals as seven emoji designs draw them, 64 x 64."""

import hashlib
import json
from functools import cache

from PIL import Image

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sheets import COLUMNS, distances, rasterise, save_records, save_sheet
from data.build.sources import DATA, Source, fetch, unpack


def iconify(name: str, version: str, sha256: str) -> Source:
    return Source("npm", f"@iconify-json/{name}", version, f"iconify-json-{name}-{version}.tgz", sha256)


VENDORS = {
    "noto": iconify("noto", "1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "noto-v1": iconify("noto-v1", "1.2.5", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
    "twemoji": iconify("twemoji", "1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    "fluent": iconify("fluent-emoji", "1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    "fluent-flat": iconify(
        "fluent-emoji-flat", "1.2.6", "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"
    ),
    "emojione": iconify("emojione", "1.2.3", "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"),
    "fxemoji": iconify("fxemoji", "1.2.2", "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef"),
}
HELD_OUT = "fxemoji"
RECORD = Record(
    title="Faces of smileys, people and animals in seven emoji designs",
    contents=(
        "`faces.webp` is one lossless sheet of faces, 64 x 64 pixels each, RGB on white, 32 to a row; `labels.json` "
        "lists them in that order: vendor (the design), base code point, name, category (smiley, person, animal), mood "
        "and split. They were drawn by resvg at their final size from the SVG in the packages, centred, with a margin "
        "of two pixels. Two kinds of pictures are held out for testing: a tenth of the emoji in all designs "
        "(`test`), where a man, a woman and a person of the same kind count as one emoji, and the whole design "
        "fxemoji (`test_vendor`). People are yellow throughout."
    ),
    author=(
        "Google (noto, noto-v1), Twitter and other contributors (twemoji), Microsoft Corporation (fluent, "
        "fluent-flat), Emoji One (emojione), Mozilla (fxemoji)"
    ),
    licence="Apache-2.0 (noto, noto-v1, fxemoji), CC BY 4.0 (twemoji, emojione), MIT (fluent, fluent-flat)",
    attribution=(
        "Noto Emoji by Google, Apache License 2.0 (https://github.com/googlefonts/noto-emoji). Twemoji by Twitter, Inc "
        "and other contributors, CC BY 4.0 (https://github.com/jdecked/twemoji). Fluent Emoji, copyright Microsoft "
        "Corporation, MIT License (https://github.com/microsoft/fluentui-emoji). Emoji One 2.3 by Emoji One, CC BY 4.0 "
        "(https://github.com/EmojiTwo/emojitwo). Firefox OS Emoji by Mozilla, Apache License 2.0 "
        "(https://github.com/mozilla/fxemoji). All were drawn anew at 64 x 64 pixels with a margin."
    ),
    left_out=(
        "Share-alike designs (OpenMoji, Emoji One 1), every skin tone but yellow and so the people of fxemoji, apes, "
        "animals drawn as a whole where a face is meant, faces hidden in clouds, and near-duplicates within a design."
    ),
    sources=list(VENDORS.values()),
)

SIZE = 64
MARGIN = 2
TEST_SHARE = 0.1
DUPLICATE = 1.0  # mean absolute difference at half size, within one design

MOODS = {
    "happy": "beaming-face-with-smiling-eyes face-with-tears-of-joy grinning-face grinning-face-with-big-eyes "
    "grinning-face-with-smiling-eyes grinning-face-with-sweat grinning-squinting-face relieved-face "
    "rolling-on-the-floor-laughing slightly-smiling-face smiling-face smiling-face-with-halo "
    "smiling-face-with-open-hands smiling-face-with-smiling-eyes smiling-face-with-sunglasses upside-down-face "
    "winking-face partying-face cowboy-hat-face clown-face grinning-cat grinning-cat-with-smiling-eyes "
    "cat-with-tears-of-joy",
    "love": "face-blowing-a-kiss kissing-face kissing-face-with-closed-eyes kissing-face-with-smiling-eyes "
    "smiling-face-with-heart-eyes smiling-face-with-hearts star-struck kissing-cat smiling-cat-with-heart-eyes",
    "playful": "face-savoring-food face-with-tongue squinting-face-with-tongue winking-face-with-tongue zany-face "
    "smirking-face money-mouth-face nerd-face disguised-face face-with-monocle cat-with-wry-smile",
    "neutral": "expressionless-face neutral-face face-without-mouth dotted-line-face face-with-raised-eyebrow "
    "face-with-rolling-eyes unamused-face face-with-diagonal-mouth thinking-face zipper-mouth-face shushing-face "
    "face-with-hand-over-mouth face-with-peeking-eye saluting-face melting-face grimacing-face lying-face "
    "head-shaking-horizontally head-shaking-vertically shaking-face face-exhaling",
    "sad": "crying-face disappointed-face downcast-face-with-sweat face-holding-back-tears frowning-face "
    "loudly-crying-face pensive-face persevering-face pleading-face sad-but-relieved-face slightly-frowning-face "
    "smiling-face-with-tear tired-face weary-face worried-face confused-face confounded-face crying-cat weary-cat",
    "afraid": "anguished-face anxious-face-with-sweat astonished-face face-screaming-in-fear face-with-open-mouth "
    "face-with-open-eyes-and-hand-over-mouth fearful-face flushed-face frowning-face-with-open-mouth hushed-face "
    "exploding-head distorted-face",
    "angry": "angry-face angry-face-with-horns enraged-face face-with-steam-from-nose face-with-symbols-on-mouth "
    "smiling-face-with-horns goblin ogre pouting-cat",
    "ill": "cold-face hot-face drooling-face face-vomiting face-with-bags-under-eyes face-with-crossed-out-eyes "
    "face-with-head-bandage face-with-medical-mask face-with-spiral-eyes face-with-thermometer nauseated-face "
    "sleeping-face sleepy-face sneezing-face woozy-face yawning-face",
}
MOOD_OF = {name: mood for mood, names in MOODS.items() for name in names.split()}
SMILEYS = [name for name in MOOD_OF if "cat" not in name.split("-")] + ["alien", "robot"]
ANIMALS = [name for name in MOOD_OF if "cat" in name.split("-")] + (
    "dog-face cat-face mouse-face hamster rabbit-face fox bear panda koala polar-bear tiger-face lion cow-face "
    "pig-face boar horse-face unicorn wolf raccoon moose frog dragon-face chicken front-facing-baby-chick penguin owl "
    "zebra rhinoceros hedgehog eagle deer ram"
).split()
HAIR = ["", "-blond-hair", "-beard", "-red-hair", "-curly-hair", "-white-hair", "-bald"]
ROLES = "construction-worker cook elf farmer firefighter guard mage pilot police-officer student vampire".split()
PEOPLE = (
    "baby child boy girl older-person old-man old-woman prince princess person-with-crown person-wearing-turban "
    "woman-with-headscarf person-with-skullcap person-with-veil santa-claus mrs-claus mx-claus baby-angel".split()
    + [f"{who}{hair}" for hair in HAIR for who in ("person", "man", "woman")]
    + [f"{who}{role}" for role in ROLES for who in ("", "man-", "woman-")]
)
CATEGORIES = {"smiley": SMILEYS, "person": PEOPLE, "animal": ANIMALS}

# Drawn as a whole, not as a face (or cut off), in these designs.
NOT_A_FACE = {
    "noto": "raccoon deer eagle ram hedgehog rhinoceros zebra boar",
    "noto-v1": "koala boar chicken eagle ram",
    "twemoji": "ram",
    "fluent": "deer zebra eagle hedgehog rhinoceros ram",
    "fluent-flat": "deer zebra eagle hedgehog rhinoceros ram",
    "emojione": "koala chicken",
}

# Where a package calls the same emoji otherwise.
OTHER_NAMES = {
    "emojione": {
        "person-with-skullcap": "man-with-chinese-cap",
        "robot": "robot-face",
        "grinning-cat": "grinning-cat-face",
        "grinning-cat-with-smiling-eyes": "grinning-cat-face-with-smiling-eyes",
        "cat-with-tears-of-joy": "cat-face-with-tears-of-joy",
        "cat-with-wry-smile": "cat-face-with-wry-smile",
        "kissing-cat": "kissing-cat-face",
        "weary-cat": "weary-cat-face",
        "crying-cat": "crying-cat-face",
        "pouting-cat": "pouting-cat-face",
        "smiling-cat-with-heart-eyes": "smiling-cat-face-with-heart-eyes",
        "face-with-crossed-out-eyes": "dizzy-face",
    },
    "fxemoji": dict(
        pair.split("=")
        for pair in (
            "angry-face=angry anguished-face=anguish astonished-face=astonished anxious-face-with-sweat=coldsweat "
            "confounded-face=confounded confused-face=confused crying-face=crying smiling-face-with-horns=devilhorns "
            "angry-face-with-horns=imp disappointed-face=disappointed sad-but-relieved-face=dissapointedrelief "
            "face-with-crossed-out-eyes=dizzyface expressionless-face=expressionless fearful-face=fearful "
            "flushed-face=flushed frowning-face-with-open-mouth=frownmouth grimacing-face=grimacing "
            "grinning-face=grin beaming-face-with-smiling-eyes=grineyes grinning-squinting-face=grinsquint "
            "grinning-face-with-sweat=grinsweat face-with-tears-of-joy=grintears grinning-face-with-big-eyes=grinwide "
            "grinning-face-with-smiling-eyes=grinwideeyes smiling-face-with-halo=halo "
            "smiling-face-with-heart-eyes=hearteyes hushed-face=hushed kissing-face=kiss "
            "kissing-face-with-closed-eyes=kissclosedeyes kissing-face-with-smiling-eyes=kisseyes "
            "face-blowing-a-kiss=kissing loudly-crying-face=loudlycrying face-with-medical-mask=medicalmask "
            "neutral-face=neutral face-without-mouth=nomouth face-with-open-mouth=openmouth pensive-face=pensive "
            "persevering-face=perservere enraged-face=pouting relieved-face=relieved "
            "face-screaming-in-fear=screamfear sleeping-face=sleeping sleepy-face=sleepy "
            "slightly-frowning-face=smallfrown slightly-smiling-face=smallsmile "
            "smiling-face-with-smiling-eyes=smileeyes face-savoring-food=smiletongue smirking-face=smirk "
            "smiling-face-with-sunglasses=sunglasses downcast-face-with-sweat=sweat tired-face=tired "
            "face-with-tongue=tongueout winking-face-with-tongue=tongueoutwink "
            "squinting-face-with-tongue=tongueoutwink2 face-with-steam-from-nose=triumph unamused-face=unamused "
            "weary-face=weary smiling-face=whitesmilingface winking-face=winking worried-face=worried alien=alien "
            "fox=foxsmiling bear=bear boar=boar rabbit-face=bunny cat-face=cat chicken=chicken cow-face=cowface "
            "dog-face=dog frog=frog front-facing-baby-chick=frontfacingchick hamster=hampster horse-face=horseface "
            "koala=koala mouse-face=mouse panda=pandaface pig-face=pig tiger-face=tiger wolf=wolfface penguin=penguin"
        ).split()
    ),
}


def build() -> None:
    folder = DATA / "emoji_faces"
    write_notices(folder, RECORD, all_licences())
    records, pictures = [], []
    for vendor in VENDORS:
        drawn = draw_vendor(vendor)
        apart = distances([picture for _, picture in drawn])
        kept: list[int] = []
        for i in range(len(drawn)):
            if all(apart[i, j] >= DUPLICATE for j in kept):
                kept.append(i)
        records += [drawn[i][0] for i in kept]
        pictures += [drawn[i][1] for i in kept]
    mark_split(records)
    save_sheet(pictures, folder / "faces.webp")
    splits = ("train", "test", "test_vendor")
    facts = {
        "tile": SIZE,
        "columns": COLUMNS,
        "sheets": {"faces": "faces.webp"},
        "count": {split: sum(record["split"] == split for record in records) for split in splits},
        "vendors": list(VENDORS),
        "held_out_vendor": HELD_OUT,
        "categories": list(CATEGORIES),
        "moods": list(MOODS),
    }
    save_records(folder / "labels.json", facts, records)


def all_licences() -> str:
    texts = {
        "noto, noto-v1, fxemoji: Apache License 2.0": licence_text("Apache-2.0"),
        "twemoji, emojione: Creative Commons Attribution 4.0 International": licence_text("CC-BY-4.0"),
        "fluent, fluent-flat: MIT License": licence_text("MIT", "Copyright (c) Microsoft Corporation."),
    }
    return "\n".join(f"{'=' * 80}\n{title}\n{'=' * 80}\n\n{text}" for title, text in texts.items())


def draw_vendor(vendor: str) -> list[tuple[dict, Image.Image]]:
    codes = {name: code for code, name in characters("noto").items()}
    drawn = []
    for category, names in CATEGORIES.items():
        for name in names:
            icon = find_icon(vendor, name, codes[name])
            if icon is None or name in NOT_A_FACE.get(vendor, "").split():
                continue
            record = {
                "vendor": vendor,
                "code": codes[name].upper(),
                "base": base_of(name),
                "name": name.replace("-", " "),
                "category": category,
                "mood": MOOD_OF.get(name),
            }
            drawn.append((record, rasterise(as_svg(icon, icons(vendor)), SIZE)))
    return drawn


def find_icon(vendor: str, name: str, code: str) -> dict | None:
    """The icon of an emoji by its code point, or by its name where the package lists no code points."""
    other_names = OTHER_NAMES.get(vendor, {})
    if vendor == HELD_OUT:  # its names mean other things elsewhere: only those listed
        return icons(vendor)["icons"].get(other_names.get(name))
    lists = (characters(where) for where in (vendor, "noto", "twemoji", "fluent-flat"))
    candidates = [names[code] for names in lists if code in names] + [name, other_names.get(name)]
    aliases = icons(vendor).get("aliases", {})
    for candidate in candidates:
        alias = aliases.get(candidate, {})
        found = icons(vendor)["icons"].get(alias["parent"] if set(alias) == {"parent"} else candidate)
        if found:
            return found
    return None


@cache
def icons(vendor: str) -> dict:
    return json.loads((unpack(fetch(VENDORS[vendor])) / "package" / "icons.json").read_text(encoding="utf-8"))


@cache
def characters(vendor: str) -> dict[str, str]:
    return json.loads((unpack(fetch(VENDORS[vendor])) / "package" / "chars.json").read_text(encoding="utf-8"))


def as_svg(icon: dict, defaults: dict) -> str:
    """A whole SVG file, square, with a margin around the icon."""
    width, height = (icon.get(side, defaults.get(side, 16)) for side in ("width", "height"))
    side = max(width, height) * SIZE / (SIZE - 2 * MARGIN)
    left, top = icon.get("left", 0) - (side - width) / 2, icon.get("top", 0) - (side - height) / 2
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {side} {side}">{icon["body"]}</svg>'
    )


def base_of(name: str) -> str:
    """A man, a woman and a person of the same kind are one emoji."""
    words = [word for word in name.split("-") if word not in ("man", "woman", "person", "old", "older", "boy", "girl")]
    return " ".join(words) or "person"


def mark_split(records: list[dict]) -> None:
    """Hold out one design, and a tenth of the emoji of each category, by the order of a hash."""
    test = set()
    for category in CATEGORIES:
        bases = {record["base"] for record in records if record["category"] == category}
        order = sorted(bases, key=lambda base: hashlib.sha256(base.encode()).digest())
        test |= {(category, base) for base, _ in zip(order, range(round(TEST_SHARE * len(order))), strict=False)}
    for record in records:
        held_out = (record["category"], record["base"]) in test
        record["split"] = "test_vendor" if record["vendor"] == HELD_OUT else "test" if held_out else "train"
