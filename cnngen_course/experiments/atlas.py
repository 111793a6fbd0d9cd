"""A map of pictures: points on a plane by an autoencoder of two numbers, and what its decoder draws between them."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from cnngen_course.datasets import ImageSet, load_fashion_mnist
from cnngen_course.images import make_grid, to_pixels
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.pretrained import load_pretrained


@dataclass(frozen=True)
class PictureMap:
    """Pictures as points on a plane, by an autoencoder of two numbers.

    ``places`` (N, 2) are in [-1, 1], y upwards; ``middle`` and ``reach`` (2,) turn them into latents.
    """

    model: Autoencoder
    data: ImageSet
    places: Tensor
    middle: Tensor
    reach: Tensor

    @torch.inference_mode()
    def draw(self, places: Tensor) -> Tensor:
        """Return the decoder's pictures (N, 1, 28, 28) at places (N, 2)."""
        return self.model.decoder(self.middle + self.reach * places)

    def find_nearest(self, place: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the distances and indices of the pictures nearest to one place (2,), nearest first."""
        return (self.places - place).norm(dim=1).topk(count, largest=False)


@torch.inference_mode()
def compute_map(model: Autoencoder, data: ImageSet) -> PictureMap:
    """Encode all pictures; the plane [-1, 1]² is laid over 98% of them along each number."""
    model.eval()
    latents = torch.cat([model.encoder(batch) for batch in data.images.split(500)])  # (N, 2)
    low, high = latents.quantile(torch.tensor([0.01, 0.99]), dim=0)
    middle, reach = (low + high) / 2, (high - low) / 2
    return PictureMap(model, data, (latents - middle) / reach, middle, reach)


@cache
def load_map() -> PictureMap:
    """Return the map of 2,000 test pictures by the course's trained weights."""
    return compute_map(load_pretrained("map_autoencoder", Autoencoder), load_fashion_mnist("test").select(slice(2000)))


def compute_lattice(rows: int, columns: int) -> Tensor:
    """Return evenly spaced places (rows·columns, 2) of the plane, row by row from the top left."""
    down, across = ((torch.arange(count) + 0.5) / count * 2 - 1 for count in (rows, columns))
    y, x = torch.meshgrid(-down, across, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def compute_atlas(picture_map: PictureMap, rows: int = 16, columns: int = 16) -> Tensor:
    """Return one picture (1, rows·28, columns·28), uint8: what the decoder draws all over the plane."""
    return make_grid(to_pixels(picture_map.draw(compute_lattice(rows, columns))), columns, gap=0)
