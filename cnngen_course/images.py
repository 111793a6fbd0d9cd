"""Tensors, pixels and picture files: value ranges, grids, encoding, and the safe opening of a file.

Two forms are used throughout the course: ``images`` is a float tensor (N, C, H, W) in [-1, 1], what a
network sees; ``pixels`` is uint8 in 0..255, what a file or a screen holds.
"""

import io
import math
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

MAX_FILE_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
MAX_PALETTE_ERROR = 12  # of 255, in 99% of the pixels; more would be seen
UNREAD_BRANDS = {brand: "HEIC" for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")}
UNREAD_BRANDS |= {b"avif": "AVIF", b"avis": "AVIF"}
PNG_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


class PictureError(ValueError):
    """A picture cannot be used; the message says why and what to do."""


def to_images(pixels: Tensor) -> Tensor:
    """Turn uint8 pixels of any shape into floats in [-1, 1]."""
    if pixels.dtype != torch.uint8:
        raise TypeError(f"pixels are uint8 in 0..255, got {pixels.dtype}")
    return pixels.float().div_(127.5).sub_(1)


def to_pixels(images: Tensor) -> Tensor:
    """Turn floats in [-1, 1] into uint8 pixels of the same shape; values outside are clipped."""
    return images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu()


def compute_step(images: Tensor) -> Tensor:
    """Return the mean absolute step from pixel to pixel of pictures (N, C, H, W), right and down added, a scalar."""
    return images.diff(dim=2).abs().mean() + images.diff(dim=3).abs().mean()


def make_grid(pixels: Tensor, columns: int | None = None, gap: int = 2, background: int = 255) -> Tensor:
    """Lay uint8 pictures (N, C, H, W) out in rows, as one picture (C, rows·(H+gap)-gap, columns·(W+gap)-gap).

    Without ``columns`` the grid is as square as it can be. Unused places keep the background.
    """
    count, channels, height, width = pixels.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = pixels.new_full((rows * columns, channels, height + gap, width + gap), background)
    cells[:count, :, :height, :width] = pixels
    cells = cells.view(rows, columns, channels, height + gap, width + gap)
    grid = cells.permute(2, 0, 3, 1, 4).reshape(channels, rows * (height + gap), columns * (width + gap))
    return grid[:, : grid.shape[1] - gap, : grid.shape[2] - gap]


def to_pil(pixels: Tensor, zoom: int = 1) -> Image.Image:
    """Turn one uint8 picture (C, H, W), C = 1 or 3, into a Pillow image, each pixel ``zoom`` screen pixels wide."""
    array = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    return (
        picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST) if zoom > 1 else picture
    )


def from_pil(picture: Image.Image) -> Tensor:
    """Turn a Pillow image in mode L or RGB into uint8 pixels (C, H, W)."""
    array = np.array(picture)
    return torch.from_numpy(array[..., None] if array.ndim == 2 else array).permute(2, 0, 1).contiguous()


def encode_jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """Return the picture as a JPEG file in memory; the fastest way onto the screen."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_still(picture: Image.Image) -> tuple[bytes, str]:
    """Return an RGB picture as the smaller of two files in memory, and its format, "png" or "jpeg".

    Drawings and grey pictures are stored sharp as PNG in 32 or 64 colours, in half the bytes; photographs as JPEG.
    """
    for colours in (32, 64):
        few = picture.quantize(colours, dither=Image.Dither.NONE)
        error = np.abs(np.asarray(few.convert("RGB"), dtype=np.int16) - np.asarray(picture)).max(axis=2)
        if np.percentile(error, 99) <= MAX_PALETTE_ERROR:
            buffer = io.BytesIO()
            few.save(buffer, "PNG", optimize=True)
            return buffer.getvalue(), "png"
    return encode_jpeg(picture, quality=80), "jpeg"


def open_picture(source: str | Path | bytes) -> Image.Image:
    """Open a picture file, or its bytes, as an upright RGB image.

    Handled on the way: the camera's EXIF rotation, transparency (laid on white), palettes, grey and
    16-bit pictures, CMYK, and animations (their first frame).

    Raises:
        PictureError: no such file, not a picture, cut off, or too large; the message says what to do.
    """
    content = source if isinstance(source, bytes) else _read_file(Path(source))
    check_bytes(len(content))
    try:
        with warnings.catch_warnings(action="ignore"):  # odd metadata does no harm; Pillow's size limit is laxer
            return _decode_upright(content)
    except UnidentifiedImageError:
        raise PictureError(_explain_unknown(content)) from None
    except Image.DecompressionBombError:
        raise PictureError(f"The picture has too many pixels; at most {MAX_PIXELS:,} are read.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow's many words for a broken file
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"The picture file is cut off or damaged ({error}). Try saving it again.") from error


def _decode_upright(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        _check_size(picture)
        picture.load()
        return _to_rgb(ImageOps.exif_transpose(picture))


def _explain_unknown(content: bytes) -> str:
    """Say why Pillow finds no picture in a file."""
    if content[4:8] == b"ftyp" and (name := UNREAD_BRANDS.get(content[8:12])):
        return f"This is a picture in the format {name}, which is not read here: save it as JPEG and try again."
    if content.startswith(PNG_HEADER) and any(content[16:20]) and any(content[20:24]):  # a width and a height
        return "The picture file is damaged behind its first bytes. Open it in another program and save it again."
    return f"This is not a picture in a known format ({', '.join(FORMATS)})."


def _read_file(path: Path) -> bytes:
    try:
        check_bytes(path.stat().st_size)  # before it is read: a huge file must not fill the memory
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}.") from None


def check_bytes(count: int) -> None:
    """Refuse a file of that many bytes with a ``PictureError`` if it is too large to be read."""
    if count > MAX_FILE_BYTES:
        raise PictureError(f"The file has {count / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read.")


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureError(
            f"The picture has {picture.width} × {picture.height} pixels; at most {MAX_PIXELS:,} are read. "
            "Shrink it first."
        )


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        return _scale_to_bytes(picture).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _scale_to_bytes(picture: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit or float grey to 8 bits; Pillow's own conversion would clip it to white."""
    values = np.asarray(picture, dtype=np.float64)
    if not np.isfinite(values).all():
        raise PictureError("The picture holds values that are not numbers (NaN or infinity).")
    top = 65535 if picture.mode != "F" and values.max(initial=0) > 255 else 255
    if picture.mode == "F" and values.max(initial=0) <= 1:
        top = 1
    return Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))


def crop_square(picture: Image.Image, size: int) -> Image.Image:
    """Cut the largest centred square and resize it to ``size`` × ``size`` with an anti-aliasing filter."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
