"""The artist: 204 emoji faces in six designs, also those that a design never had."""

from typing import Any

import torch
from torch import Tensor, nn

from cnngen_course.datasets import make_loader
from cnngen_course.galleries import Cells, Table, load_table
from cnngen_course.models.artist import Artist
from cnngen_course.objectives.drawing import Drawing
from cnngen_course.pretrained import Metric
from cnngen_course.recipes.recipe import Recipe, main
from cnngen_course.runtime import pick_precision
from cnngen_course.training import fit


@torch.no_grad()
def place_faces(model: Artist, cells: Cells) -> None:
    """Let the vectors of the faces begin where principal components put them: like faces side by side.

    A face is its mean picture over the designs, after the mean picture of each design has been taken away. From
    vectors at random, the network needs many times as long to tell the faces apart.
    """
    small = nn.functional.avg_pool2d(cells.images, 2).flatten(1)  # (N, 3·32·32)
    for style in cells.styles.unique():
        here = cells.styles == style
        small[here] -= small[here].mean(dim=0)
    table = model.things.weight
    means = torch.stack([small[cells.faces == face].mean(dim=0) for face in range(len(table))])
    directions, strengths, _ = torch.linalg.svd(means - means.mean(dim=0), full_matrices=False)
    # The root of the strength: strong components first, weak ones not drowned.
    vectors = directions[:, : table.shape[1]] * strengths[: table.shape[1]].sqrt()
    table.copy_(vectors / vectors.std())


def train(model: Artist, settings: dict[str, Any]) -> None:
    place_faces(model, load_table().train)
    fit(
        model,
        Drawing(settings["edges"]),
        make_loader(load_table().train, settings["batch_size"]),
        steps=settings["steps"],
        lr=settings["lr"],
        average=settings["average"],
        precision=pick_precision(),
    )


@torch.inference_mode()
def draw(model: nn.Module, faces: Tensor, styles: Tensor, batch_size: int = 100) -> Tensor:
    """Draw faces in styles, both by number (N,) or as shares: (N, 3, 64, 64) in [-1, 1]."""
    parts = zip(faces.split(batch_size), styles.split(batch_size), strict=True)
    return torch.cat([model(*part) for part in parts])


def compute_distances(drawn: Tensor, cells: Cells, faces: Tensor, style_count: int) -> Tensor:
    """Return the mean absolute error of each picture against the same face in every design, (N, style_count).

    A design that never had the face is infinitely far.
    """
    distances = torch.full((len(drawn), style_count), torch.inf)
    for row, (image, face) in enumerate(zip(drawn, faces, strict=True)):
        same = cells.select(cells.faces == face)
        distances[row, same.styles] = (same.images - image).abs().flatten(1).mean(dim=1)
    return distances


def find_borrowed(table: Table) -> Tensor:
    """Return for each held-out cell the error of the best picture to be had without drawing, (N,).

    It is the same face in the design that is most like the wanted one, by the faces that both have.
    """
    count, train = len(table.style_names), table.train
    likeness = compute_distances(train.images, train, train.faces, count)  # (N, styles)
    rows = [likeness[train.styles == style] for style in range(count)]
    alike = torch.stack([torch.where(row.isinf(), torch.nan, row).nanmean(dim=0) for row in rows])  # (styles, styles)
    errors = compute_distances(table.held_out.images, train, table.held_out.faces, count)
    order = alike[table.held_out.styles].masked_fill(errors.isinf(), torch.inf)
    return errors.gather(1, order.argmin(dim=1, keepdim=True))[:, 0]


def measure(model: Artist, count: int | None) -> dict[str, Metric]:
    """Measure on held-out cells: the error, that of a borrowed picture, and whether the design is the one asked for."""
    table = load_table()
    held = table.held_out.select(slice(count))
    drawn = draw(model, held.faces, held.styles)
    both = Cells(
        *(
            torch.cat([getattr(part, name) for part in (table.train, table.held_out)])
            for name in ("pixels", "faces", "styles")
        )
    )
    nearest = compute_distances(drawn, both, held.faces, len(table.style_names)).argmin(dim=1)
    values = {
        "l1": (drawn - held.images).abs().mean().item(),
        "l1_borrowed": find_borrowed(table)[:count].mean().item(),
        "style_accuracy": (nearest == held.styles).float().mean().item(),
    }
    return {name: Metric(value, len(held)) for name, value in values.items()}


RECIPE = Recipe(
    name="artist",
    model=Artist,
    arguments={"thing_count": 204, "style_count": 6, "widths": [96, 80, 64, 32], "noise": 0.15},
    data="emoji_faces",
    settings={"steps": 4500, "batch_size": 16, "lr": 2e-3, "average": 0.999, "edges": 0.5},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
