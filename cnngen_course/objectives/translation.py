"""From an outline to a picture in colour, learned from pairs, with or without dabs of colour as hints."""

import torch
from torch import Tensor, nn

from cnngen_course.objectives.adversarial import Opponent

DAB_RADIUS = 2


def sample_hints(pictures: Tensor, counts: Tensor) -> Tensor:
    """Dab the pictures' own colours at random places on empty paper: (N, 3, H, W) and (N,) -> (N, 4, H, W).

    The first three channels hold the colours in [-1, 1], 0 where there is no dab; the fourth is 1 under a dab. Places
    in colour are eight times as likely as white ones, as a learner dabs at things and not at the background.
    """
    count, _, height, width = pictures.shape
    most = int(counts.max()) if count else 0
    marks = pictures.new_zeros(count, 1, height, width)
    if most > 0:
        weights = 1 + 7 * (pictures.amin(dim=1) < 0.9).flatten(1).float()  # (N, H·W)
        places = torch.multinomial(weights, most)  # (N, most)
        wanted = (torch.arange(most, device=counts.device) < counts[:, None]).to(marks)  # the first `counts` of them
        marks.flatten(1).scatter_(1, places, wanted)
    # A dab takes its colour from the middle and spreads it; where two meet, the mean.
    return spread_dabs(torch.cat([pictures * marks, marks], dim=1))


def spread_dabs(points: Tensor) -> Tensor:
    """Grow single coloured points (N, 4, H, W) into round dabs of ``DAB_RADIUS``; where two meet, their mean."""
    reach = torch.arange(-DAB_RADIUS, DAB_RADIUS + 1, device=points.device)
    disc = (reach[:, None] ** 2 + reach**2 <= DAB_RADIUS**2 + 1).to(points)
    grown = nn.functional.conv2d(points, disc.expand(4, 1, -1, -1), padding=DAB_RADIUS, groups=4)
    colours, shares = grown[:, :3], grown[:, 3:]
    return torch.cat([colours / shares.clamp(min=1), (shares > 0).to(points)], dim=1)


def swap_colours(pictures: Tensor, chosen: Tensor) -> Tensor:
    """Let red, green and blue of the chosen pictures change places at random; ``chosen`` is (N,) bool."""
    order = torch.rand(len(pictures), 3).argsort(dim=1)
    order = torch.where(chosen[:, None], order, torch.arange(3)).to(pictures.device)
    return pictures.gather(1, order[:, :, None, None].expand_as(pictures))


class Translation:
    """``weight`` times the mean absolute error, and how little a discriminator is taken in, where there is one.

    Args:
        opponent: sees pictures beside their source.
        weight: of the absolute error; 0 leaves the opponent alone to say what is good.
        most_dabs: pictures come with 0 to so many dabs of colour; None for a model that takes no hints.
        recolour: share of the dabbed pictures whose red, green and blue change places, so that only the dabs tell
            their colours: the model learns to obey a dab, also one that it would never have chosen.

    Raises:
        ValueError: neither an error nor an opponent: there is nothing to learn.
    """

    def __init__(
        self,
        opponent: Opponent | None = None,
        weight: float = 1.0,
        most_dabs: int | None = 12,
        recolour: float = 0.0,
    ) -> None:
        if opponent is None and weight == 0:
            raise ValueError("without an opponent the weight of the absolute error must be above 0")
        self.opponent, self.weight, self.most_dabs, self.recolour = opponent, weight, most_dabs, recolour

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        sources, targets = batch
        inputs = sources
        if self.most_dabs is not None:
            counts = torch.randint(self.most_dabs + 1, (len(targets),)) * (torch.rand(len(targets)) < 0.8)
            targets = swap_colours(targets, (counts > 0) & (torch.rand(len(targets)) < self.recolour))
            inputs = torch.cat([sources, sample_hints(targets, counts.to(targets.device))], dim=1)
        drawn = model(inputs)
        error = (drawn.float() - targets).abs().mean()
        if self.opponent is None:
            return {"loss": self.weight * error, "error": error.detach()}
        values = self.opponent.play(targets, drawn, sources)
        return values | {"loss": self.weight * error + values["loss"], "error": error.detach()}


@torch.inference_mode()
def colour(model: nn.Module, outlines: Tensor, hints: Tensor | None = None) -> Tensor:
    """Colour outlines (N, 1, H, W) with the help of hints (N, 4, H, W), or without: (N, 3, H, W) in [-1, 1]."""
    if hints is None:
        hints = outlines.new_zeros(len(outlines), 4, *outlines.shape[2:])
    return torch.cat([model(batch) for batch in torch.cat([outlines, hints], dim=1).split(50)])


def dab_fairly(pictures: Tensor, count: int) -> Tensor:
    """Return ``count`` dabs of its own colours on each picture, the same ones each time: (N, 4, H, W)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return sample_hints(pictures, torch.full((len(pictures),), count))
