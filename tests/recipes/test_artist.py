"""The table of faces and designs: what is held out, what may be borrowed, where vectors begin."""

import torch

from cnngen_course import galleries
from cnngen_course.models.artist import Artist
from cnngen_course.recipes import artist


def test_cells_are_held_out_and_no_face_is_lost() -> None:
    table = artist.load_table()
    assert len(table.held_out) == galleries.HELD_OUT and len(table.face_names) == len(table.kinds) == 204
    pairs = [
        set(zip(cells.faces.tolist(), cells.styles.tolist(), strict=True)) for cells in (table.train, table.held_out)
    ]
    assert not pairs[0] & pairs[1] and len(pairs[0]) == len(table.train)
    left = torch.bincount(table.train.faces, minlength=204)
    assert (left[table.held_out.faces] >= galleries.LEAST).all() and (left >= 1).all()


def test_kinds_follow_mood_and_category() -> None:
    table = artist.load_table()
    kinds = dict(zip(table.face_names, table.kinds, strict=True))
    assert kinds["angry face"] == "angry" and kinds["crying cat"] == "animal" and kinds["baby"] == "person"
    assert kinds["alien"] == "other"


def test_a_batch_is_pictures_faces_and_styles() -> None:
    images, faces, styles = artist.load_table().train.__getitems__([3, 5])
    assert images.shape == (2, 3, 64, 64) and images.min() >= -1 and faces.shape == styles.shape == (2,)


def test_distances_to_every_design() -> None:
    pixels = torch.zeros(3, 3, 4, 4, dtype=torch.uint8)
    pixels[1] = 255
    cells = artist.Cells(pixels, torch.tensor([0, 0, 1]), torch.tensor([0, 2, 1]))
    distances = artist.compute_distances(torch.full((1, 3, 4, 4), 0.5), cells, torch.tensor([0]), 3)
    assert distances.tolist() == [[1.5, float("inf"), 0.5]]


def test_what_can_be_borrowed_is_the_same_face_in_the_likest_design() -> None:
    """Designs 0 and 1 are alike in face 0, design 2 is not; face 1 is wanted in design 0, and 1 and 2 have it."""
    grey = torch.tensor([0, 10, 200, 20, 100, 50], dtype=torch.uint8)
    pixels = grey[:, None, None, None].expand(6, 3, 2, 2)
    faces, styles = torch.tensor([0, 0, 0, 1, 1, 1]), torch.tensor([0, 1, 2, 1, 2, 0])
    cells = artist.Cells(pixels, faces, styles)
    table = artist.Table(cells.select(slice(5)), cells.select(slice(5, 6)), ("a", "b"), ("x", "y", "z"), ("", ""))
    borrowed = artist.find_borrowed(table)
    torch.testing.assert_close(borrowed, torch.tensor([30 / 127.5]))


def test_alike_faces_begin_side_by_side() -> None:
    table, model = artist.load_table(), Artist(204, 6)
    artist.place_faces(model, table.train)
    vectors = torch.nn.functional.normalize(model.things.weight.detach(), dim=1)
    near = vectors[table.face_names.index("grinning face")] * vectors[table.face_names.index("grinning squinting face")]
    far = vectors[table.face_names.index("grinning face")] * vectors[table.face_names.index("woman guard")]
    assert near.sum() > far.sum() + 0.3
