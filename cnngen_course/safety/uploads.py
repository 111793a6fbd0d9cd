"""Files that nobody should be able to hurt us with, and what each gets answered by ``images.open_picture``.

They are built here from a few bytes; some only claim to be large. Show them to every program that takes uploads.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from cnngen_course.images import MAX_FILE_BYTES, PictureError, open_picture

PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Specimen:
    """A file to try an upload with.

    Attributes:
        make: returns its bytes.
        answer: words that the sentence of refusal must hold; empty if the file must be taken.
    """

    make: Callable[[], bytes]
    answer: str = ""


def make_picture() -> Image.Image:
    """Return a small upright picture: a house under a sun, (90, 60)."""
    picture = Image.new("RGB", (90, 60), "#56B4E9")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 45, 90, 60), "#009E73")
    draw.rectangle((25, 25, 60, 50), "#F0E442")
    draw.polygon(((20, 26), (42, 8), (65, 26)), "#D55E00")
    draw.ellipse((72, 4, 86, 18), "#E69F00")
    return picture


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def make_chunk(name: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG file: length, name, content and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def make_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a PNG of a few kilobytes that claims to be enormous."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(3_000))), (b"IEND", b"")
    return PNG_START + b"".join(make_chunk(*chunk) for chunk in chunks)


def make_text_bomb() -> bytes:
    """Return a small PNG whose comment unpacks to 50 MB."""
    whole = encode(make_picture())
    comment = make_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    return whole[:33] + comment + whole[33:]  # after the signature and the header


def make_animation(frames: int = 30) -> bytes:
    """Return a GIF in which the house's picture fades to black."""
    first = make_picture()
    pictures = [Image.blend(first, Image.new("RGB", first.size), index / frames) for index in range(frames)]
    return encode(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def make_turned() -> bytes:
    """Return a JPEG that lies on its side, with the camera's note of how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture's left column is its top row
    return encode(make_picture().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


def make_clear() -> bytes:
    """Return a PNG with a transparent sky."""
    picture = make_picture().convert("RGBA")
    ImageDraw.Draw(picture).rectangle((0, 0, 20, 44), (0, 0, 0, 0))
    return encode(picture)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


SPECIMENS = {
    "a good picture": Specimen(lambda: encode(make_picture())),
    "turned by the camera": Specimen(make_turned),
    "transparent": Specimen(make_clear),
    "animated": Specimen(make_animation),
    "a PNG named .jpg": Specimen(lambda: encode(make_picture())),
    "zero bytes": Specimen(lambda: b"", "not a picture"),
    "a PDF named .png": Specimen(lambda: b"%PDF-1.7\n" + bytes(500), "not a picture"),
    "SVG with a script": Specimen(
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not a picture"
    ),
    "half a file": Specimen(lambda: cut(encode(make_picture())), "cut off or damaged"),
    "noise after the first bytes of a PNG": Specimen(lambda: PNG_START + bytes(range(256)) * 4, "not a picture"),
    "a width of 0": Specimen(lambda: make_bomb(0, 60), "not a picture"),
    "bomb of 900 million pixels": Specimen(make_bomb, "at most 50,000,000"),
    "bomb in a comment": Specimen(make_text_bomb, "cut off or damaged"),
    "31 MB": Specimen(lambda: bytes(MAX_FILE_BYTES + 1_000_000), "at most 30 MB"),
}


def judge_file(content: bytes) -> tuple[Image.Image | None, str]:
    """Return the picture, or None and the sentence that says why there is none."""
    try:
        picture = open_picture(content)
    except PictureError as error:
        return None, str(error)
    return picture, f"taken: {picture.width} × {picture.height} pixels"
