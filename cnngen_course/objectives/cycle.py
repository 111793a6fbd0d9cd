"""Translating without pairs: what has been there and back must be what it was (Zhu et al., 2017)."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.models.unet import TwoWay
from cnngen_course.objectives.adversarial import Opponent


class ImagePool:
    """Remembers generated pictures, so that a discriminator keeps seeing old tricks (Shrivastava et al., 2017).

    Half of each batch is swapped against remembered pictures once there are ``size`` of them.
    """

    def __init__(self, size: int = 64) -> None:
        self.size = size
        self.pictures: Tensor | None = None

    def swap(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) -> as many, some of them older."""
        images = images.detach().float()  # half precision comes and goes between steps
        if self.pictures is None or len(self.pictures) < self.size:
            kept = images if self.pictures is None else torch.cat([self.pictures, images])
            self.pictures = kept[: self.size].clone()
            return images
        places = torch.randperm(self.size)[: len(images)]
        swapped = torch.rand(len(places)) < 0.5
        shown = images.clone()
        shown[: len(places)][swapped] = self.pictures[places[swapped]]
        self.pictures[places[swapped]] = images[: len(places)][swapped]
        return shown

    def state_dict(self) -> dict[str, Any]:
        return {"pictures": self.pictures}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.pictures = state["pictures"]


class Cycle:
    """Be taken for the other kind, come back unchanged, and leave alone what is of the other kind already.

    Args:
        first, second: judge the pictures of the first and of the second kind.
        cycle: weight of the mean absolute error after there and back.
        identity: weight of the mean absolute change of a picture that is of the wanted kind already.
        judges: judge the codes that pictures of the first and of the second kind are drawn from, where translators
            have codes (``models.bottleneck``). A code of the other kind should pass for one of the own kind.
    """

    def __init__(
        self,
        first: Opponent,
        second: Opponent,
        cycle: float = 4.0,
        identity: float = 2.0,
        judges: tuple[Opponent, Opponent] | None = None,
    ) -> None:
        self.first, self.second = first, second
        self.pools = ImagePool(), ImagePool()
        self.cycle, self.identity, self.judges = cycle, identity, judges

    def __call__(self, model: TwoWay, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """``batch`` is pictures of both kinds, (N, C, H, W) each; which stands beside which means nothing."""
        ones, twos = batch
        new_twos, new_ones = model.there(ones), model.back(twos)
        round_trip = compute_error(model.back(new_twos), ones) + compute_error(model.there(new_ones), twos)
        older = [pool.swap(new) for pool, new in zip(self.pools, (new_ones, new_twos), strict=True)]
        games = self.first.play(ones, new_ones, older=older[0]), self.second.play(twos, new_twos, older=older[1])
        taken_in = games[0]["loss"] + games[1]["loss"]
        loss = taken_in + self.cycle * round_trip
        values = {"cycle": round_trip.detach(), "generator_loss": taken_in.detach()}
        if self.identity:
            kept = compute_error(model.back(ones), ones) + compute_error(model.there(twos), twos)
            loss = loss + self.identity * kept
            values["identity"] = kept.detach()
        if self.judges:
            ways: list[tuple[Any, Tensor, Tensor]] = [(model.back, ones, twos), (model.there, twos, ones)]
            first, second = (
                judge.play(network.encode(own).detach(), network.encode(other))["loss"]
                for judge, (network, own, other) in zip(self.judges, ways, strict=True)
            )
            deceived = first + second
            loss = loss + deceived
            values["codes"] = deceived.detach()
        for name in ("score_real", "score_generated"):
            if name in games[0]:
                values[name] = (games[0][name] + games[1][name]) / 2
        return values | {"loss": loss}


def compute_error(images: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean absolute difference of two batches of pictures, a scalar."""
    return nn.functional.l1_loss(images.float(), wanted)


@torch.inference_mode()
def translate(network: nn.Module, images: Tensor) -> Tensor:
    """Translate any number of pictures (N, 3, H, W), fifty at a time."""
    return torch.cat([network(batch) for batch in images.split(50)])
