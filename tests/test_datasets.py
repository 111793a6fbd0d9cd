"""The data are whole and balanced, a damaged file is named, and augmentation does what it says."""

import hashlib
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import v2

from cnngen_course import augmentation, datasets, galleries, paths
from cnngen_course.augmentation import ColourJitter, RandomErase, RandomRotate, RandomShift
from cnngen_course.datasets import Crops, ImageSet, Pairs, Unpaired, mix_classes
from cnngen_course.paths import DamagedFileError

QUICK = settings(max_examples=25, deadline=None, derandomize=True)
# The sha256 of the published files: 16 bytes of header (magic number, lengths) and then the pixels.
FILE_SHA256 = {"train": "c59f468a", "test": "5b4141f0"}
COUNTS = {"train": 60_000, "test": 10_000}


@pytest.fixture(scope="module", params=["train", "test"])
def split(request: pytest.FixtureRequest) -> tuple[str, ImageSet]:
    return request.param, datasets.load_fashion_mnist(request.param)


def test_fashion_mnist_is_whole_and_balanced(split: tuple[str, ImageSet]) -> None:
    name, data = split
    assert data.pixels.shape == (COUNTS[name], 1, 28, 28) and data.pixels.dtype == torch.uint8
    assert data.labels.shape == (COUNTS[name],) and data.labels.dtype == torch.int64
    assert torch.bincount(data.labels).tolist() == [COUNTS[name] // 10] * 10
    assert len(data.class_names) == 10 and data.class_names[9] == "Ankle boot"


def test_fashion_mnist_has_the_published_pixels(split: tuple[str, ImageSet]) -> None:
    name, data = split
    content = struct.pack(">4I", 0x0803, COUNTS[name], 28, 28) + data.pixels.numpy().tobytes()
    assert hashlib.sha256(content).hexdigest().startswith(FILE_SHA256[name])


def test_all_share_one_copy(split: tuple[str, ImageSet]) -> None:
    name, data = split
    assert datasets.load_fashion_mnist(name) is data
    assert data.select(slice(10)).pixels.data_ptr() == data.pixels.data_ptr()
    assert data[0][0].data_ptr() != data.pixels.data_ptr()  # what is served may be changed


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="'validation'"):
        datasets.load_fashion_mnist("validation")


@pytest.fixture
def copied_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of the test labels' folder, from which ``datasets`` reads."""
    folder = tmp_path / "data" / "fashion_mnist"
    folder.mkdir(parents=True)
    for file in ("labels.json", "test_images.idx.xz", "test_labels.idx.xz"):
        shutil.copy(paths.DATA / "fashion_mnist" / file, folder)
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    datasets.load_fashion_mnist.cache_clear()
    yield folder
    datasets.load_fashion_mnist.cache_clear()


def test_a_whole_copy_is_read(copied_data: Path) -> None:
    assert len(datasets.load_fashion_mnist("test")) == 10_000


@pytest.mark.parametrize("file", ["labels.json", "test_images.idx.xz", "test_labels.idx.xz"])
@pytest.mark.parametrize("damage", ["altered", "cut", "empty"])
def test_a_damaged_file_is_named_with_what_helps(copied_data: Path, file: str, damage: str) -> None:
    path = copied_data / file
    whole = path.read_bytes()
    middle = len(whole) // 2
    content = {
        "altered": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "cut": whole[:-7],
        "empty": b"",
    }[damage]
    path.write_bytes(content)
    with pytest.raises(DamagedFileError) as caught:
        datasets.load_fashion_mnist("test")
    message = str(caught.value)
    assert f"data/fashion_mnist/{file} is damaged" in message
    assert f"expected sha256 {hashlib.sha256(whole).hexdigest()[:12]}" in message
    assert f"found {hashlib.sha256(content).hexdigest()[:12]}" in message
    assert f"{len(content):,} bytes" in message
    assert f"git checkout -- data/fashion_mnist/{file}" in message


def test_a_missing_file_is_named_with_what_helps(copied_data: Path) -> None:
    (copied_data / "test_labels.idx.xz").unlink()
    with pytest.raises(DamagedFileError, match=r"test_labels\.idx\.xz is missing\. .*git checkout"):
        datasets.load_fashion_mnist("test")


def test_photographs_come_with_their_facts() -> None:
    photos = galleries.load_photos("test", "fish")
    assert photos
    for photo in photos:
        assert photo.pixels.dtype == torch.uint8 and photo.pixels.shape[0] == 3
        assert min(photo.pixels.shape[1:]) <= 256
        assert photo.category == "fish" and photo.author and photo.licence in ("CC0-1.0", "public domain")
        assert photo.author in photo.credit and photo.licence in photo.credit


