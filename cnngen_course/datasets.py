"""Loading pictures with their labels and details, and serving them in batches.

A set stays in memory as one uint8 tensor: 60,000 pictures of 28x28 are 47 MB, and a batch is one line of
indexing, so no worker processes are needed.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from cnngen_course.augmentation import Augmentation, chain, random_flip
from cnngen_course.images import from_pil, to_images
from cnngen_course.paths import read_data


@dataclass(frozen=True)
class ImageSet(Dataset):
    """Pictures of one size with labels, ready for a ``DataLoader`` or for slicing.

    Attributes:
        pixels: (N, C, H, W) uint8.
        labels: (N,) int64, indices into ``class_names``.
        class_names: what the labels mean.
        augment: changes each batch of images (N, C, H, W) in [-1, 1] as it is served; nothing by default.
    """

    pixels: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    augment: Augmentation | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.dtype != torch.uint8:
            found = f"{self.pixels.dtype} {tuple(self.pixels.shape)}"
            raise ValueError(f"pixels are uint8 of shape (N, C, H, W), got {found}; images.to_pixels() makes them")
        if self.labels.shape != self.pixels.shape[:1] or self.labels.dtype != torch.long:
            found = f"{self.labels.dtype} {tuple(self.labels.shape)}"
            raise ValueError(f"labels are one int64 a picture, ({len(self.pixels)},), got {found}")
        if len(self) and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            raise ValueError(f"labels are places in class_names, 0 to {len(self.class_names) - 1}")

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return a whole batch at once, (B, C, H, W) in [-1, 1] and (B,): a DataLoader asks for it this way."""
        chosen = torch.as_tensor(indices)
        images = to_images(self.pixels[chosen])
        return (self.augment(images) if self.augment else images), self.labels[chosen]

    @property
    def images(self) -> Tensor:
        """All pictures as floats (N, C, H, W) in [-1, 1], without augmentation."""
        return to_images(self.pixels)

    def select(self, chosen: Tensor | slice) -> "ImageSet":
        """Return the set of the chosen pictures; ``chosen`` is indices, a mask or a slice."""
        return replace(self, pixels=self.pixels[chosen], labels=self.labels[chosen])

    def with_augmentation(self, *steps: Augmentation) -> "ImageSet":
        """Return the same pictures, served through the given steps in order."""
        return replace(self, augment=chain(*steps))


def make_loader(
    data: Dataset, batch_size: int, shuffle: bool = True, generator: torch.Generator | None = None
) -> DataLoader:
    """Return batches of what the set serves, e.g. ``(images, labels)``.

    With ``shuffle`` they come in a new order each time, full batches only; ``generator`` is the source of that order.
    """
    return DataLoader(data, batch_size, shuffle=shuffle, drop_last=shuffle, collate_fn=_keep_batch, generator=generator)


def _keep_batch(batch: Any) -> Any:
    return batch


@cache
def load_fashion_mnist(split: str) -> ImageSet:
    """Load Fashion-MNIST (Xiao et al., 2017): ``split`` is "train" (60,000) or "test" (10,000), 28x28 grey.

    All callers share one copy (47 MB): ``clone()`` its tensors before you change them in place.

    Raises:
        DamagedFileError: a file is missing, cut or altered.
    """
    if split not in ("train", "test"):
        raise ValueError(f'split is "train" or "test", got {split!r}')
    facts = json.loads(read_data("fashion_mnist", "labels.json"))
    pixels = _read_idx(f"{split}_images.idx.xz")[:, None]  # (N, 1, 28, 28)
    return ImageSet(pixels, _read_idx(f"{split}_labels.idx.xz").long(), tuple(facts["classes"]))


def _read_idx(file: str) -> Tensor:
    """Read LeCun's IDX format: two zeros, a type, the number of dimensions, each length, then the bytes."""
    content = bytearray(lzma.decompress(read_data("fashion_mnist", file)))
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", count=dimensions, offset=4).tolist()
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 + 4 * dimensions).view(shape)


