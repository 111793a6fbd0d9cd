"""Faces in pictures of people: find them, hide them, and count how often that fails.

Boxes are (F, 4) floats: left, top, right, bottom in pixels. The course hides faces; it never says whose they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.images import to_images, to_pixels
from cnngen_course.models.mtcnn import MTCNN
from cnngen_course.pretrained import load_mtcnn, load_pretrained

SMALLEST = 20  # pixels of a side below which MTCNN looks for no face
SHRINK = 0.709  # from one size of MTCNN's pyramid to the next: half the area
FIRST_DOUBTS = (0.6, 0.7)  # what the first two networks must at least say; the last one's word is the score
MARGIN = 0.2  # by which a box is enlarged before it is hidden: hair and ears belong to a face
HOLE_SIZE = 64  # what the repairing network learned on


@dataclass(frozen=True)
class Found:
    """What a detector found: boxes (F, 4) and a score for each, higher for surer, (F,)."""

    boxes: Tensor
    scores: Tensor

    def above(self, threshold: float) -> "Found":
        """Return what was found with at least this score."""
        kept = self.scores >= threshold
        return Found(self.boxes[kept], self.scores[kept])


def detect_by_mtcnn(pixels: Tensor, doubts: tuple[float, float] = FIRST_DOUBTS, smallest: int = SMALLEST) -> Found:
    """Find faces in colour pixels (3, H, W) by three networks; scores are probabilities."""
    from torchvision.ops import nms  # here, not above: a second to import

    network = _load_detector()
    image = network.prepare(pixels)
    with torch.inference_mode():
        boxes = _propose(image, doubts[0], smallest)
        for judge, doubt in ((network.rnet, doubts[1]), (network.onet, 0.0)):
            if len(boxes) == 0:
                return Found(torch.zeros(0, 4), torch.zeros(0))
            boxes = make_square(boxes)
            scores, moves = judge(cut_windows(image, boxes, judge.size))[:2]
            kept = scores >= doubt
            boxes, scores = move_corners(boxes[kept], moves[kept]), scores[kept]
            chosen = nms(boxes, scores, 0.7)
            boxes, scores = boxes[chosen], scores[chosen]
        chosen = drop_covered(boxes, scores, 0.6)
        return Found(boxes[chosen].clone(), scores[chosen].clone())


def _propose(image: Tensor, doubt: float, smallest: int) -> Tensor:
    """Return the windows (F, 4) that the first network takes for faces, at all sizes of a pyramid."""
    from torchvision.ops import nms

    first, found = _load_detector().pnet, []
    scale = first.size / smallest
    while min(image.shape[2:]) * scale >= first.size:
        size = [round(side * scale) for side in image.shape[2:]]
        scores, moves = first(F.interpolate(image, size, mode="area"))
        rows, columns = (scores[0] >= doubt).nonzero(as_tuple=True)
        corners = torch.stack([columns, rows], dim=1) * first.stride
        boxes = torch.cat([corners, corners + first.size], dim=1) / scale
        scores, moves = scores[0, rows, columns], moves[0, :, rows, columns].T
        chosen = nms(boxes, scores, 0.5)
        found.append((boxes[chosen], scores[chosen], moves[chosen]))
        scale *= SHRINK
    if not found:
        return torch.zeros(0, 4)
    boxes, scores, moves = (torch.cat(parts) for parts in zip(*found, strict=True))
    chosen = nms(boxes, scores, 0.7)
    return move_corners(boxes[chosen], moves[chosen])


def make_square(boxes: Tensor) -> Tensor:
    """Return the boxes widened to squares about the same middle."""
    middles, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) / 2
    return torch.cat([middles - half, middles + half], dim=1)


def move_corners(boxes: Tensor, moves: Tensor) -> Tensor:
    """Return the boxes with each side moved by a share of the box's size."""
    return boxes + moves * (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)


