"""The exercises of the lesson on style: a Gram matrix, the choice of a layer, and keeping the colours."""

from typing import Any

import torch
from torch import Tensor

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_tensor


def solve_gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)  # (N, C, H·W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def make_features() -> list[tuple[Tensor, str]]:
    chance = torch.Generator().manual_seed(0)
    ones = torch.ones(1, 2, 1, 1)
    ones[:, 1] = 3.0
    return [
        (ones, "with a single place, each entry is the product of two channels: 1, 3, 3 and 9"),
        (ones.expand(1, 2, 2, 2).clone(), "the same at four places: the mean over the places stays the same"),
        (torch.randn(1, 3, 4, 6, generator=chance), "the table has one row and one column for each channel"),
        (torch.randn(2, 3, 4, 4, generator=chance), "each picture of a batch has a table of its own"),
    ]


def judge_gram(answer: Any) -> str | None:
    """Judge ``gram(features)``, tables (N, C, C) of what goes together."""
    for features, reason in make_features():
        got = call(answer, features.clone())
        problem = explain_tensor(got, solve_gram(features), f"the Gram matrix of features {tuple(features.shape)}")
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def mix_pictures(features: Tensor) -> Tensor:
    """The mistake of one table for the whole batch."""
    flat = features.transpose(0, 1).flatten(1)  # (C, N·H·W)
    return (flat @ flat.T / flat.shape[1]).expand(len(features), -1, -1)


def compare_places(features: Tensor) -> Tensor:
    """The mistake of multiplying the wrong way round."""
    flat = features.flatten(2)
    return flat.transpose(1, 2) @ flat / flat.shape[2]


def center_first(features: Tensor) -> Tensor:
    """The mistake of computing covariances."""
    flat = features.flatten(2)
    return solve_gram((flat - flat.mean(dim=2, keepdim=True))[..., None])


GRAM = Exercise(
    "gram",
    judge_gram,
    (
        "Lay the places of each channel out in one row: features.flatten(2) is (N, C, H·W).",
        "Rows times rows: flat @ flat.transpose(1, 2) sums the products of two channels over all places.",
        "Divide that by the number of places, flat.shape[2], to get the mean.",
    ),
    solve_gram,
    (
        Mistake(lambda f: f.flatten(2) @ f.flatten(2).transpose(1, 2), "four places: the mean"),
        Mistake(lambda f: solve_gram(f) / f.shape[1], "the product of two channels: 1, 3, 3 and 9"),
        Mistake(compare_places, "should have shape (1, 2, 2), got (1, 1, 1)"),
        Mistake(center_first, "one is off by 9"),
        Mistake(mix_pictures, "a table of its own"),
        Mistake(lambda f: solve_gram(f)[0], "should have shape (1, 2, 2), got (2, 2)"),
    ),
)

Answers = dict[str, Tensor]


def solve_choose_layer(image: Answers, painted: Answers, other: Answers) -> str:
    def compute_share(layer: str) -> float:
        changed = (image[layer] - painted[layer]).square().mean()
        return (changed / (image[layer] - other[layer]).square().mean()).item()

    return min(image, key=compute_share)


def make_answers() -> list[tuple[Answers, Answers, Answers, str]]:
    def fill(**values: float) -> Answers:
        return {layer: torch.full((1, 2, 3, 3), value) for layer, value in values.items()}

    image = fill(early=0.0, middle=0.0, late=0.0)
    return [
        (
            image,
            fill(early=2.0, middle=1.0, late=3.0),
            fill(early=4.0, middle=4.0, late=4.0),
            "the paint must change little: a small share is good",
        ),
        (
            image,
            fill(early=1.0, middle=0.5, late=2.0),
            fill(early=8.0, middle=0.6, late=4.0),
            "a layer that hardly answers to anything is not a good one: divide by the change to another picture",
        ),
        (
            image,
            fill(early=1.0, middle=-1.0, late=0.5),
            fill(early=-2.0, middle=4.0, late=1.0),
            "differences have signs; square them before you take the mean",
        ),
        (
            fill(early=5.0, middle=5.0, late=1.0),
            fill(early=7.0, middle=5.5, late=1.5),
            fill(early=1.0, middle=4.0, late=3.0),
            "measure changes from the photograph, not the size of the answers",
        ),
        *(sample_answers(seed) for seed in range(20)),
    ]


def sample_answers(seed: int) -> tuple[Answers, Answers, Answers, str]:
    """Return answers of layers that differ in size, as in a network, with few large values among them."""
    chance = torch.Generator().manual_seed(seed)
    scale = 0.1 if seed % 2 else 1.0
    shapes = {"early": (1, 2, 6, 6), "middle": (1, 4, 3, 3), "late": (1, 3, 2, 2)}
    image, painted, other = (
        {layer: scale * torch.randn(shape, generator=chance) ** 3 for layer, shape in shapes.items()} for _ in range(3)
    )
    return image, painted, other, "square each difference, take the mean over the layer"


def judge_choose_layer(answer: Any) -> str | None:
    """Judge ``choose_layer(image, painted, other)``, the name of the layer that answers to content."""
    for image, painted, other, reason in make_answers():
        wanted = solve_choose_layer(image, painted, other)
        got = call(answer, *({**answers} for answers in (image, painted, other)))
        if got not in image if isinstance(got, str) else True:
            names = ", ".join(image)
            return f"choose_layer should return the name of a layer, one of {names}, got {type(got).__name__}: {got}."
        if got != wanted:
            said = explain_layer(got, image, painted, other) or reason
            return f"choose_layer should return {wanted!r}, got {got!r}. Think of this: {said}."
    return None