def make_shapes(count: int, size: int = 28, seed: int = 0) -> ImageSet:
    """Draw white discs, squares and triangles on black: a set that is made in no time, for tests and toys."""
    random = np.random.default_rng(seed)
    labels = torch.from_numpy(random.integers(0, 3, count))
    pictures = [_draw_shape(int(label), size, random) for label in labels]
    return ImageSet(torch.stack(pictures), labels, ("disc", "square", "triangle"))


def _draw_shape(label: int, size: int, random: np.random.Generator) -> Tensor:
    picture = Image.new("L", (size, size))
    radius = random.uniform(0.2, 0.4) * size
    x, y = random.uniform(radius, size - radius, 2)
    sides = {1: 4, 2: 3}
    draw = ImageDraw.Draw(picture)
    if label == 0:
        draw.circle((x, y), radius, fill=255)
    else:
        draw.regular_polygon((x, y, radius), sides[label], fill=255)
    return from_pil(picture)


@dataclass(frozen=True)
class Crops(Dataset):
    """Square cut-outs of pictures of any size, each time others: ``make_loader`` serves them as ``(images,)``.

    Attributes:
        pictures: (3, H, W) uint8 each, sides of ``size`` or more.
        size: of the cut-outs, to which larger squares are scaled down.
        scale: the square's side as a share of the picture's short side, from and to.
    """

    pictures: Sequence[Tensor]
    size: int
    scale: tuple[float, float] = (0.25, 1.0)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor]:
        """Return one cut-out of each picture asked for, (B, 3, size, size) in [-1, 1], mirrored at random."""
        return (random_flip(torch.cat([self._cut(self.pictures[index]) for index in indices])),)

    def _cut(self, pixels: Tensor) -> Tensor:
        height, width = pixels.shape[1:]
        low, high = self.scale
        share = low + (high - low) * torch.rand(()).item()
        side = max(self.size, round(share * min(height, width)))
        top, left = (int(torch.randint(length - side + 1, ())) for length in (height, width))
        square = to_images(pixels[None, :, top : top + side, left : left + side])
        return F.interpolate(square, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False)


@dataclass(frozen=True)
class Unpaired(Dataset):
    """Pictures of two kinds that do not belong together; each is served beside any one of the other kind.

    Attributes:
        first, second: (N, C, H, W) and (M, C, H, W) uint8.
        mirrored: whether half of them are mirrored, by lot.
    """

    first: Tensor
    second: Tensor
    mirrored: bool = True

    def __len__(self) -> int:
        return len(self.first)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return (B, C, H, W) of both kinds in [-1, 1]."""
        others = torch.randint(len(self.second), (len(indices),))
        ones, twos = to_images(self.first[torch.as_tensor(indices)]), to_images(self.second[others])
        return (random_flip(ones), random_flip(twos)) if self.mirrored else (ones, twos)


@dataclass(frozen=True)
class Pairs(Dataset):
    """Pictures that belong together two by two, e.g. an outline and the same in colour.

    Attributes:
        sources, targets: (N, C, H, W) and (N, D, H, W) uint8, of one size.
        augment: changes both alike: it is given each pair as one picture of C + D channels.
    """

    sources: Tensor
    targets: Tensor
    augment: Augmentation | None = None

    def __post_init__(self) -> None:
        sizes = [(len(pixels), *pixels.shape[2:]) for pixels in (self.sources, self.targets)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"a pair is two pictures of one size, got (N, H, W) {sizes[0]} and {sizes[1]}")

    def __len__(self) -> int:
        return len(self.sources)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return (B, C, H, W) and (B, D, H, W) in [-1, 1]."""
        chosen = torch.as_tensor(indices)
        both = to_images(torch.cat([self.sources[chosen], self.targets[chosen]], dim=1))
        if self.augment:
            both = self.augment(both)
        channels = self.sources.shape[1]
        return both[:, :channels], both[:, channels:]


def mix_classes(first: int, second: int, share: float, count: int = 1, class_count: int = 10) -> Tensor:
    """Return class weights (count, class_count): ``share`` of the second class, the rest of the first."""
    start, end = (F.one_hot(torch.tensor(label), class_count).float() for label in (first, second))
    return torch.lerp(start, end, share).expand(count, class_count)
