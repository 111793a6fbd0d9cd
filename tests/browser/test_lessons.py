"""Every explorer in a real JupyterLab: run what it needs, then move the controls of every explorer by keyboard."""

import time
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
ARTEFACTS = ROOT / "artefacts"
# The address of the picture, which is new for each one; none while the browser is still loading it.
READ_PICTURE = "image => image.complete && image.naturalWidth > 0 ? image.src : ''"
KEYS = (("ArrowRight", "ArrowLeft"), ("ArrowLeft", "ArrowRight"), ("Space", "Space"))  # there and back
HANDLES = ".noUi-handle, select, input[type=checkbox], .cnngen-pad"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lesson", LESSONS)
def test_explorers_answer(open_lesson, lesson: str) -> None:
    page = open_lesson(lesson)
    panels = page.locator(".cnngen-panel")
    panels.first.wait_for(state="attached", timeout=60_000)  # on a busy machine it comes after the last cell is done
    for number in range(panels.count()):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        controls = panel.locator(HANDLES)
        texts = [move(page, controls.nth(index), panel) for index in range(controls.count())]
        assert sum(map(bool, texts)) > len(texts) / 2, f"what the controls made the panel say: {texts}"
        assert set(filter(None, texts)) - {panel.locator("[role=status]").inner_text()}, "the words stay the same"
        panel.screenshot(path=ARTEFACTS / f"{Path(lesson).stem}-explorer-{number}.png")


def move(page, control, panel) -> str:
    """Move a control there and back by keyboard; return what the panel said there, nothing if its picture stayed."""
    picture = panel.locator("img.cnngen-picture")
    control.scroll_into_view_if_needed()
    control.focus()
    for there, back in KEYS:
        before = picture.evaluate(READ_PICTURE)
        page.keyboard.press(there)
        if changes(picture, before):
            said, moved = panel.locator("[role=status]").inner_text(), picture.evaluate(READ_PICTURE)
            page.keyboard.press(back)
            changes(picture, moved)
            return said
    return ""


def changes(picture, before: str, seconds: float = 2) -> bool:
    """Wait for a picture other than the one before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if picture.evaluate(READ_PICTURE) not in ("", before):
            return True
        time.sleep(0.05)
    return False


def test_the_blind_test_is_answered_by_keyboard(open_lesson) -> None:
    """Tab to a button, press the space bar or Enter: the next question comes, and the score says how it stands."""
    page = open_lesson("09_comparison.ipynb")
    panel = page.locator(".cnngen-panel").filter(has_text="start anew")
    picture, said = panel.locator("img.cnngen-picture"), panel.locator("[role=status]")
    panel.scroll_into_view_if_needed()
    panel.locator(".noUi-handle").focus()
    page.keyboard.press("Tab")  # from the slider to its number, from there to the buttons
    for key in ("Space", "Enter"):
        for _ in range(4):
            if page.evaluate("document.activeElement.textContent") == "generated":
                break
            page.keyboard.press("Tab")
        before = picture.evaluate(READ_PICTURE)
        page.keyboard.press(key)
        assert changes(picture, before), f"{key} does not answer"
    text = said.inner_text()
    assert "Question 3 of 64" in text and "Your errors so far" in text
    panel.screenshot(path=ARTEFACTS / "09_comparison-blind-test.png")


def test_damage_is_painted_with_the_mouse(open_lesson) -> None:
    """Drag over the canvas: the repairs follow; undo takes the stroke back, clear takes all of them."""
    page = open_lesson("10_inpainting.ipynb")
    panel = page.locator(".cnngen-panel").first
    panel.wait_for(state="attached", timeout=60_000)
    picture, said, canvas = (
        panel.locator(place) for place in ("img.cnngen-picture", "[role=status]", ".cnngen-canvas")
    )
    canvas.scroll_into_view_if_needed()
    start, share, before = said.inner_text(), read_share(said), picture.evaluate(READ_PICTURE)
    box = canvas.bounding_box()
    x, y, width, height = (box[name] for name in ("x", "y", "width", "height"))
    page.mouse.move(x + 0.15 * width, y + 0.9 * height)
    page.mouse.down()
    page.mouse.move(x + 0.85 * width, y + 0.9 * height, steps=12)
    page.mouse.up()
    assert changes(picture, before), "the stroke did not reach Python"
    time.sleep(1)  # the last message of the stroke
    drawn, painted = read_share(said), picture.evaluate(READ_PICTURE)
    assert drawn > share + 1
    panel.screenshot(path=ARTEFACTS / "10_inpainting-mouse.png")
    panel.get_by_role("button", name="undo").click()
    assert changes(picture, painted)
    assert said.inner_text() == start
    undone = picture.evaluate(READ_PICTURE)
    panel.get_by_role("button", name="clear").click()
    assert changes(picture, undone)
    assert read_share(said) < share


def read_share(said) -> float:
    """Return how many percent of the pixels a panel says to be missing."""
    return float(said.inner_text().split("%")[0])