def test_photographs_are_split_without_overlap() -> None:
    names = {split: {photo.name for photo in galleries.load_photos(split, "fish")} for split in ("train", "test", None)}
    assert names["train"] | names["test"] == names[None]
    assert not names["train"] & names["test"]


@pytest.mark.parametrize("subject", ["mountRushmore", "eiffelTower", "tatue", "greatWall", "victoriaMemorial"])
def test_photographs_of_one_subject_are_on_the_same_side(subject: str) -> None:
    sides = [
        sum(subject in photo.name for photo in galleries.load_photos(split, "monument")) for split in ("train", "test")
    ]
    assert max(sides) >= 2 and min(sides) == 0


def test_one_photograph_by_name() -> None:
    assert galleries.load_photo("animal_chelsea").category == "animal"
    with pytest.raises(ValueError, match="there is no photograph 'chelsea'"):
        galleries.load_photo("chelsea")
    with pytest.raises(ValueError, match="no photographs"):
        galleries.load_photos("train", "unicorn")


@pytest.fixture(name="shapes")
def fixture_shapes() -> ImageSet:
    return datasets.make_shapes(50)


def test_shapes_are_repeatable_and_of_three_kinds(shapes: ImageSet) -> None:
    assert torch.equal(shapes.pixels, datasets.make_shapes(50).pixels)
    assert not torch.equal(shapes.pixels, datasets.make_shapes(50, seed=1).pixels)
    assert shapes.pixels.shape == (50, 1, 28, 28)
    assert set(shapes.labels.tolist()) == {0, 1, 2}


def test_a_batch_is_floats_in_the_course_range(shapes: ImageSet) -> None:
    images, labels = shapes.__getitems__([3, 1])
    assert images.shape == (2, 1, 28, 28) and images.min() == -1 and images.max() == 1
    assert torch.equal(labels, shapes.labels[[3, 1]])
    image, label = shapes[3]
    assert torch.equal(image, images[0]) and label == labels[0]
    assert torch.equal(shapes.images[[3, 1]], images)


