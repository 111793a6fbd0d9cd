"""Faces are found, counted and hidden; boxes are cut, merged and enlarged as they should."""

import pytest
import torch

from cnngen_course.galleries import load_face_boxes, load_people
from cnngen_course.safety import faces


@pytest.fixture(scope="module")
def people() -> list[torch.Tensor]:
    return [photo.pixels for photo in load_people()]


def test_cover_is_shared_area_over_that_of_the_smaller_box() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]])
    cover = faces.compute_cover(boxes, boxes)
    assert cover.diagonal().tolist() == [1, 1, 1, 1]
    assert cover[0].tolist() == [1, 0.5, 1, 0]


def test_covered_boxes_are_dropped_and_the_surest_stay() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]])
    assert faces.drop_covered(boxes, torch.tensor([0.9, 0.8, 0.7, 0.6]), 0.6) == [0, 1, 3]
    assert faces.drop_covered(boxes, torch.tensor([0.6, 0.7, 0.9, 0.8]), 0.4) == [2, 3, 1]


def test_a_blur_keeps_the_mean_and_repeats_the_border() -> None:
    dot = torch.zeros(1, 2, 41, 41)
    dot[0, 0, 20, 20] = 1
    blurred = faces.blur_images(dot, 4.0)
    across = (blurred[0, 0].sum(dim=0) * (torch.arange(41) - 20).square()).sum().sqrt()
    assert blurred.sum().item() == pytest.approx(1) and across.item() == pytest.approx(4, rel=0.02)
    edge = torch.ones(1, 1, 9, 5)
    torch.testing.assert_close(faces.blur_images(edge, 7.0), edge)
    assert torch.equal(faces.blur_images(dot, 0.0), dot)


def test_squares_keep_the_middle_and_windows_are_padded() -> None:
    assert faces.make_square(torch.tensor([[10.0, 10, 20, 40]])).tolist() == [[0, 10, 30, 40]]
    window = faces.cut_windows(torch.ones(1, 3, 20, 20), torch.tensor([[-10.0, -10, 10, 10]]), 4)
    assert window.shape == (1, 3, 4, 4) and window.sum() == 3 * 4  # a quarter lies inside


def test_mtcnn_finds_the_large_faces_and_where_they_are(people) -> None:
    for index, missed in ((0, 0), (1, 0), (2, 1)):
        true, masked = load_face_boxes()[index]
        count = faces.count_misses(faces.detect_by_mtcnn(people[index]).above(0.9).boxes, true, masked)
        assert count.faces == len(true) and count.missed <= missed and count.false_alarms <= 2


def test_the_cascade_finds_a_frontal_face(people) -> None:
    found = faces.detect_by_cascade(people[0], agreeing=4).boxes
    assert faces.count_misses(found, load_face_boxes()[0][0]).missed == 0


@pytest.mark.parametrize("detect", [faces.detect_by_mtcnn, faces.detect_by_cascade])
@pytest.mark.parametrize("size", [(3, 5), (640, 1), (40, 40)])
def test_where_nothing_is_nothing_is_found(detect, size: tuple[int, int]) -> None:
    found = detect(torch.full((3, *size), 90, dtype=torch.uint8))
    assert found.boxes.shape == (0, 4) and len(found.scores) == 0


def test_misses_and_false_alarms_are_counted() -> None:
    true, masked = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]]), torch.tensor([[80.0, 80, 90, 90]])
    found = torch.tensor([[1.0, 1, 9, 9], [81, 81, 89, 89], [30, 30, 40, 40], [0, 0, 100, 100]])
    assert faces.count_misses(found, true, masked) == faces.Count(2, 1, 2)
    assert faces.count_misses(torch.zeros(0, 4), true) == faces.Count(2, 2, 0)
    assert faces.Count(2, 1, 2) + faces.Count(1, 0, 3) == faces.Count(3, 1, 5)


@pytest.mark.parametrize("way", faces.WAYS)
def test_hiding_changes_the_face_and_nothing_else(way: str, people) -> None:
    true = load_face_boxes()[0][0]
    hidden = faces.hide(people[0], true, way)
    left, top, right, bottom = faces.enlarge(true, 512, 512)[0].tolist()
    changed = (hidden != people[0]).any(dim=0)
    assert changed[top:bottom, left:right].float().mean() > 0.5
    changed[top:bottom, left:right] = False
    assert not changed.any() and hidden.dtype == torch.uint8


def test_repainting_never_sees_the_face(people) -> None:
    true = load_face_boxes()[0][0]
    spoiled = people[0].clone()
    spoiled[:, 90:160, 195:255] = 255  # well inside the oval
    assert torch.equal(faces.hide(people[0], true, "repaint"), faces.hide(spoiled, true, "repaint"))


def test_boxes_at_the_border_and_unknown_ways() -> None:
    pixels = torch.full((3, 30, 40), 90, dtype=torch.uint8)
    boxes = torch.tensor([[-5.0, -5, 6, 6], [35, 25, 60, 60], [100, 100, 120, 120]])
    for way in faces.WAYS:
        assert faces.hide(pixels, boxes, way).shape == pixels.shape
    with pytest.raises(ValueError, match="unknown way"):
        faces.hide(pixels, boxes, "wish")
