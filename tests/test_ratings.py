"""Stars are stored whole and by many at once, read back as honest numbers, and trouble is told in a sentence."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from scipy import stats

from cnngen_course import ratings
from cnngen_course.ratings import Rating, RatingBook, RatingsError, compute_agreement, compute_mean_stars, evaluate


def rate(stars: int, model: str = "generator", visitor: str = "ann", judge: float | None = None) -> Rating:
    return Rating(model, "Dress", stars, visitor, judge, moment=1.0)


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    book = RatingBook(tmp_path / "new folder" / "stars.sqlite3")
    assert book.load() == []
    given = [rate(5, judge=0.25), Rating("vae", "'; drop table ratings; --", 1, "bob")]
    for rating in given:
        book.add(rating)
    assert book.load() == given


@pytest.mark.parametrize("stars", [0, 6, -1, 2.5, True, None, "5"])
def test_only_one_to_five_stars(stars: object) -> None:
    with pytest.raises(ValueError, match="from 1 to 5"):
        rate(stars)


@pytest.mark.parametrize("text", ["", "x" * 201, None, b"bytes"])
def test_texts_have_a_length(text: object) -> None:
    with pytest.raises(ValueError, match="1 to 200 characters"):
        Rating(text, "Dress", 3, "ann")


@pytest.mark.parametrize("judge", [-0.1, 1.1, float("nan")])
def test_a_chance_is_a_chance(judge: float) -> None:
    with pytest.raises(ValueError, match="chance"):
        rate(3, judge=judge)


def test_the_file_itself_refuses_six_stars(tmp_path: Path) -> None:
    book = RatingBook(tmp_path / "stars.sqlite3")
    book.add(rate(3))
    with sqlite3.connect(book.path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("insert into ratings values ('a', 'b', 6, 'c', null, 0)")
    connection.close()


@pytest.mark.slow
def test_many_visitors_write_at_once(tmp_path: Path) -> None:
    """Eight threads of this program and two programs of their own: not one rating is lost."""
    book = RatingBook(tmp_path / "stars.sqlite3")
    program = (
        "import sys\nfrom pathlib import Path\nfrom cnngen_course.ratings import Rating, RatingBook\n"
        "for _ in range(20): RatingBook(Path(sys.argv[1])).add(Rating('generator', 'Coat', 4, sys.argv[2]))"
    )
    others = [subprocess.Popen([sys.executable, "-c", program, book.path, f"other {n}"]) for n in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: book.add(rate(1 + number % 5, visitor=f"visitor {number % 8}")), range(80)))
    assert [other.wait(120) for other in others] == [0, 0]
    stored = book.load()
    assert len(stored) == 120
    assert [sum(rating.visitor == f"other {n}" for rating in stored) for n in range(2)] == [20, 20]


def test_a_busy_file_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "PATIENCE", 0.1)
    book = RatingBook(tmp_path / "stars.sqlite3")
    book.add(rate(3))
    blocker = sqlite3.connect(book.path, isolation_level=None)
    blocker.execute("begin exclusive")
    with pytest.raises(RatingsError, match=r"others have been writing.*Try again"):
        book.add(rate(4))
    blocker.execute("rollback")
    blocker.close()
    book.add(rate(4))
    assert len(book.load()) == 2


def test_a_read_only_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anything, so SQLite itself is asked to open the file for reading only."""
    book = RatingBook(tmp_path / "stars.sqlite3")
    book.add(rate(3))
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **_: connect(f"{Path(path).as_uri()}?mode=ro", uri=True, isolation_level=None)
    )
    with pytest.raises(RatingsError, match=r"cannot be written to .*read-only disk.* --ratings FILE"):
        book.add(rate(4))


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder in which nobody may write")
def test_a_folder_that_takes_nothing_is_told() -> None:
    book = RatingBook(Path("/proc/nowhere/stars.sqlite3"))
    with pytest.raises(RatingsError, match="cannot be written to"):
        book.add(rate(4))


def test_a_file_in_the_way_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RatingsError, match="cannot be written to"):
        RatingBook(tmp_path / "file" / "stars.sqlite3").add(rate(4))


