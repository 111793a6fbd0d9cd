"""Hero of lesson classifier: six test pictures, and below each what four channels of the judge answer to it."""

import torch
from PIL import Image

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.explorers.classifier import colour, load_judge, look_at
from cnngen_course.images import make_grid, to_pil

PICTURES = (0, 1, 18, 23, 8, 13)
LAYERS = ("stage 1", "stage 1", "stage 2", "stage 3")


def make() -> Image.Image:
    load_judge()
    canvas = Image.new("RGB", (6 * 150, 304), "white")
    for place, index in enumerate(PICTURES):
        pixels = load_fashion_mnist("test").pixels[index]
        canvas.paste(to_pil(pixels, 5), (150 * place + 4, 4))
        canvas.paste(to_pil(make_maps(pixels)), (150 * place + 4, 152))
    return canvas


def make_maps(pixels: torch.Tensor) -> torch.Tensor:
    """Return four heat maps as one picture (3, 140, 140): of two channels of stage 1, one of stage 2 and of stage 3."""
    responses, maps = look_at(pixels.numpy().tobytes()).responses, []
    for rank, layer in enumerate(LAYERS):
        response = responses[layer]
        chosen = response[response.flatten(1).std(dim=1).argsort(descending=True)[rank % 2]]
        maps.append(torch.nn.functional.interpolate(chosen[None, None], size=69, mode="bicubic")[0, 0].clamp(min=0))
    heats = torch.stack([colour(heat, heat.max().item()) for heat in maps])
    return make_grid(heats, columns=2)