@pytest.mark.parametrize(
    ("pixels", "labels", "words"),
    [
        (torch.zeros(3, 1, 4, 4), torch.zeros(3, dtype=torch.long), "pixels are uint8 of shape"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.long), "pixels are uint8 of shape"),
        (torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.long), "one int64 a picture"),
        (torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.zeros(3), "one int64 a picture"),
        (torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.full((3,), 2), "places in class_names, 0 to 1"),
    ],
)
def test_what_is_no_set_of_labelled_pictures_is_refused(pixels: Tensor, labels: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ImageSet(pixels, labels, ("a", "b"))


def test_selecting_keeps_pictures_and_labels_together(shapes: ImageSet) -> None:
    discs = shapes.select(shapes.labels == 0)
    assert (discs.labels == 0).all() and len(discs) == (shapes.labels == 0).sum()
    assert torch.equal(shapes.select(slice(5)).pixels, shapes.pixels[:5])
    assert torch.equal(shapes.select(torch.tensor([4, 2])).labels, shapes.labels[[4, 2]])


def test_a_shuffled_loader_gives_full_batches_in_a_new_order(shapes: ImageSet) -> None:
    torch.manual_seed(0)
    loader = datasets.make_loader(shapes, 16)
    first, second = ([labels for _, labels in loader] for _ in range(2))
    assert [len(labels) for labels in first] == [16] * 3
    assert not torch.equal(torch.cat(first), torch.cat(second))


def test_an_ordered_loader_gives_all_pictures_once(shapes: ImageSet) -> None:
    batches = list(datasets.make_loader(shapes, 16, shuffle=False))
    assert torch.equal(torch.cat([labels for _, labels in batches]), shapes.labels)
    assert torch.equal(torch.cat([images for images, _ in batches]), shapes.images)


def test_augmentation_runs_in_order_and_only_when_served(shapes: ImageSet) -> None:
    changed = shapes.with_augmentation(lambda images: images * 0 + 0.5, lambda images: images * 0.5)
    assert (changed[0][0] == 0.25).all()
    assert torch.equal(changed.pixels, shapes.pixels) and torch.equal(changed.images, shapes.images)
    assert not (shapes[0][0] == 0.25).all()


def make_batch(count: int = 64, channels: int = 3, height: int = 10, width: int = 14) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return 2 * torch.rand(count, channels, height, width, generator=random) - 1


STEPS = {
    "flip": augmentation.random_flip,
    "shift": RandomShift(3),
    "erase": RandomErase(4),
    "rotate": RandomRotate(20),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_step_keeps_shape_range_and_its_input(step: augmentation.Augmentation) -> None:
    torch.manual_seed(0)
    images = make_batch()
    before = images.clone()
    changed = step(images)
    assert changed.shape == images.shape and changed.dtype == images.dtype
    assert changed.abs().max() <= 1
    assert torch.equal(images, before)
    assert not torch.equal(changed, images)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_step_is_drawn_anew_for_each_picture(step: augmentation.Augmentation) -> None:
    torch.manual_seed(0)
    same = make_batch(1).expand(64, -1, -1, -1)
    changed = step(same).flatten(1)
    assert len(torch.unique(changed, dim=0)) >= 2
    torch.manual_seed(0)
    assert torch.equal(step(same).flatten(1), changed)


def test_a_flip_mirrors_about_half() -> None:
    torch.manual_seed(0)
    images = make_batch(1000)
    changed = augmentation.random_flip(images)
    mirrored = (changed == images.flip(3)).flatten(1).all(dim=1)
    kept = (changed == images).flatten(1).all(dim=1)
    assert (mirrored ^ kept).all()
    assert 400 < mirrored.sum() < 600


@QUICK
@given(reach=st.integers(0, 5), seed=st.integers(0, 1000))
def test_a_shift_is_a_crop_of_the_padded_picture(reach: int, seed: int) -> None:
    """Every shifted picture equals one of the crops of the picture padded by repeating its border."""
    torch.manual_seed(seed)
    images = make_batch(4, 2, 6, 7)
    padded = torch.nn.functional.pad(images, (reach,) * 4, mode="replicate")
    crops = padded.unfold(2, 6, 1).unfold(3, 7, 1).flatten(2, 3).transpose(1, 2)  # (N, places, C, 6, 7)
    shifted = RandomShift(reach)(images)
    assert (crops == shifted[:, None]).flatten(2).all(dim=2).any(dim=1).all()


def test_all_shifts_occur() -> None:
    torch.manual_seed(0)
    images = torch.arange(9.0).view(1, 1, 1, 9).expand(500, 1, 3, 9)
    assert set(RandomShift(2)(images)[:, 0, 0, 4].tolist()) == {2, 3, 4, 5, 6}


@QUICK
@given(size=st.integers(1, 12), seed=st.integers(0, 1000))
def test_erasing_covers_one_square_and_nothing_else(size: int, seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.rand(8, 3, 10, 14)
    changed = RandomErase(size)(images)
    covered = changed[:, 0] == -1
    assert torch.equal(changed[:, 1] == -1, covered)
    assert torch.equal(changed.masked_fill(covered[:, None], 0), images.masked_fill(covered[:, None], 0))
    for mask in covered:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns[None])  # a rectangle, cut by the border at most
        assert 1 <= rows.sum() <= min(size, 10) and 1 <= columns.sum() <= min(size, 14)


@pytest.mark.parametrize("shape", [(11, 11), (10, 14), (15, 9)])
def test_a_rotation_is_that_of_torchvision(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no border is involved, and for the angle that ``torch.rand`` gives here: 0.75 stands for half the way."""
    images = make_batch(2, 3, *shape)
    monkeypatch.setattr(torch, "rand", lambda count: torch.full((count,), 0.75))
    turned = RandomRotate(30)(images)
    wanted = v2.functional.rotate(images, 15, interpolation=v2.InterpolationMode.BILINEAR, fill=9.0)
    inside = v2.functional.rotate(torch.ones_like(images), 15, interpolation=v2.InterpolationMode.BILINEAR) == 1
    assert inside.float().mean() > 0.6
    torch.testing.assert_close(turned[inside], wanted[inside], atol=1e-4, rtol=0)


def test_no_angle_changes_nothing() -> None:
    images = make_batch(4)
    torch.testing.assert_close(RandomRotate(0)(images), images)


def test_decoding_gives_colour_pixels() -> None:
    content = (paths.DATA / "photos" / "animal_chelsea.webp").read_bytes()
    assert torch.equal(galleries.decode(content), galleries.load_photo("animal_chelsea").pixels)


def test_crops_are_cut_from_their_picture_and_differ_each_time() -> None:
    torch.manual_seed(0)
    dark, light = torch.zeros(3, 40, 60, dtype=torch.uint8), torch.full((3, 80, 50), 255, dtype=torch.uint8)
    (images,) = Crops([dark, light], 16).__getitems__([0, 1, 1])
    assert images.shape == (3, 3, 16, 16)
    torch.testing.assert_close(images, torch.tensor([-1.0, 1.0, 1.0]).view(3, 1, 1, 1).expand(3, 3, 16, 16))
    noise = torch.randint(256, (3, 64, 64), dtype=torch.uint8)
    loader = datasets.make_loader(Crops([noise] * 4, 16), 2)
    (first,), (second,) = loader
    assert not torch.equal(first[0], first[1]) and first.shape == second.shape


def test_unpaired_pictures_meet_others_each_time() -> None:
    torch.manual_seed(0)
    first, second = (torch.arange(start, start + 8, dtype=torch.uint8).view(8, 1, 1, 1) for start in (0, 100))
    pairs = Unpaired(first.expand(8, 3, 4, 4), second.expand(8, 3, 4, 4))
    loader = datasets.make_loader(pairs, 4)
    partners: dict[int, set[int]] = {number: set() for number in range(8)}
    for _ in range(20):
        for ones, twos in loader:
            assert ones.shape == twos.shape == (4, 3, 4, 4)
            numbers = [((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist() for images in (ones, twos)]
            for one, two in zip(*numbers, strict=True):
                partners[one].add(two)
    assert all(len(met) > 3 and met <= set(range(100, 108)) for met in partners.values())


def test_unpaired_kinds_are_mirrored_each_by_itself_and_need_not_be_equally_many() -> None:
    torch.manual_seed(0)
    slope = torch.arange(0, 250, 50, dtype=torch.uint8).expand(1, 3, 5, 5)
    ones, twos = Unpaired(slope, slope.repeat(3, 1, 1, 1)).__getitems__([0] * 400)
    mirrored = [images[:, 0, 0, 0] > images[:, 0, 0, 4] for images in (ones, twos)]
    assert all(150 < one.sum() < 250 for one in mirrored)
    assert 150 < (mirrored[0] ^ mirrored[1]).sum() < 250


def test_unpaired_pictures_can_be_left_as_they_are() -> None:
    slope = torch.arange(0, 250, 50, dtype=torch.uint8).expand(1, 3, 5, 5)
    ones, twos = Unpaired(slope, slope.flip(3), mirrored=False).__getitems__([0] * 50)
    assert torch.equal(ones, (slope / 127.5 - 1).expand(50, -1, -1, -1)) and torch.equal(twos, ones.flip(3))


def test_chained_steps_run_in_order() -> None:
    assert augmentation.chain(lambda x: x + 1, lambda x: 2 * x)(torch.tensor(3.0)) == 8
    assert augmentation.chain()(torch.tensor(3.0)) == 3


def test_colour_jitter_without_reach_changes_nothing() -> None:
    images = make_batch()
    torch.testing.assert_close(ColourJitter(0, 0, 0)(images), images)


def test_brightness_moves_all_of_a_picture_by_the_same_amount() -> None:
    torch.manual_seed(0)
    moved = (ColourJitter(0.6, 0, 0)(make_batch(500)) - make_batch(500)).flatten(1)
    torch.testing.assert_close(moved, moved[:, :1].expand_as(moved), atol=1e-5, rtol=0)
    assert 0.28 < moved.max() <= 0.3 and -0.3 <= moved.min() < -0.28


def test_saturation_keeps_each_pixels_grey_and_contrast_the_pictures_mean() -> None:
    torch.manual_seed(0)
    images = make_batch()
    coloured, contrasted = ColourJitter(0, 1, 0)(images), ColourJitter(0, 0, 0.6)(images)
    assert not torch.equal(coloured, images) and not torch.equal(contrasted, images)
    torch.testing.assert_close(coloured.mean(dim=1), images.mean(dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(contrasted.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=1e-5, rtol=0)
    ratios = contrasted.flatten(1).std(dim=1) / images.flatten(1).std(dim=1)
    assert 0.69 < ratios.min() < 0.8 and 1.2 < ratios.max() < 1.31


def test_gradients_flow_through_the_augmentation() -> None:
    images = make_batch(4).requires_grad_()
    augmentation.chain(ColourJitter(), RandomShift(2), RandomErase(3))(images).sum().backward()
    assert images.grad is not None and (images.grad != 0).float().mean() > 0.5


def test_pairs_stay_pairs_whatever_happens_to_them() -> None:
    torch.manual_seed(0)
    targets = torch.randint(256, (6, 3, 12, 12), dtype=torch.uint8)
    data = Pairs(targets[:, :1], targets, augmentation.chain(augmentation.random_flip, RandomShift(3)))
    for sources, colours in datasets.make_loader(data, 3):
        assert sources.shape == (3, 1, 12, 12) and colours.shape == (3, 3, 12, 12)
        torch.testing.assert_close(sources, colours[:, :1])
    plain = Pairs(targets[:, :1], targets).__getitems__([4])
    torch.testing.assert_close(plain[1], datasets.to_images(targets[4:5]))
    with pytest.raises(ValueError, match="one size"):
        Pairs(targets[:5, :1], targets)


@pytest.mark.parametrize(("first", "second", "share"), [(0, 9, 0.0), (0, 9, 0.25), (4, 4, 0.3), (3, 2, 1.0)])
def test_mixed_classes_sum_to_one(first: int, second: int, share: float) -> None:
    weights = mix_classes(first, second, share, count=2)
    assert weights.shape == (2, 10)
    assert weights.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert weights[0, second].item() == pytest.approx(1 if first == second else share)
