"""What stands on several pages is the same everywhere: the table of lessons, the ways through, the words."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tools.elsewhere import read_address
from tools.execute import ROOT
from tools.pages import (
    CONTRIBUTING,
    ELSEWHERE,
    GLOSSARY,
    HOURS,
    PATHS,
    PLATFORMS,
    README,
    describe_paths,
    list_lessons,
    make_badges,
    make_glossary,
    make_links,
    read_minutes,
    read_text,
    read_words,
    update_contributing,
    update_elsewhere,
    update_readme,
)

TOLD_TWICE = {"kernel", "generator", "latent"}  # lesson 00 needs a first idea of them; a kernel is two things
REFERENCE = re.compile(r"\blessons? (\d\d)\b|\[(?:lesson )?(\d\d)(?: ·[^\]]*)?\]\((\d\d)_")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s#:]+)\)")


def test_the_readme_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == update_readme(text), "run: python3 course.py pages"


def test_the_plan_of_the_house_is_up_to_date() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    assert text == update_contributing(text), "run: python3 course.py pages"


def test_the_page_on_other_platforms_is_up_to_date() -> None:
    text = ELSEWHERE.read_text(encoding="utf-8")
    assert text == update_elsewhere(text), "run: python3 course.py pages"


def test_every_badge_and_link_leads_to_a_lesson_of_the_one_address() -> None:
    """Whoever publishes the course changes the address in pyproject.toml, and nothing else."""
    place = read_address().removeprefix("https://github.com/")
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", place)
    targets = re.findall(rf"https://[^\s)]*{place}[^\s)]*", make_badges() + make_links())
    assert len(targets) == len(PLATFORMS) + 2 * len(list_lessons()) + 1  # the cell has it, too
    for target in targets:
        if file := re.search(r"notebooks/\w+\.ipynb", target):
            assert (ROOT / file[0]).exists()
    for text in (README.read_text(encoding="utf-8"), ELSEWHERE.read_text(encoding="utf-8")):
        assert all(place in target for target in re.findall(r"https://(?:colab|kaggle|mybinder|codespaces)\S+", text))


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    for link in LINK.finditer(text):
        assert (README.parent / link["target"]).exists(), link["target"]


def test_the_glossary_is_up_to_date() -> None:
    assert GLOSSARY.read_text(encoding="utf-8") == make_glossary(), "run: python3 course.py pages"


@pytest.mark.parametrize("lesson", list_lessons(), ids=lambda path: path.stem)
def test_every_new_word_reaches_the_glossary(lesson: Path) -> None:
    closing = read_text(lesson)[-1].split("**New words**")[1].split("**Go further**")[0]
    assert len(read_words(lesson)) == closing.count("\n- **"), "a new word reads: - **word**: its meaning"


def test_a_word_has_one_meaning() -> None:
    told = [word for lesson in list_lessons() for words, _ in read_words(lesson) for word in words.split(", ")]
    assert {word for word in told if told.count(word) > 1} <= TOLD_TWICE


@pytest.mark.parametrize("path", PATHS)
def test_a_path_fits_into_its_time(path: str) -> None:
    minutes = {lesson.name[:2]: read_minutes(lesson) for lesson in list_lessons()}
    assert HOURS[path] / 2 < sum(minutes[number] for number in PATHS[path]) / 60 <= HOURS[path]


def test_lesson_00_names_the_same_paths_and_all_lessons() -> None:
    text = "\n".join(read_text(list_lessons()[0]))
    for path, lessons in describe_paths().items():
        assert f"**{path.capitalize()}:** {lessons}" in text
    for lesson in list_lessons()[1:]:
        assert f"]({lesson.name})" in text


@pytest.mark.parametrize("lesson", list_lessons(), ids=lambda path: path.stem)
def test_references_name_lessons_that_there_are(lesson: Path) -> None:
    numbers = {path.name[:2] for path in list_lessons()}
    for found in REFERENCE.finditer("\n".join(read_text(lesson))):
        named, label, file = found.groups()
        assert (named or label) in numbers, found[0]
        assert label == file, f"{found[0]}: the label and the file are of different lessons"


def test_each_lesson_leads_on_to_the_next() -> None:
    for lesson, following in pairwise(list_lessons()):
        assert following.name in read_text(lesson)[-1].split("**Next")[1], f"{lesson.name} does not link its successor"
