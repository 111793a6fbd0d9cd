"""Pictures come in upright, in colour and unclipped, or with a sentence that says why not."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image
from torch import Tensor

from cnngen_course import images
from cnngen_course.images import PictureError, open_picture, to_images, to_pixels
from cnngen_course.safety.uploads import make_chunk

QUICK = settings(max_examples=50, deadline=None, derandomize=True)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112  # the EXIF tag


def encode(picture: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def make_corners() -> Image.Image:
    """Return a wide picture (60, 40) whose upper left corner is red, upper right green, lower left blue."""
    picture = Image.new("RGB", (60, 40), WHITE)
    for box, colour in (((0, 0, 20, 20), RED), ((40, 0, 60, 20), GREEN), ((0, 20, 20, 40), BLUE)):
        picture.paste(colour, box)
    return picture


def assert_close(picture: Image.Image, wanted: Image.Image, tolerance: int = 0) -> None:
    assert picture.mode == "RGB" and picture.size == wanted.size
    difference = np.asarray(picture).astype(int) - np.asarray(wanted)
    assert np.abs(difference).max() <= tolerance


# The transposition with which a camera that is held in this way stores an upright picture.
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_rotation_is_undone(orientation: int, file_format: str) -> None:
    upright, turn = make_corners(), TURNED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"PNG": {}, "JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}, "TIFF": {}}
    opened = open_picture(encode(stored, file_format, exif=exif, **options[file_format]))
    assert_close(opened, upright, 12 if file_format == "JPEG" else 0)


def test_transparency_is_laid_on_white() -> None:
    picture = make_corners().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 20, 20))  # clear, with black hidden beneath
    picture.paste((255, 0, 0, 51), (40, 0, 60, 20))  # a fifth of red
    opened = open_picture(encode(picture))
    assert opened.getpixel((5, 5)) == WHITE
    assert opened.getpixel((50, 5)) == (255, 204, 204)
    assert opened.getpixel((5, 30)) == BLUE


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_becomes_its_colours(file_format: str) -> None:
    assert_close(open_picture(encode(make_corners().convert("P"), file_format)), make_corners())


def test_a_transparent_palette_entry_is_white() -> None:
    picture = make_corners().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    hidden = picture.getpixel((5, 5))
    opened = open_picture(encode(picture, transparency=hidden))
    assert opened.getpixel((5, 5)) == WHITE
    assert opened.getpixel((5, 30)) == BLUE


def test_grey_with_transparency() -> None:
    assert open_picture(encode(Image.new("LA", (8, 8), (0, 0)))).getpixel((3, 3)) == WHITE
    assert open_picture(encode(Image.new("LA", (8, 8), (90, 255)))).getpixel((3, 3)) == (90, 90, 90)


def test_grey_and_black_and_white() -> None:
    assert open_picture(encode(Image.new("L", (8, 8), 77))).getpixel((3, 3)) == (77, 77, 77)
    assert open_picture(encode(Image.new("1", (8, 8), 1))).getpixel((3, 3)) == WHITE


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(file_format: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    opened = open_picture(encode(Image.fromarray(np.tile(ramp, (4, 1))), file_format))
    np.testing.assert_allclose(np.asarray(opened)[0, :, 1], np.arange(256), atol=1)


def test_16_bit_grey_of_a_dark_picture_stays_dark() -> None:
    opened = open_picture(encode(Image.fromarray(np.full((4, 4), 6553, np.uint16))))
    assert opened.getpixel((1, 1)) == (25, 25, 25)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (0.0, 65535.0)])
def test_float_grey_is_scaled_by_the_range_it_uses(low: float, high: float) -> None:
    ramp = np.linspace(low, high, 256, dtype=np.float32)
    opened = open_picture(encode(Image.fromarray(np.tile(ramp, (4, 1))), "TIFF"))
    assert np.asarray(opened)[0, 0, 0] == 0
    assert np.asarray(opened)[0, -1, 0] == 255 if high < 65535 else True
    assert (np.diff(np.asarray(opened)[0, :, 0].astype(int)) >= 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_float_picture_with_a_hole_is_refused(bad: float) -> None:
    values = np.ones((4, 4), np.float32)
    values[1, 2] = bad
    with pytest.raises(PictureError, match="not numbers"):
        open_picture(encode(Image.fromarray(values), "TIFF"))


def test_cmyk_becomes_rgb() -> None:
    opened = open_picture(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = opened.getpixel((8, 8))
    assert red > 200 and green < 80 and blue < 80


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_an_animation_gives_its_first_frame(file_format: str) -> None:
    frames = [Image.new("RGB", (12, 12), colour) for colour in (RED, BLUE)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    content = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    assert_close(open_picture(content), frames[0])


def test_a_path_works_as_text_and_as_path(tmp_path: Path) -> None:
    path = tmp_path / "corners.png"
    path.write_bytes(encode(make_corners()))
    assert_close(open_picture(path), make_corners())
    assert_close(open_picture(str(path)), make_corners())


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode(make_corners()))
    assert_close(open_picture(path), make_corners())


@pytest.mark.parametrize(
    "content", [b"", b"x", b"not a picture at all", b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_named(content: bytes) -> None:
    with pytest.raises(PictureError, match="not a picture in a known format"):
        open_picture(content)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_cut_file_is_refused(file_format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = encode(Image.fromarray(noise), file_format)
    with pytest.raises(PictureError):
        open_picture(content[: int(share * len(content))])


def test_a_damaged_png_is_refused() -> None:
    content = bytearray(encode(make_corners()))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(PictureError, match="damaged"):
        open_picture(bytes(content))


@QUICK
@given(content=st.binary(max_size=200), kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]))
def test_any_bytes_after_a_real_beginning_give_a_picture_or_a_sentence(content: bytes, kind: str) -> None:
    start = encode(Image.new("RGB", (8, 8), RED), kind)[:40]
    try:
        assert open_picture(start + content).mode == "RGB"
    except PictureError as error:
        assert len(str(error)) > 20


def make_png_header(width: int, height: int) -> bytes:
    """Return a tiny file that claims to be a large picture: a decompression bomb's first bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(3_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(9_000, 9_000), (11_000, 11_000), (30_000, 30_000), (50_001, 1_000)])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    with pytest.raises(PictureError, match=r"at most 50,000,000 are read"):
        open_picture(make_png_header(width, height))


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(40_000_000)  # a hole: no disk is used
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    with pytest.raises(PictureError, match="40 MB; at most 30 MB"):
        open_picture(path)


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 100)
    with pytest.raises(PictureError, match="at most"):
        open_picture(encode(make_corners()))


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"mif1", "HEIC"), (b"avif", "AVIF")])
def test_a_phones_format_is_named_with_what_to_do(brand: bytes, name: str) -> None:
    with pytest.raises(PictureError, match=f"format {name}, .* save it as JPEG"):
        open_picture(struct.pack(">I", 24) + b"ftyp" + brand + bytes(400))


