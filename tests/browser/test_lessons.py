"""Every explorer in a real JupyterLab: run what it needs, then move the controls of every explorer by keyboard."""

import time
from pathlib import Path

import pytest
from PIL import Image

from cnngen_course.paths import ROOT

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
ARTEFACTS = ROOT / "artefacts"
# The address of the picture, which is new for each one; none while the browser is still loading it.
READ_PICTURE = "image => image.complete && image.naturalWidth > 0 ? image.src : ''"
KEYS = (("ArrowRight", "ArrowLeft"), ("ArrowLeft", "ArrowRight"), ("Space", "Space"))  # there and back
HANDLES = ".noUi-handle, select, input[type=checkbox], .cnngen-pad"
# Milliseconds from the press of the pen to the new picture on the page.
WATCH_PICTURE = """() => {
  const picture = document.querySelector('.cnngen-panel img.cnngen-picture');
  const canvas = document.querySelector('.cnngen-panel .cnngen-canvas');
  canvas.addEventListener('pointerdown', () => {
    const start = performance.now();
    picture.addEventListener('load', () => { window.penToPicture ??= performance.now() - start; }, { once: true });
  }, { capture: true, once: true });
}"""

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


def wait_for(ready, seconds: float = 10) -> None:
    """Wait until a question is answered with yes."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


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


def open_canvas(open_lesson, lesson: str) -> tuple:
    """Open a lesson at its first panel: the page, the panel, its picture, what it says, and what is drawn on."""
    page = open_lesson(lesson)
    panel = page.locator(".cnngen-panel").first
    panel.wait_for(state="attached", timeout=60_000)
    parts = [panel.locator(place) for place in ("img.cnngen-picture", "[role=status]", ".cnngen-canvas")]
    parts[-1].scroll_into_view_if_needed()
    return page, panel, *parts


def drag(page, canvas, start: tuple[float, float], *places: tuple[float, float], steps: int) -> None:
    """Draw one stroke with the mouse; places are shares of the canvas, each reached in so many steps."""
    box = canvas.bounding_box()

    def move(place: tuple[float, float], steps: int) -> None:
        page.mouse.move(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"], steps=steps)

    move(start, 1)
    page.mouse.down()
    for place in places:
        move(place, steps)
    page.mouse.up()


def test_damage_is_painted_with_the_mouse(open_lesson) -> None:
    """Drag over the canvas: the repairs follow; undo takes the stroke back, clear takes all of them."""
    page, panel, picture, said, canvas = open_canvas(open_lesson, "10_inpainting.ipynb")
    start, share, before = said.inner_text(), read_share(said), picture.evaluate(READ_PICTURE)
    drag(page, canvas, (0.15, 0.9), (0.85, 0.9), steps=12)
    assert changes(picture, before), "the stroke did not reach Python"
    time.sleep(1)  # the last message of the stroke
    drawn, painted = read_share(said), picture.evaluate(READ_PICTURE)
    assert drawn > share + 1
    panel.screenshot(path=ARTEFACTS / "10_inpainting-mouse.png")
    panel.get_by_role("button", name="undo").click()
    assert changes(picture, painted)
    wait_for(lambda: said.inner_text() == start)  # on a busy machine the stroke's last message comes in between
    undone = picture.evaluate(READ_PICTURE)
    panel.get_by_role("button", name="clear").click()
    assert changes(picture, undone)
    assert read_share(said) < share


def read_share(said) -> float:
    """Return how many percent of the pixels a panel says to be missing."""
    return float(said.inner_text().split("%")[0])


def test_a_head_is_drawn_on_with_the_mouse(open_lesson) -> None:
    """Draw on the head: its translation follows and the words say so; undo brings the first one back."""
    page, panel, picture, said, canvas = open_canvas(open_lesson, "12_animals.ipynb")
    start, before = said.inner_text(), picture.evaluate(READ_PICTURE)
    drag(page, canvas, (0.2, 0.2), (0.8, 0.25), steps=10)
    assert changes(picture, before), "the stroke did not reach Python"
    time.sleep(1)  # the last message of the stroke
    assert "drawn on by you" in said.inner_text() and "drawn on" not in start
    drawn = picture.evaluate(READ_PICTURE)
    panel.screenshot(path=ARTEFACTS / "12_animals-mouse.png")
    panel.get_by_role("button", name="undo").click()
    assert changes(picture, drawn)
    wait_for(lambda: said.inner_text() == start)


def test_a_drawing_is_coloured_while_it_is_drawn(open_lesson) -> None:
    """Draw with the mouse on an empty sheet, dab a colour: the picture follows at once; then save it as a file."""
    page, panel, picture, said, canvas = open_canvas(open_lesson, "11_translation.ipynb")
    before = picture.evaluate(READ_PICTURE)
    panel.locator("select").select_option("an empty sheet")
    assert changes(picture, before)
    wait_for(lambda: "0 dabs" in said.inner_text() and "no colour" in said.inner_text())
    drag(page, canvas, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3), steps=6)
    wait_for(lambda: "0 dabs" in said.inner_text() and " 0.0% of the sheet" not in said.inner_text())
    time.sleep(0.5)  # the last message of the stroke
    drawn = picture.evaluate(READ_PICTURE)
    panel.get_by_role("button", name="blue dab").click()
    page.evaluate(WATCH_PICTURE)
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    assert changes(picture, drawn), "the dab did not reach Python"
    waited = page.evaluate("window.penToPicture")
    print(f"from pen to picture: {waited:.0f} ms")
    (ARTEFACTS / "11_translation-pen-to-picture.txt").write_text(
        f"{waited:.0f} ms from pen to picture\n", encoding="utf-8"
    )
    wait_for(lambda: "1 dab of colour. Colours of the picture: blue" in said.inner_text())
    panel.screenshot(path=ARTEFACTS / "11_translation-drawn.png")
    with page.expect_download() as download:
        panel.get_by_role("link", name="save the picture").click()
    assert download.value.suggested_filename == "drawing.png"
    with Image.open(download.value.path()) as saved:
        assert saved.format == "PNG" and saved.size == (384, 384)
        red, _, blue = saved.convert("RGB").getpixel((192, 192))
    assert blue > red + 40
