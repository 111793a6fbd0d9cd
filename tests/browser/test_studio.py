"""Every tab of the studio, served by Voila, in a real browser: it opens, answers, and takes stars."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_lessons import ARTEFACTS, READ_PICTURE, move_all, try_uploads, upload

from cnngen_course.paths import ROOT
from cnngen_course.ratings import RatingBook
from cnngen_course.safety.uploads import make_bomb
from cnngen_course.studio import WORKSHOPS
from tools.visitor import serve_studio

LESSONS = {
    workshop.title: path.name
    for workshop in WORKSHOPS
    for path in (ROOT / "notebooks").glob(f"{workshop.lesson}_*.ipynb")
}
TABS = [*(workshop.title for workshop in WORKSHOPS), "Rate"]
PATIENCE = 240_000  # milliseconds until a kernel has started and PyTorch is imported, on a busy machine

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RatingBook:
    return RatingBook(tmp_path_factory.mktemp("ratings") / "stars.sqlite3")


@pytest.fixture(scope="module")
def page(browser, book: RatingBook) -> Iterator:
    """The studio's page, opened by one visitor."""
    with serve_studio(book.path, book.path.with_name("voila.log"), 300) as (address, _):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address, timeout=PATIENCE)
        page.locator(".cnngen-panel").first.wait_for(timeout=PATIENCE)
        yield page
        context.close()


def open_tab(page, title: str):
    """Open a tab by the keyboard's Enter or the mouse; return its panel once that has a picture."""
    page.get_by_role("tab", name=title, exact=True).click()
    panel = page.locator(".cnngen-panel:visible").first
    panel.wait_for(timeout=PATIENCE)
    panel.locator("img.cnngen-picture").wait_for(timeout=PATIENCE)
    return panel


@pytest.mark.parametrize("title", TABS)
def test_a_tab_answers_and_takes_stars(page, book: RatingBook, title: str) -> None:
    panel = open_tab(page, title)
    move_all(page, panel, LESSONS.get(title, "17_studio.ipynb"))
    before = len(book.load())
    stars = page.locator(".cnngen-stars:visible").first
    stars.get_by_role("button", name="★★★★", exact=True).focus()
    page.keyboard.press("Enter")
    stars.locator("[role=status]").filter(has_text="★★★★").wait_for()
    ratings = book.load()
    assert len(ratings) == before + 1 and ratings[-1].stars == 4
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"studio-{title.lower()}.png")


def test_the_results_count_the_stars(page, book: RatingBook) -> None:
    open_tab(page, "Generate")
    page.locator(".cnngen-stars:visible").first.get_by_role("button", name="★★", exact=True).click()
    page.locator(".cnngen-stars:visible [role=status]").filter(has_text="Thank you: ★★ are stored").wait_for()
    page.get_by_role("tab", name="Results", exact=True).click()
    page.locator("[role=status]:visible").filter(has_text=f"{len(book.load())} rating").wait_for()
    page.screenshot(path=ARTEFACTS / "studio-results.png")


def test_uploads_are_checked(page, tmp_path: Path) -> None:
    """A bomb gets a sentence and the last picture stays; so do other bad files, and good ones are taken."""
    panel = open_tab(page, "Restore")
    picture, said = panel.locator("img.cnngen-picture"), panel.locator("[role=status]")
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(make_bomb())
    before = picture.evaluate(READ_PICTURE)
    upload(page, panel, bomb)
    said.filter(has_text="at most 50,000,000").wait_for()
    assert picture.evaluate(READ_PICTURE) == before
    try_uploads(page, panel, tmp_path)