def cut_windows(image: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Cut boxes out of a picture (1, C, H, W) and scale each to (C, size, size); what lies outside is 0."""
    windows = []
    for left, top, right, bottom in boxes.round().long().tolist():
        height, width = image.shape[2:]
        inside = image[:, :, max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        sides = (max(0, -left), max(0, right - width), max(0, -top), max(0, bottom - height))
        window = F.pad(inside, sides)
        windows.append(F.interpolate(window, (size, size), mode="area"))
    return torch.cat(windows)


def compute_cover(first: Tensor, second: Tensor) -> Tensor:
    """Return how much of the smaller box lies under the other, for all pairs of boxes: (N, 4), (M, 4) -> (N, M)."""
    corners = torch.maximum(first[:, None, :2], second[None, :, :2]), torch.minimum(first[:, None, 2:], second[:, 2:])
    shared = (corners[1] - corners[0]).clamp(min=0).prod(dim=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1) for boxes in (first, second)]
    return shared / torch.minimum(areas[0][:, None], areas[1]).clamp(min=1e-6)


def drop_covered(boxes: Tensor, scores: Tensor, limit: float) -> list[int]:
    """Return which boxes are left when each is dropped that covers a surer one, or lies under it, beyond ``limit``."""
    left, kept = scores.argsort(descending=True), []
    while len(left):
        kept.append(int(left[0]))
        cover = compute_cover(boxes[left[:1]], boxes[left])[0]
        cover[0] = 1
        left = left[cover <= limit]
    return kept


@cache
def _load_detector() -> MTCNN:
    return load_mtcnn()


@cache
def _load_cascade() -> Any:
    from skimage import data  # here, not above: half a second to import
    from skimage.feature import Cascade

    return Cascade(data.lbp_frontal_face_cascade_filename())


def detect_by_cascade(pixels: Tensor, agreeing: int = 2, smallest: int = 24) -> Found:
    """Find frontal faces in colour pixels (3, H, W) by scikit-image's cascade of local binary patterns.

    ``agreeing`` is how many overlapping windows must say "face" at a place. The cascade has no probabilities: every
    score is that number.
    """
    largest = min(pixels.shape[1:])
    if largest < smallest:
        return Found(torch.zeros(0, 4), torch.zeros(0))
    hits = _load_cascade().detect_multi_scale(
        np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(smallest, smallest),
        max_size=(largest, largest),
        min_neighbor_number=agreeing,
    )
    corners = [(hit["c"], hit["r"], hit["c"] + hit["width"], hit["r"] + hit["height"]) for hit in hits]
    return Found(torch.tensor(corners, dtype=torch.float32).view(-1, 4), torch.full((len(hits),), float(agreeing)))


@dataclass(frozen=True)
class Count:
    """How a detector did: true faces, those it missed, and boxes where there is no face."""

    faces: int
    missed: int
    false_alarms: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.faces + other.faces, self.missed + other.missed, self.false_alarms + other.false_alarms)


def count_misses(found: Tensor, faces: Tensor, spared: Tensor | None = None, limit: float = 0.5) -> Count:
    """Compare found boxes (F, 4) with the true ones (T, 4).

    A face counts as found if more than ``limit`` of it lies under one box that is not more than six times as large:
    detectors draw a face wider or narrower than people do. ``spared`` boxes, e.g. of masks, are neither faces nor
    false alarms.
    """
    if len(found) == 0:
        return Count(len(faces), len(faces), 0)
    hits = find_hits(found, faces, limit)
    allowed = hits.any(dim=1)
    if spared is not None and len(spared):
        allowed |= find_hits(found, spared, limit).any(dim=1)
    return Count(len(faces), int((~hits.any(dim=0)).sum()), int((~allowed).sum()))


def find_hits(found: Tensor, faces: Tensor, limit: float = 0.5) -> Tensor:
    """Return which found box (F, 4) meets which face (T, 4), (F, T) bool; see ``count_misses``."""
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (found, faces)]
    fits = areas[0][:, None] < 6 * areas[1]
    return (compute_cover(found, faces) > limit) & fits & (6 * areas[0][:, None] > areas[1])


def resize(pixels: Tensor, long_side: int) -> Tensor:
    """Return uint8 pixels (3, H, W) scaled so that the longer side has ``long_side`` pixels."""
    scale = long_side / max(pixels.shape[1:])
    size = [max(1, round(side * scale)) for side in pixels.shape[1:]]
    images = F.interpolate(to_images(pixels[None]), size, mode="bilinear", antialias=scale < 1, align_corners=False)
    return to_pixels(images)[0]


def enlarge(boxes: Tensor, height: int, width: int, margin: float = MARGIN) -> Tensor:
    """Return whole-numbered boxes (F, 4), larger by ``margin`` on each side and cut off at the picture's border."""
    reach = margin * (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    signs = torch.tensor([-1.0, -1.0, 1.0, 1.0])
    limits = torch.tensor([width, height, width, height])
    return torch.minimum((boxes + signs * reach).round().clamp(min=0), limits).long()


def hide(pixels: Tensor, boxes: Tensor, way: str, strength: float = 1.0) -> Tensor:
    """Return the pixels (3, H, W) with every box hidden; ``way`` is a name in ``WAYS``.

    ``strength`` scales the width of the blur and the size of the blocks.
    """
    if way not in WAYS:
        raise ValueError(f"unknown way {way!r} to hide a face: use {', '.join(WAYS)}")
    hidden = pixels.clone()
    for left, top, right, bottom in enlarge(boxes, *pixels.shape[1:]).tolist():
        if right > left and bottom > top:
            hidden = WAYS[way](hidden, (left, top, right, bottom), strength)
    return hidden


Box = tuple[int, int, int, int]


def blur(pixels: Tensor, box: Box, strength: float = 1.0) -> Tensor:
    """Blur a box by a Gaussian as wide as an eighth of the box, times ``strength``."""
    left, top, right, bottom = box
    sigma = strength * max(right - left, bottom - top) / 8
    return _replace(pixels, box, blur_images(to_images(pixels[None, :, top:bottom, left:right]), sigma))


def blur_images(images: Tensor, sigma: float) -> Tensor:
    """Blur pictures (N, C, H, W) by a Gaussian; the border repeats."""
    from scipy.ndimage import gaussian_filter  # torchvision's is mirrored at the border, and slow where it is wide

    return torch.from_numpy(gaussian_filter(images.numpy(), sigma, mode="nearest", truncate=3.0, axes=(2, 3)))


def pixelate(pixels: Tensor, box: Box, strength: float = 1.0) -> Tensor:
    """Turn a box into square blocks of one colour each, eight across at strength 1, fewer at more."""
    left, top, right, bottom = box
    across = max(1, round(8 / strength))
    part = to_images(pixels[None, :, top:bottom, left:right])
    coarse = F.interpolate(part, (across, across), mode="area")
    return _replace(pixels, box, F.interpolate(coarse, part.shape[2:], mode="nearest"))


def repaint(pixels: Tensor, box: Box, strength: float = 1.0) -> Tensor:
    """Cut an oval out and let the repairing network of photographs draw what might stand there instead.

    It works at 64 pixels on the surroundings, twice as wide as the box. ``strength`` changes nothing: nothing of the
    oval is looked at.
    """
    left, top, right, bottom = box
    side = 2 * max(right - left, bottom - top)
    middle = (left + right) // 2, (top + bottom) // 2
    start = middle[0] - side // 2, middle[1] - side // 2
    around = (
        max(0, start[0]),
        max(0, start[1]),
        min(pixels.shape[2], start[0] + side),
        min(pixels.shape[1], start[1] + side),
    )
    part = to_images(pixels[None, :, around[1] : around[3], around[0] : around[2]])
    rows = torch.arange(around[1], around[3])[:, None] + 0.5
    columns = torch.arange(around[0], around[2]) + 0.5
    across, down = (columns - (left + right) / 2) / (right - left), (rows - (top + bottom) / 2) / (bottom - top)
    oval = (across**2 + down**2 < 0.25)[None, None]  # (1, 1, h, w)
    clean = torch.where(oval, 0.0, part)  # before it is scaled: not one pixel of the face may leak into its border
    share = F.interpolate((~oval).float(), (HOLE_SIZE, HOLE_SIZE), mode="area")
    small = F.interpolate(clean, (HOLE_SIZE, HOLE_SIZE), mode="area") / share.clamp(min=1e-3)
    with torch.inference_mode():
        drawn = _load_painter()(small, share > 0.5)
    large = F.interpolate(drawn, part.shape[2:], mode="bilinear", align_corners=False)
    return _replace(pixels, around, torch.where(oval, large, part))


@cache
def _load_painter() -> Any:
    return load_pretrained("photo_inpainter")


def cover(pixels: Tensor, box: Box, strength: float = 1.0) -> Tensor:
    """Cover a box with one grey; ``strength`` changes nothing."""
    left, top, right, bottom = box
    return _replace(pixels, box, torch.zeros(1, len(pixels), bottom - top, right - left))


def _replace(pixels: Tensor, box: Box, images: Tensor) -> Tensor:
    left, top, right, bottom = box
    changed = pixels.clone()
    changed[:, top:bottom, left:right] = to_pixels(images)[0]
    return changed


WAYS: dict[str, Callable[[Tensor, Box, float], Tensor]] = {
    "blur": blur,
    "pixelate": pixelate,
    "repaint": repaint,
    "cover": cover,
}


def hide_all(
    pixels: Tensor, found: Tensor, faces: Tensor | None, way: str, strength: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return pixels with all that was found hidden, and what was missed covered; and the boxes of what was missed."""
    if faces is None:
        return hide(pixels, found, way, strength), torch.zeros(0, 4)
    missed = faces[~find_hits(found, faces).any(dim=0)] if len(found) else faces
    return hide(hide(pixels, found, way, strength), missed, "cover"), enlarge(missed, *pixels.shape[1:])
