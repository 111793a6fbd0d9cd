"""Saying of a picture that a machine made it: a label in the file, and a mark in the pixels that needs a key.

The mark spreads a message over the whole picture, as a faint pattern that repeats every ``TILE`` pixels (spread
spectrum, Cox et al., 1997). As it repeats, it is found again in a part of the picture. The key draws the pattern;
without it the mark is noise.
"""

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import torch
from PIL import Image, PngImagePlugin
from PIL.PngImagePlugin import PngImageFile
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.images import PictureError, open_picture

TILE = 64
BITS = 32
STRENGTH = 3.0  # grey levels of 255, root mean square
PERIODS = 5, 20  # pixels of the shortest and longest wave of a pattern: finer ones die in a JPEG, coarser ones are seen
LOOKS = TILE * TILE  # places at which the pattern may begin
FALSE_ALARMS = 1e-3


@dataclass(frozen=True)
class Reading:
    """What the detector reads in a picture.

    Attributes:
        score: how far the best place stands out from all others, in standard deviations of those.
        message: (BITS,) bool; noise where there is no mark.
        scale: by how much the picture had to be enlarged to fit.
    """

    score: float
    message: Tensor
    scale: float

    def is_marked(self, false_alarms: float = FALSE_ALARMS, looks: int = LOOKS) -> bool:
        return self.score > compute_threshold(false_alarms, looks)


def compute_threshold(false_alarms: float, looks: int) -> float:
    """Return the score that noise passes in a share of ``false_alarms`` of all pictures, if each is looked at often."""
    return NormalDist().inv_cdf(1 - false_alarms / looks)


@lru_cache(maxsize=16)
def make_patterns(key: int) -> Tensor:
    """Return the patterns of a key, (1 + BITS, TILE, TILE), each of mean square 1: where it is, then a bit each."""
    random = torch.Generator().manual_seed(key)
    noise = torch.randn(1 + BITS, TILE, TILE, generator=random)
    rows, columns = torch.fft.fftfreq(TILE)[:, None], torch.fft.rfftfreq(TILE)
    frequency = (rows**2 + columns**2).sqrt()  # waves a pixel
    kept = (frequency >= 1 / PERIODS[1]) & (frequency <= 1 / PERIODS[0])
    patterns = torch.fft.irfft2(torch.fft.rfft2(noise) * kept, s=(TILE, TILE))
    return patterns / patterns.square().mean(dim=(1, 2), keepdim=True).sqrt()


def write_mark(pixels: Tensor, message: Tensor, key: int, strength: float = STRENGTH) -> Tensor:
    """Return the pixels (C, H, W) uint8 with the message (BITS,) bool in them; each colour gets the same change."""
    if message.shape != (BITS,):
        raise ValueError(f"a message has {BITS} bits, got shape {tuple(message.shape)}")
    patterns = make_patterns(key)
    signs = message.to(patterns) * 2 - 1
    tile = patterns[0] / math.sqrt(2) + torch.tensordot(signs, patterns[1:], dims=1) / math.sqrt(2 * BITS)
    height, width = pixels.shape[1:]
    mark = tile.repeat(math.ceil(height / TILE), math.ceil(width / TILE))[:height, :width]
    return (pixels + strength * mark).round().clamp(0, 255).to(torch.uint8)


def read_mark(pixels: Tensor, key: int, scales: tuple[float, ...] = (1.0,)) -> Reading:
    """Look for the mark of a key at every place, and at every one of ``scales``; return the reading that stands out.

    Each further scale is another chance for noise to look like a mark: count it in when choosing a threshold.
    """
    return max((_read(_flatten(pixels, scale), key, scale) for scale in scales), key=lambda reading: reading.score)


def _flatten(pixels: Tensor, scale: float) -> Tensor:
    """Return the picture as even grey noise (H, W): without large shapes, and of the same strength everywhere."""
    grey = pixels.float().mean(dim=0)[None, None]
    if scale != 1:
        size = [max(TILE, round(side * scale)) for side in grey.shape[2:]]
        grey = F.interpolate(grey, size, mode="bicubic", antialias=scale < 1, align_corners=False)
    fine = grey - _smooth(grey, 9)
    return (fine / (_smooth(fine.square(), 17).sqrt() + 2)).clamp(-2.5, 2.5)[0, 0]


def _smooth(images: Tensor, size: int) -> Tensor:
    return F.avg_pool2d(F.pad(images, (size // 2,) * 4, mode="replicate"), size, stride=1)


def _read(flat: Tensor, key: int, scale: float) -> Reading:
    height, width = flat.shape
    whole = F.pad(flat, (0, -width % TILE, 0, -height % TILE))
    folded = whole.view(-(-height // TILE), TILE, -(-width // TILE), TILE).mean(dim=(0, 2))  # (TILE, TILE)
    patterns = make_patterns(key)
    answers = torch.fft.irfft2(torch.fft.rfft2(folded) * torch.fft.rfft2(patterns[0]).conj(), s=(TILE, TILE))
    best = int(answers.argmax())
    others = answers.flatten()[torch.arange(LOOKS) != best]
    score = (answers.max() - others.mean()) / others.std().clamp(min=1e-9)
    placed = folded.roll((-(best // TILE), -(best % TILE)), (0, 1))
    return Reading(score.item(), (patterns[1:] * placed).sum(dim=(1, 2)) > 0, scale)


def write_label(picture: Image.Image, facts: dict[str, str]) -> bytes:
    """Return the picture as a PNG file that tells the facts in text fields."""
    fields = PngImagePlugin.PngInfo()
    for name, text in facts.items():
        fields.add_itxt(name, text)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=fields)
    return buffer.getvalue()


def read_label(content: bytes) -> dict[str, str]:
    """Return the text fields of a PNG file in memory; of any other picture file an empty dictionary.

    Raises:
        PictureError: not a picture, or a damaged one.
    """
    open_picture(content)  # checks size and wholeness
    with Image.open(io.BytesIO(content)) as picture:
        if not isinstance(picture, PngImageFile):
            return {}
        try:
            return {name: str(text) for name, text in picture.text.items()}
        except ValueError as error:  # a text that unpacks to more than Pillow allows
            raise PictureError(f"The label of the file cannot be read ({error}).") from None