@pytest.mark.parametrize("action", ["add", "load"])
def test_another_file_is_named_and_left_alone(action: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ann, " * 100, encoding="utf-8")
    book = RatingBook(path)
    with pytest.raises(RatingsError, match="is not a file of ratings"):
        book.add(rate(4)) if action == "add" else book.load()
    assert path.read_text(encoding="utf-8").startswith("Dear Ann")


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    book = RatingBook(tmp_path / "stars.sqlite3")
    book.path.touch()
    assert book.load() == []
    book.add(Rating("VAE", "Coat", 3, "ann"))
    assert len(book.load()) == 1


def test_reading_makes_no_file(tmp_path: Path) -> None:
    RatingBook(tmp_path / "stars.sqlite3").load()
    assert os.listdir(tmp_path) == []


def test_a_mean_with_its_interval() -> None:
    stars = [3, 4, 4, 5, 2, 4]
    found = compute_mean_stars(stars)
    interval = stats.t.interval(0.95, 5, loc=torch.tensor(stars).double().mean(), scale=stats.sem(stars))
    assert (found.low, found.high) == pytest.approx(interval) and found.n == 6
    assert found.value == pytest.approx(22 / 6)


@pytest.mark.parametrize(("stars", "wanted"), [([4], (1, 5)), ([5, 5, 5], (5, 5)), ([1, 5], (1, 5))])
def test_an_interval_stays_on_the_scale(stars: list[int], wanted: tuple[float, float]) -> None:
    found = compute_mean_stars(stars)
    assert (found.low, found.high) == wanted


def test_no_rating_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compute_mean_stars([])


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = torch.Generator().manual_seed(0)
    truth, held = 3.0, 0
    for _ in range(1_000):
        found = compute_mean_stars((truth + 0.4 * torch.randn(5, generator=random)).tolist())
        held += found.low <= truth <= found.high
    assert 930 <= held <= 970


def test_a_visitor_counts_once() -> None:
    many = [rate(5, visitor="ann") for _ in range(50)] + [rate(1, visitor=name) for name in ("bob", "cem")]
    found = evaluate(many)["generator"]
    assert found.n == 3 and found.value == pytest.approx(7 / 3)
    alone = evaluate([rate(4), rate(5), rate(3)])["generator"]
    assert alone.n == 3 and alone.value == 4


def test_groups_are_sorted_and_others_refused() -> None:
    mixed = [rate(5, "vae"), rate(3, "generator"), rate(4, "vae")]
    assert list(evaluate(mixed)) == ["generator", "vae"] and list(evaluate(mixed, "condition")) == ["Dress"]
    with pytest.raises(ValueError, match='"model" or "condition"'):
        evaluate(mixed, "visitor")


def test_agreement_is_spearmans() -> None:
    random = torch.Generator().manual_seed(1)
    stars = torch.randint(1, 6, (40,), generator=random).tolist()
    chances = (torch.rand(40, generator=random) * 0.5 + 0.1 * torch.tensor(stars)).clamp(0, 1).tolist()
    found = compute_agreement(rate(star, judge=chance) for star, chance in zip(stars, chances, strict=True))
    assert found.value == pytest.approx(stats.spearmanr(stars, chances).statistic)
    assert found.low < found.value < found.high and found.n == 40
    turned = compute_agreement(rate(star, judge=1 - chance) for star, chance in zip(stars, chances, strict=True))
    assert turned.value == pytest.approx(-found.value)


def test_perfect_agreement_has_an_interval() -> None:
    found = compute_agreement(rate(star, judge=star / 5) for star in (1, 2, 3, 4, 5))
    assert found.value > 0.999 and found.high <= 1


def test_too_little_to_compare_is_told() -> None:
    with pytest.raises(ValueError, match="at least four"):
        compute_agreement([rate(3), rate(4, judge=0.5)])
    with pytest.raises(ValueError, match="no order"):
        compute_agreement(rate(3, judge=chance) for chance in (0.1, 0.2, 0.3, 0.4))


def test_a_visit_is_named_at_random() -> None:
    names = {ratings.name_visitor() for _ in range(50)}
    assert len(names) == 50 and all(name.isalnum() and len(name) == 12 for name in names)


def test_a_list_keeps_ratings_in_memory() -> None:
    book = ratings.RatingList()
    book.add(rate(3))
    assert book.load() == [rate(3)] and ratings.RatingList().load() == []