def test_a_damaged_note_in_a_png_is_no_reason_to_call_it_no_picture() -> None:
    whole = encode(make_corners())
    note = make_chunk(b"tEXt", b"Comment\0Hello")[:-1] + b"?"  # the checksum's last byte
    with pytest.raises(PictureError, match="damaged"):
        open_picture(whole[:33] + note + whole[33:])


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"nowhere\.png cannot be read"):
        open_picture(tmp_path / "nowhere.png")
    with pytest.raises(PictureError, match="cannot be read"):
        open_picture(tmp_path)


@QUICK
@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=4, max_side=9)))
def test_pixels_survive_the_way_there_and_back(array: np.ndarray) -> None:
    pixels = torch.from_numpy(array)
    floats = to_images(pixels)
    assert floats.dtype == torch.float32 and floats.abs().max() <= 1
    assert torch.equal(to_pixels(floats), pixels)


@QUICK
@given(npst.arrays(np.float32, (2, 1, 3, 3), elements=st.floats(-5, 5, width=32)))
def test_floats_are_clipped_and_rounded(array: np.ndarray) -> None:
    floats = torch.from_numpy(array)
    back = to_images(to_pixels(floats))
    assert (back - floats.clamp(-1, 1)).abs().max() <= 0.5 / 127.5 + 1e-6


