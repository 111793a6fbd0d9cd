"""The studio builds a tab when it is opened, stores stars without what is a visitor's own, and serves two at once."""

import json
from pathlib import Path

import pytest

from cnngen_course import studio
from cnngen_course.paths import ROOT, DamagedFileError
from cnngen_course.ratings import RatingBook, RatingList
from tools.visitor import StudioError, Visitor, serve_studio, visit_together

pytestmark = pytest.mark.slow


def test_only_the_first_tab_is_built_at_the_start() -> None:
    shown = studio.make_studio(RatingList())
    assert shown.built == {0} and list(shown.panels) == ["Generate"]
    assert shown.tabs.titles[0] == "Generate" and shown.tabs.titles[-2:] == ("Rate", "Results")


def test_a_tab_is_built_once() -> None:
    shown = studio.make_studio(RatingList())
    index = shown.tabs.titles.index("Restore")
    shown.tabs.selected_index = index
    panel = shown.panels["Restore"]
    shown.tabs.selected_index = 0
    shown.tabs.selected_index = index
    assert shown.panels["Restore"] is panel


@pytest.mark.parametrize("workshop", studio.WORKSHOPS, ids=lambda workshop: workshop.title)
def test_every_tab_opens_and_takes_stars(workshop: studio.Workshop) -> None:
    book = RatingList()
    shown = studio.make_studio(book)
    shown.tabs.selected_index = shown.tabs.titles.index(workshop.title)
    assert shown.panels[workshop.title].picture.value[:2] == b"\xff\xd8"
    shown.bars[workshop.title].buttons[4].click()
    (rating,) = book.load()
    assert rating.model == workshop.title and rating.stars == 5 and rating.visitor == shown.visitor
    assert (rating.judge is not None) == (workshop.title == "Generate")
    assert "points" not in rating.condition and "content" not in rating.condition
    assert sorted((ROOT / "notebooks").glob(f"{workshop.lesson}_*.ipynb")), "the lesson that it names is there"


def test_a_damaged_tab_is_told_and_the_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def make_panel(workshop: studio.Workshop) -> None:
        raise DamagedFileError(f"<{workshop.title}> is damaged")

    shown = studio.make_studio(RatingList())
    monkeypatch.setattr(studio, "make_panel", make_panel)
    restore = shown.tabs.titles.index("Restore")
    shown.tabs.selected_index = restore
    assert "⚠ &lt;Restore&gt; is damaged" in shown.tabs.children[restore].children[0].value
    shown.bars["Generate"].rate(3)
    assert len(shown.book.load()) == 1


def test_what_a_visitor_drew_or_brought_is_no_setting() -> None:
    values = {"kind": "text", "seed": 3, "upload": ({"name": "me.jpg"},), "strokes": ({"points": ()},), "nearest": True}
    assert studio.describe_condition(values) == "kind=text, seed=3, nearest=True"
    assert studio.describe_condition({"upload": ()}) == "as it is"
    assert len(studio.describe_condition({"long": "x" * 900})) == 200


def test_a_visit_has_one_name_and_each_tab_its_own_pictures() -> None:
    shown = studio.make_studio(RatingList())
    shown.bars["Generate"].rate(3)
    shown.tabs.selected_index = shown.tabs.titles.index("Rate")
    assert "Nobody has given stars" in shown.panels["Rate"].describe()
    shown.bars["Rate"].rate(5)
    assert {rating.visitor for rating in shown.book.load()} == {shown.visitor}
    assert "1 rating by 1 visitor" in shown.panels["Rate"].describe()


def test_results_are_always_fresh() -> None:
    book = RatingList()
    shown = studio.make_studio(book)
    results = shown.tabs.titles.index("Results")
    shown.tabs.selected_index = results
    assert "Nobody has given stars" in shown.tabs.children[results].children[0].value
    shown.bars["Generate"].rate(3)
    shown.tabs.selected_index = 0
    shown.tabs.selected_index = results
    picture, words = shown.tabs.children[results].children[0].children
    assert picture.value[:2] == b"\xff\xd8" and "1 rating" in words.value


def test_the_saved_notebook_has_a_picture_and_words() -> None:
    data, metadata = studio.make_studio(RatingList())._repr_mimebundle_()
    assert data["image/jpeg"] and metadata["image/jpeg"]["alt"].startswith("The studio with the tabs Generate, Restore")


def test_all_tabs_closed_is_no_fault() -> None:
    studio.make_studio(RatingList()).tabs.selected_index = None


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ann, " * 100, encoding="utf-8")
    shown = studio.make_studio(RatingBook(path))
    shown.bars["Generate"].rate(3)
    assert "is not a file of ratings" in shown.bars["Generate"].said.value
    for title in ("Rate", "Results"):
        index = shown.tabs.titles.index(title)
        shown.tabs.selected_index = index
        assert "is not a file of ratings" in shown.tabs.children[index].children[0].value
    path.unlink()  # mended: the tab works when it is opened again
    for title in ("Generate", "Rate"):
        shown.tabs.selected_index = shown.tabs.titles.index(title)
    assert "Nobody has given stars" in shown.panels["Rate"].describe()


def test_the_file_is_the_one_that_was_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert studio.find_ratings().name == "ratings.sqlite3"
    monkeypatch.setenv(studio.RATINGS_VARIABLE, str(tmp_path / "mine.sqlite3"))
    assert studio.find_ratings() == tmp_path / "mine.sqlite3"


def test_the_app_notebook_holds_nothing_but_the_studio() -> None:
    notebook = json.loads((ROOT / "notebooks/app/studio.ipynb").read_text(encoding="utf-8"))
    (cell,) = notebook["cells"]
    assert "".join(cell["source"]).endswith("make_studio()") and not cell["outputs"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("served")
    with serve_studio(folder / "stars.sqlite3", folder / "voila.log", 300) as (address, process):
        yield address, process, RatingBook(folder / "stars.sqlite3")


def test_two_visitors_at_once_each_have_their_own(served) -> None:
    address, process, _ = served
    load = visit_together(address, process, 2, moves=3)
    assert len(load.starts) == 2 and len(load.moves) == 4 and len(load.kernel_gb) >= 2
    assert 0 < load.move <= load.slow_move and max(load.kernel_gb) < 2


@pytest.fixture(scope="module")
def visitor(served):
    visitor = Visitor(served[0])
    yield visitor
    visitor.close()


def test_stars_of_a_visitor_reach_the_file(served, visitor: Visitor) -> None:
    book = served[2]
    before = len(book.load())
    visitor.click("★★★★")
    ratings = book.load()
    assert len(ratings) == before + 1 and ratings[-1].stars == 4 and ratings[-1].model == "Generate"


def test_a_visitor_cannot_run_code(visitor: Visitor, tmp_path: Path) -> None:
    secret = tmp_path / "written"
    code = {"code": f"open({str(secret)!r}, 'w').write('x')", "silent": False, "store_history": False}
    sent = visitor.send("execute_request", code | {"user_expressions": {}, "allow_stdin": False})
    with pytest.raises(StudioError, match="no answer"):
        visitor.wait_for(lambda message: message["parent_header"].get("msg_id") == sent, seconds=3)
    visitor.move("step", 5)  # what was sent later has been answered
    assert not secret.exists()


def test_the_page_shows_no_code(visitor: Visitor) -> None:
    assert "make_studio" not in visitor.page


def test_a_place_without_a_studio_is_told() -> None:
    with pytest.raises(OSError):
        Visitor("http://127.0.0.1:9/", patience=1)
