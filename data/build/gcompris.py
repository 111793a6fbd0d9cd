"""Reading the pictures of GCompris, which lie in Qt resource bundles (.rcc), each folder with a README of credits."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data.build.sources import Source, fetch, unpack

SOURCE = Source(
    registry="debian",
    package="gcompris-qt-data",
    version="3.1-2",
    file="gcompris-qt-data_3.1-2_all.deb",
    sha256="e9cf06ab2105529068df73085784e835d2ff03f870d2a8091f09125d40abac9f",
)
COMPRESSED, DIRECTORY, ZSTANDARD = 1, 2, 4


@dataclass(frozen=True)
class Credit:
    """What a README says of one file; ``page`` is where the original was published."""

    author: str
    licence: str
    page: str


def credited_pictures(activity: str, folder: str) -> dict[str, tuple[bytes, Credit]]:
    """Return the content and the credit of every WebP picture under a resource folder of an activity, by its path."""
    bundle = unpack(fetch(SOURCE)) / "usr/share/gcompris-qt/rcc" / f"{activity}.rcc"
    prefix = f"gcompris/src/activities/{activity}/resource/{folder}/".replace("//", "/")
    files = {path.removeprefix(prefix): content for path, content in read_bundle(bundle) if path.startswith(prefix)}
    credits = read_credits(files["README"].decode())
    return {path: (files[path], credits[path]) for path in sorted(files.keys() & credits.keys()) if is_webp(path)}


def is_webp(path: str) -> bool:
    return PurePosixPath(path).suffix == ".webp"


def read_credits(readme: str) -> dict[str, Credit]:
    """Parse blocks of ``Copyright:``, ``License:``, ``Source:`` and ``Files:``, the last with a file on each line."""
    credits = {}
    for block in re.split(r"\n\s*\n", readme):
        fields = dict(re.findall(r"^(Copyright|License|Source): *(.+?) *$", block, flags=re.MULTILINE))
        credit = Credit(fields.get("Copyright", ""), fields.get("License", ""), fields.get("Source", ""))
        credits |= {path: credit for path in re.findall(r"^(?:Files: *)?(\S+\.webp)$", block, flags=re.MULTILINE)}
    return credits


def read_bundle(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file in a Qt resource bundle."""
    raw = path.read_bytes()
    magic, version, tree, data, names = struct.unpack_from(">4s4I", raw)
    if magic != b"qres":
        raise ValueError(f"{path} is no Qt resource bundle")
    node_size = 14 if version == 1 else 22

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", raw, names + offset)
        return raw[names + offset + 6 :][: 2 * length].decode("utf-16-be")

    def content_at(offset: int, flags: int) -> bytes:
        if flags & ZSTANDARD:
            raise ValueError(f"{path} is compressed with Zstandard, which this reader does not know")
        (length,) = struct.unpack_from(">I", raw, data + offset)
        content = raw[data + offset + 4 :][:length]
        return zlib.decompress(content[4:]) if flags & COMPRESSED else content

    def walk(node: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        name_offset, flags = struct.unpack_from(">IH", raw, tree + node * node_size)
        full = prefix + (name_at(name_offset) if node else "")
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">2I", raw, tree + node * node_size + 6)
            for child in range(first, first + count):
                yield from walk(child, f"{full}/" if full else "")
        else:
            (offset,) = struct.unpack_from(">I", raw, tree + node * node_size + 10)
            yield full, content_at(offset, flags)

    yield from walk(0, "")
