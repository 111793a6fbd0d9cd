"""What does each part of a loss do? The same colouring network trained with the L1 error, an opponent, or both.

Each ``Ablation`` is a short training on emoji outlines, without hints, measured on held-out emoji at some moments. They
lie in ``data/ablation``; ``python course.py rebuild ablation`` runs them anew.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from cnngen_course.augmentation import RandomShift, chain, random_flip
from cnngen_course.datasets import Pairs, make_loader
from cnngen_course.experiments.stored import load_record
from cnngen_course.galleries import load_emoji_pairs
from cnngen_course.images import to_pixels
from cnngen_course.metrics import compute_colourfulness, compute_frechet, compute_vgg_features
from cnngen_course.models.unet import PatchDiscriminator, UNet
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty, Opponent
from cnngen_course.objectives.translation import Translation
from cnngen_course.pretrained import load_vgg
from cnngen_course.runtime import pick_precision, seed_everything
from cnngen_course.training import fit

WAYS = {"L1": (1.0, False), "adversarial": (0.0, True), "both": (30.0, True)}  # weight of the error, an opponent?
STEPS = 800
MOMENTS = 4  # measurements of a training, evenly spaced
KEPT = slice(0, 156, 5)  # held-out emoji whose pictures are kept, at the last moment


@dataclass(frozen=True)
class Ablation:
    """One stored training.

    Attributes:
        way: a name in ``WAYS``.
        steps, seconds: of training, measuring left out; the stored seconds are processor time.
        evaluations: at each moment ``{"step", "l1", "colourfulness", "frechet"}`` of all held-out emoji.
        pixels: (N, 3, 64, 64) uint8, what the network makes of the held-out outlines ``KEPT``.
    """

    way: str
    steps: int
    seconds: float
    evaluations: list[dict[str, float]]
    pixels: Tensor


def make_network() -> UNet:
    return UNet(1, 3, (24, 48, 64, 64))


def make_objective(way: str) -> Translation:
    """Return the objective of a way: all networks and settings are the same, only this differs."""
    weight, opposed = WAYS[way]
    game = Adversarial("relativistic", DifferencePenalty(0.1, every=4))
    opponent = Opponent(PatchDiscriminator(3, 1, width=24, depth=2), game) if opposed else None
    return Translation(opponent, weight, most_dabs=None)


@cache
def load_emoji(split: str) -> tuple[Tensor, Tensor]:
    """Return outlines (N, 1, 64, 64) and pictures (N, 3, 64, 64) in [-1, 1]."""
    outlines, colours = load_emoji_pairs(split)
    return outlines.images[:, :1], colours.images


@torch.inference_mode()
def measure(model: nn.Module) -> dict[str, float]:
    """Measure a network without hints on the held-out emoji: error, colour, and distance of feature clouds."""
    outlines, pictures = load_emoji("test")
    drawn = torch.cat([model(some) for some in outlines.split(52)])
    vgg = load_vgg()
    return {
        "l1": (drawn - pictures).abs().mean().item(),
        "colourfulness": compute_colourfulness(drawn).mean().item(),
        "frechet": compute_frechet(compute_vgg_features(vgg, pictures), compute_vgg_features(vgg, drawn)),
    }


def run(way: str, steps: int = STEPS) -> tuple[Ablation, nn.Module]:
    """Train one way from scratch; return what came of it, and the network."""
    seed_everything(0)
    model = make_network()
    outlines, colours = load_emoji_pairs("train")
    pairs = Pairs(outlines.pixels[:, :1], colours.pixels, chain(random_flip, RandomShift(4)))
    history = fit(
        model,
        make_objective(way),
        make_loader(pairs, batch_size=16),
        steps=steps,
        lr=2e-3,
        momentum=0.5,
        average=0.99,
        evaluate=measure,
        evaluate_every=max(1, steps // MOMENTS),
        precision=pick_precision(),
        progress=False,
    )
    with torch.inference_mode():
        drawn = model(load_emoji("test")[0][KEPT])
    evaluations = [{name: entry[name] for name in entry if name != "seconds"} for entry in history.evaluations]
    return Ablation(way, steps, round(history.seconds, 1), evaluations, to_pixels(drawn)), model


@cache
def load_ablation(way: str) -> Ablation:
    """Return a stored training.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
        ValueError: there is no such way.
    """
    if way not in WAYS:
        raise ValueError(f"there are {', '.join(WAYS)}, got {way!r}")
    return load_record(Ablation, "ablation", f"{way.lower()}.npz")


NAMES = {  # of colours: red, green and blue, 0 to 255
    "red": (210, 50, 45),
    "orange": (235, 140, 40),
    "yellow": (250, 230, 50),
    "green": (100, 170, 60),
    "blue": (90, 170, 230),
    "purple": (140, 100, 190),
    "pink": (250, 165, 195),
    "brown": (140, 90, 50),
}


def name_colours(images: Tensor) -> dict[str, float]:
    """Return what share of all pixels has each colour, largest first; white, grey, black and shares below 1% not."""
    pixels = images.permute(0, 2, 3, 1).reshape(-1, 3)
    vivid = pixels[pixels.amax(dim=1) - pixels.amin(dim=1) > 0.3]
    palette = torch.tensor(list(NAMES.values())) / 127.5 - 1  # (colours, 3)
    counts = torch.cdist(vivid, palette).argmin(dim=1).bincount(minlength=len(NAMES))
    shares = dict(zip(NAMES, (counts / len(pixels)).tolist(), strict=True))
    return {name: share for name, share in sorted(shares.items(), key=lambda pair: -pair[1]) if share >= 0.01}
