"""A file of the course is used only if it is whole; otherwise its error says how to get it back."""

import hashlib

import pytest

from cnngen_course import paths
from cnngen_course.paths import DamagedFileError, read_data, read_ledger, read_verified


def test_a_whole_file_is_read(tmp_path) -> None:
    path = tmp_path / "whole.bin"
    path.write_bytes(b"whole")
    assert read_verified(path, hashlib.sha256(b"whole").hexdigest()) == b"whole"


def test_a_missing_file_is_named_with_its_repair(tmp_path) -> None:
    with pytest.raises(DamagedFileError, match=r"absent\.bin is missing.*git checkout -- "):
        read_verified(tmp_path / "absent.bin", "0" * 64)


@pytest.mark.parametrize("content", [b"who", b"wholx", b""], ids=["cut", "altered", "empty"])
def test_a_damaged_file_is_named_with_what_was_expected(tmp_path, content: bytes) -> None:
    path = tmp_path / "damaged.bin"
    path.write_bytes(content)
    expected = hashlib.sha256(b"whole").hexdigest()
    with pytest.raises(DamagedFileError) as caught:
        read_verified(path, expected)
    message = str(caught.value)
    assert "damaged.bin" in message and expected[:12] in message
    assert hashlib.sha256(content).hexdigest()[:12] in message and "git checkout" in message


def test_the_repair_names_a_path_inside_the_repository(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    with pytest.raises(DamagedFileError, match=r"git checkout -- data/fashion_mnist/labels\.json"):
        read_data("fashion_mnist", "labels.json")


def test_the_ledger_covers_the_sets_of_the_first_lessons() -> None:
    assert {"fashion_mnist", "photos", "people", "vgg16"} <= set(read_ledger())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing"),
        (b'{"fashion_mnist": {"files"', "is damaged"),
        (b"", "is damaged"),
        (b"\xff\xfe{}", "is damaged"),
        (b"{}", "is damaged"),
        (b"[1, 2]", "is damaged"),
        (b'{"fashion_mnist": 3}', "is damaged"),
        (b'{"fashion_mnist": {"files": {}}}', "does not know fashion_mnist/labels"),
        (b'{"people": {"files": {}}}', "does not know fashion_mnist/labels"),
    ],
)
def test_loaders_tell_of_a_damaged_ledger(monkeypatch, tmp_path, content: bytes | None, words: str) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "LEDGER", tmp_path / "data" / "ledger.json")
    (tmp_path / "data").mkdir()
    if content is not None:
        (tmp_path / "data" / "ledger.json").write_bytes(content)
    read_ledger.cache_clear()
    with pytest.raises(DamagedFileError, match=rf"ledger\.json {words}.*git checkout -- data/ledger\.json"):
        read_data("fashion_mnist", "labels.json")
    read_ledger.cache_clear()


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    (tmp_path / "folder.bin").mkdir()
    with pytest.raises(DamagedFileError, match=r"folder\.bin cannot be read"):
        read_verified(tmp_path / "folder.bin", "0" * 64)
