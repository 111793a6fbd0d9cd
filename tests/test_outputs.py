"""Numbers may differ between a stored text and a fresh one; a changed word is found."""

import pytest
from nbformat.v4 import new_output

from tools.outputs import find_difference, mask


def say(text: str, *shown: str) -> list:
    displays = [new_output("display_data", data={"text/plain": words, "image/png": "..."}) for words in shown]
    return [new_output("stream", name="stdout", text=text), *displays]


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 2.31 at step 100", "loss 10.4 at step 1,000"),
        ("gain −0.3 dB, 5%", "gain 12 dB, 17%"),
        ("3e-05", "1.2e+03"),
        ("torch 2.15.0+cu132, 3.11.7 on Linux x86_64", "torch 2.15.0+cpu, 3.12.1 on Darwin arm64"),
        ("a     3\nb    12", "a   112\nb     1"),
        ("What came out: channels-last.", "What came out: large batch."),
    ],
)
def test_numbers_are_no_difference(stored: str, fresh: str) -> None:
    assert find_difference(say(stored), say(fresh)) is None


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        (say("a lesson needs up to 2.5 GB"), say("the hungriest lesson, 14, takes 3.48 GB")),
        (say("loss 1"), say("loss 1 step 2")),
        (say("loss 1"), say("")),
        (say("loss 0.31"), say("loss nan")),
        (say("3e-05 | -inf"), say("3e-05 | 7")),
        (say("", "Shown is a boot."), say("", "Shown is a bag.")),
        (say("", "a", "b"), say("", "a")),
        (say("", "What came out: a boot."), say("", "Your answer: a boot.")),
    ],
)
def test_words_are(stored: list, fresh: list) -> None:
    assert find_difference(stored, fresh)
    assert find_difference(stored, stored) is None


def test_progress_bars_do_not_count() -> None:
    noise = new_output("stream", name="stderr", text="100%|####| 3/3")
    assert find_difference(say("loss 1"), [*say("loss 1"), noise]) is None


def test_the_report_begins_shortly_before_the_difference() -> None:
    report = find_difference(say("x" * 200 + " two cores"), say("x" * 200 + " few cores"))
    assert "two cores" in report and "few cores" in report and "x" * 60 not in report


def test_a_number_inside_a_word_stays_a_word_around_it() -> None:
    assert mask("relu1_2 and 32 bits") == "relu#_# and # bits"
