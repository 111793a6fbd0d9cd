"""Stars go where they belong, who drew a picture is told only afterwards, and hostile files get their answers."""

import pytest

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.pieces import QUESTIONS, SOURCES, make_pieces
from cnngen_course.explorers import studio
from cnngen_course.ratings import Rating, RatingList, RatingsError
from cnngen_course.safety.uploads import SPECIMENS


def test_stars_are_stored_and_the_next_picture_comes() -> None:
    book = RatingList()
    panel = studio.make_rating_explorer(book)
    piece = make_pieces(0)[0]
    before = panel.picture.value
    panel.bar.buttons[3].click()
    rating = book.load()[0]
    assert (rating.model, rating.stars, rating.judge) == (piece.source, 4, piece.judge)
    assert rating.condition == load_fashion_mnist("test").class_names[piece.label]
    assert piece.source in panel.bar.said.value and "★★★★ for picture 1" in panel.bar.said.value
    assert panel.controls["number"].value == 1 and panel.picture.value != before
    assert "Picture 2 of 40" in panel.describe() and "1 rating by 1 visitor." in panel.describe()


def test_who_drew_it_is_hidden_before_the_stars() -> None:
    panel = studio.make_rating_explorer()
    assert not any(source in panel.describe() for source in SOURCES)


def test_the_last_picture_can_be_rated() -> None:
    book = RatingList()
    panel = studio.make_rating_explorer(book)
    panel.controls["number"].value = QUESTIONS - 1
    panel.bar.rate(2)
    assert len(book.load()) == 1 and "by 1 visitor." in panel.describe()


def test_a_file_that_takes_nothing_is_told_beside_the_stars() -> None:
    class Full(RatingList):
        def add(self, rating: Rating) -> None:
            raise RatingsError("Your stars could not be stored: <the disk> is full.")

    panel = studio.make_rating_explorer(Full())
    panel.bar.rate(5)
    assert "could not be stored: &lt;the disk&gt; is full" in panel.bar.said.value


def test_ratings_in_words() -> None:
    assert studio.describe_ratings([]) == "Nobody has given stars yet."
    some = [Rating("VAE", "Coat", stars, f"visitor {stars}", stars / 5) for stars in (1, 3, 4, 5)]
    text = studio.describe_ratings(some)
    assert "4 ratings by 4 visitors" in text and "VAE 3.25 [1.00 to 5.00], n = 4" in text and "correlation" in text
    assert "Not known yet: agreement needs" in studio.describe_ratings(some[:2])


@pytest.mark.parametrize("name", ["bomb of 900 million pixels", "turned by the camera"])
def test_a_specimen_gets_its_answer_on_the_card(name: str) -> None:
    panel = studio.make_upload_explorer()
    panel.controls["specimen"].value = name
    assert (SPECIMENS[name].answer or "taken: 90 × 60") in panel.describe()


def test_long_sentences_are_broken() -> None:
    lines = studio.split_lines("word " * 40, 30)
    assert len(lines) > 5 and max(map(len, lines)) <= 31 and "".join(lines).split() == ["word"] * 40


@pytest.mark.parametrize(("count", "text"), [(31_000_000, "31 MB"), (49_076, "49 kB"), (83, "83 bytes")])
def test_sizes_in_words(count: int, text: str) -> None:
    assert studio.describe_bytes(count) == text