def explain_layer(got: str, image: Answers, painted: Answers, other: Answers) -> str | None:
    """Return what is wrong if the two distances were subtracted instead of divided, or None."""
    painting, another = (
        {layer: (image[layer] - answers[layer]).square().mean().item() for layer in image}
        for answers in (painted, other)
    )
    if got == min(image, key=painting.__getitem__):
        return None
    subtracted = min(image, key=lambda layer: painting[layer] - another[layer])
    return "a share is asked for: divide the two distances; you may have subtracted them" if got == subtracted else None


def forget_squares(image: Answers, painted: Answers, other: Answers) -> str:
    """The mistake of letting plus and minus cancel."""
    return min(image, key=lambda n: ((image[n] - painted[n]).mean() / (image[n] - other[n]).mean()).item())


CHOOSE_LAYER = Exercise(
    "choose_layer",
    judge_choose_layer,
    (
        "For each layer compute two numbers: how far are the painting and the other picture from the photograph?",
        "Each of them is a mean squared difference: (image[layer] - painted[layer]).square().mean().",
        "Divide the first by the second, and return the layer where that is smallest: min(image, key=...).",
    ),
    solve_choose_layer,
    (
        Mistake(lambda i, p, o: max(i, key=lambda n: (i[n] - p[n]).square().mean().item()), "a small share is good"),
        Mistake(lambda i, p, o: min(i, key=lambda n: (i[n] - p[n]).square().mean().item()), "hardly answers"),
        Mistake(forget_squares, "square them"),
        Mistake(
            lambda i, p, o: min(
                i, key=lambda n: ((i[n] - p[n]).square().mean() - (i[n] - o[n]).square().mean()).item()
            ),
            "a share is asked for",
        ),
        Mistake(lambda i, p, o: min((i[n] - p[n]).square().mean().item() for n in i), "got float"),
        Mistake(lambda i, p, o: list(i).index(solve_choose_layer(i, p, o)), "got int"),
    ),
)

WEIGHTS = (0.299, 0.587, 0.114)


def solve_keep_colours(painted: Tensor, images: Tensor) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    lighter = (weights * (painted - images)).sum(dim=1, keepdim=True)  # (N, 1, H, W)
    return (images + lighter).clamp(-1, 1)


def make_pairs() -> list[tuple[Tensor, Tensor, str]]:
    def colour(*values: float) -> Tensor:
        return torch.tensor(values).view(1, 3, 1, 1).repeat(1, 1, 2, 2)

    chance = torch.Generator().manual_seed(1)
    first, second = (torch.rand(2, 3, 4, 5, generator=chance) - 0.5 for _ in range(2))
    return [
        (
            colour(0.5, 0.5, 0.5),
            colour(0.2, 0.2, 0.2),
            "red, green and blue must all rise by 0.3",
        ),
        (
            colour(0.0, 0.6, 0.0),
            colour(0.0, 0.0, 0.0),
            "the eye sees green brightest, with a weight of 0.587; red has 0.299, blue 0.114",
        ),
        (first, second, "the colours are those of the photograph, the brightness that of the painting"),
        (colour(1.0, 1.0, 1.0), colour(0.9, -0.9, 0.0), "what leaves the range from -1 to 1 must be cut off"),
        (colour(-1.0, -1.0, -1.0), colour(0.9, -0.9, 0.0), "cut off at both ends, below -1, too"),
    ]


def judge_keep_colours(answer: Any) -> str | None:
    """Judge ``keep_colours(painted, images)``, the painting's brightness with the photograph's colours."""
    for painted, images, reason in make_pairs():
        got = call(answer, painted.clone(), images.clone())
        what = f"keep_colours of {len(images)} pictures of {tuple(images.shape[2:])} pixels"
        problem = explain_tensor(got, solve_keep_colours(painted, images), what)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def add_plainly(painted: Tensor, images: Tensor) -> Tensor:
    """The mistake of weighing the three colours alike."""
    return (images + (painted - images).mean(dim=1, keepdim=True)).clamp(-1, 1)


def add_unclipped(painted: Tensor, images: Tensor) -> Tensor:
    weights = torch.tensor(WEIGHTS).view(1, 3, 1, 1)
    return images + (weights * (painted - images)).sum(dim=1, keepdim=True)


KEEP_COLOURS = Exercise(
    "keep_colours",
    judge_keep_colours,
    (
        "How bright is each picture, place by place? (weights * picture).sum(dim=1, keepdim=True), (N, 1, H, W).",
        "weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1). How much brighter is the painting?",
        "Add that difference to all three colours of images, then .clamp(-1, 1).",
    ),
    solve_keep_colours,
    (
        Mistake(add_plainly, "a weight of 0.587"),
        Mistake(lambda p, i: solve_keep_colours(i, p), "must all rise by 0.3"),
        Mistake(add_unclipped, "must be cut off"),
        Mistake(lambda p, i: (torch.tensor(WEIGHTS).view(1, 3, 1, 1) * p).sum(dim=1, keepdim=True), "(1, 1, 2, 2)"),
        Mistake(lambda p, i: (i + (torch.tensor(WEIGHTS).view(1, 3, 1, 1) * (p - i)).sum()).clamp(-1, 1), "off by 0.5"),
    ),
)

SHEET = Sheet(GRAM, CHOOSE_LAYER, KEEP_COLOURS)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