def test_the_range_ends_where_it_should() -> None:
    assert to_images(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]
    assert to_pixels(torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0])).tolist() == [0, 0, 128, 255, 255]


def test_floats_are_not_taken_for_pixels() -> None:
    with pytest.raises(TypeError, match="uint8"):
        to_images(torch.zeros(3))


def test_to_pixels_takes_what_still_has_a_gradient() -> None:
    assert to_pixels(torch.zeros(1, 1, 2, 2, requires_grad=True)).dtype == torch.uint8


def make_numbered(count: int, channels: int = 1, height: int = 3, width: int = 4) -> Tensor:
    return torch.arange(1, count + 1, dtype=torch.uint8)[:, None, None, None].expand(-1, channels, height, width)


@QUICK
@given(
    count=st.integers(1, 12), columns=st.integers(1, 14) | st.none(), gap=st.integers(0, 3), channels=st.integers(1, 3)
)
def test_a_grid_holds_every_picture_in_reading_order(count: int, columns: int | None, gap: int, channels: int) -> None:
    grid = images.make_grid(make_numbered(count, channels), columns, gap, background=0)
    wide = columns or int(np.ceil(count**0.5))
    rows = -(-count // wide)
    assert grid.shape == (channels, rows * (3 + gap) - gap, wide * (4 + gap) - gap)
    for index in range(rows * wide):
        top, left = (index // wide) * (3 + gap), (index % wide) * (4 + gap)
        wanted = index + 1 if index < count else 0
        assert (grid[:, top : top + 3, left : left + 4] == wanted).all()
    assert (grid != 0).sum() == count * channels * 12  # and nothing lies in the gaps


@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_and_back(channels: int) -> None:
    pixels = torch.randint(0, 256, (channels, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    picture = images.to_pil(pixels)
    assert picture.size == (7, 5)
    assert torch.equal(images.from_pil(picture), pixels)


def test_zoom_repeats_pixels() -> None:
    pixels = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    zoomed = images.from_pil(images.to_pil(pixels, zoom=3))
    assert zoomed[0].tolist() == [[0] * 3 + [255] * 3] * 3


def test_a_square_crop_takes_the_centre() -> None:
    picture = Image.new("RGB", (90, 30), RED)
    picture.paste(GREEN, (30, 0, 60, 30))
    cropped = images.crop_square(picture, 10)
    assert cropped.size == (10, 10)
    assert_close(cropped.crop((1, 1, 9, 9)), Image.new("RGB", (8, 8), GREEN), 3)  # the filter reaches over the edge


def test_jpeg_is_small_and_close() -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    content = images.encode_jpeg(picture)
    assert len(content) < 10_000
    assert_close(Image.open(io.BytesIO(content)), picture, 8)


def test_a_drawing_is_stored_sharp() -> None:
    content, kind = images.encode_still(make_corners())
    assert kind == "png"
    assert_close(Image.open(io.BytesIO(content)).convert("RGB"), make_corners())


def test_grey_pictures_are_stored_in_fewer_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((140, 140), Image.NEAREST).convert("RGB")
    content, kind = images.encode_still(picture)
    assert kind == "png" and len(content) < 0.5 * len(images.encode_jpeg(picture, quality=80))
    assert_close(Image.open(io.BytesIO(content)).convert("RGB"), picture, 12)


def test_what_has_many_colours_is_stored_as_jpeg() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content, kind = images.encode_still(Image.fromarray(noise))
    assert kind == "jpeg" and Image.open(io.BytesIO(content)).format == "JPEG"
