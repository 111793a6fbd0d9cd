"""Every explorer in a real JupyterLab: run what it needs, then move the controls of every explorer by keyboard."""

import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnngen_course.paths import ROOT
from cnngen_course.safety.uploads import encode

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
ARTEFACTS = ROOT / "artefacts"
PATIENCE = 180  # seconds until something is taken as not coming: a busy machine needs many times what a quiet one does
# The address of the picture, which is new for each one; none while the browser is still loading it.
READ_PICTURE = "image => image.complete && image.naturalWidth > 0 ? image.src : ''"
HANDLES = ".noUi-handle, select, input[type=checkbox], .cnngen-pad"
READ_LABEL = """control => control.getAttribute('aria-label')?.split(':')[0]
  ?? control.closest('.jupyter-widgets').querySelector('.widget-label, .widget-label-basic').innerText"""
# The keys that move a control by one step and back, whichever end it stands at; on a canvas, a stroke and undo.
PICK_KEYS = """control => {
  if (control.matches('.cnngen-canvas')) return [['Space', 'Shift+ArrowDown', 'Shift+ArrowRight'], ['Backspace']];
  if (control.matches('input')) return [['Space'], ['Space']];
  const atEnd = control.matches('select')
    ? control.selectedIndex === control.options.length - 1
    : control.getAttribute('aria-valuenow') === control.getAttribute('aria-valuemax');
  return atEnd ? [['ArrowLeft'], ['ArrowRight']] : [['ArrowRight'], ['ArrowLeft']];
}"""
# The parts of a panel that reach over the right edge.
FIND_CUT_OFF = """panel => {
  const edge = Math.min(panel.closest('.jp-OutputArea').getBoundingClientRect().right, window.innerWidth) + 1;
  return [...panel.querySelectorAll('.jupyter-widgets, .widget-readout, .cnngen-pad, select, input, button, img')]
    .filter(part => part.getBoundingClientRect().right > edge).map(part => part.className);
}"""
READ_PLACE = """control => control.matches('.cnngen-canvas') ? control.nextElementSibling.textContent
  : control.matches('select') ? control.selectedIndex
  : control.checked ?? control.getAttribute('aria-valuetext')"""
STOPWATCH = re.compile(r"\(\S+ s\)")  # a drawing's seconds, other ones each time
UNSEEN = {  # lesson and control that may change nothing at first: why
    ("12_animals.ipynb", "glasses"): "the first head that fits wears none, and so none is also what 'without' finds",
}
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
    panels.first.wait_for(state="attached", timeout=1000 * PATIENCE)  # it may come after the last cell is done
    for number in range(panels.count()):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        move_all(page, panel, lesson)
        assert "cnngen-whole" in panel.get_attribute("class"), "its reader would be told that something is lacking"
        panel.screenshot(path=ARTEFACTS / f"{Path(lesson).stem}-explorer-{number}.png")
    page.set_viewport_size({"width": 400, "height": 900})
    for panel in panels.all():
        wait_for(lambda panel=panel: not panel.evaluate(FIND_CUT_OFF), "room for all parts in a window of 400 pixels")


def move_all(page, panel, lesson: str) -> None:
    """Move every control of a panel, but those that ``UNSEEN`` names, by one step and back."""
    controls = panel.locator(HANDLES)
    assert controls.count()
    for control in controls.all():
        label = control.evaluate(READ_LABEL)
        if (lesson, label) not in UNSEEN:
            move(page, control, panel, label)


def move(page, control, panel, label: str) -> None:
    """Move a control by one step and back by keyboard: picture and words follow, and the words come back."""
    picture = panel.locator("img.cnngen-picture")
    control.scroll_into_view_if_needed()
    there, back = control.evaluate(PICK_KEYS)
    words = read_words(panel)
    press(page, control, there, back, picture, label)
    wait_for(lambda: read_words(panel) not in (words, "Drawing ..."), f"other words from {label}")
    press(page, control, back, there, picture, f"{label} back again")
    wait_for(lambda: read_words(panel) == words, f"the first words from {label}: {words}")


def press(page, control, keys: list[str], reverse: list[str], picture, what: str) -> None:
    """Press keys until a control has moved, then wait for the new picture.

    A busy page may lose a key, and a busy server a message: after a while the control is moved there and back again.
    """
    at, seen = control.evaluate(READ_PLACE), picture.evaluate(READ_PICTURE)
    tried = time.monotonic()

    def answers() -> bool:
        nonlocal tried
        late = time.monotonic() > tried + PATIENCE / 6
        if late or control.evaluate(READ_PLACE) == at:
            tried = time.monotonic()
            control.focus()
            for key in [*reverse, *keys] if late else keys:
                page.keyboard.press(key)
        return picture.evaluate(READ_PICTURE) not in ("", seen)

    wait_for(answers, f"a new picture from {what}")


def test_own_pictures_in_jupyterlab(open_lesson, tmp_path: Path) -> None:
    page = open_lesson("04_upsampling.ipynb")
    panel = page.locator(".cnngen-panel").filter(has_text="your own picture")
    panel.first.wait_for(state="attached", timeout=1000 * PATIENCE)
    try_uploads(page, panel, tmp_path)


def try_uploads(page, panel, folder: Path) -> None:
    """Bring files to an explorer.

    What cannot be read, or is too large, is told once and changes nothing; 12 MB get through, more than a server takes
    in one message; the course's picture comes back by choosing one, or by putting one's own away.
    """
    picture, said, slider = (panel.locator(place) for place in ("img.cnngen-picture", "[role=status]", ".noUi-handle"))
    files = {"phone.heic": b"\0\0\0\x18ftypheic" + bytes(999), "huge.png": bytes(31_000_000)}
    for name, content in (files | {"large.png": make_large_picture()}).items():
        (folder / name).write_bytes(content)
    for name, reason in (("phone.heic", "save it as JPEG"), ("huge.png", "31 MB; at most 30 MB")):
        before = picture.evaluate(READ_PICTURE)
        upload(page, panel, folder / name)
        wait_for(lambda reason=reason: reason in said.inner_text(), reason)
        assert picture.evaluate(READ_PICTURE) == before
        slider.first.press("ArrowRight")
        wait_for_picture(picture, before, "a control after a refused file")
        wait_for(lambda: "⚠" not in said.inner_text(), "words without a warning")
    choice, away = panel.locator("select").first, panel.get_by_role("button", name="put your picture away")
    used = panel.get_by_role("button", name=": large.png")
    for end in (lambda: choice.press("ArrowRight"), away.click):
        before = picture.evaluate(READ_PICTURE)
        upload(page, panel, folder / "large.png")
        used.wait_for(timeout=1000 * PATIENCE)
        wait_for_picture(picture, before, "a large file")
        before = picture.evaluate(READ_PICTURE)
        end()
        wait_for_picture(picture, before, "the course's picture")
        used.wait_for(state="detached", timeout=1000 * PATIENCE)


def make_large_picture() -> bytes:
    """Return a PNG file of 12 MB: noise can't be made small."""
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    content = encode(Image.fromarray(noise))
    assert len(content) > 12_000_000
    return content


def upload(page, panel, path: Path) -> None:
    """Press the upload button and choose a file."""
    with page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="your own").click()
    chooser.value.set_files(path)


def read_words(panel) -> str:
    """Return what a panel says, but for the seconds that it took."""
    return STOPWATCH.sub("", panel.locator("[role=status]").first.inner_text())


def wait_for(ready, what: str, seconds: float = PATIENCE) -> None:
    """Wait until a question is answered with yes."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"within {seconds} s there came nothing: {what}"
        time.sleep(0.02)


def wait_for_picture(picture, before: str, what: str) -> None:
    """Wait for a picture other than the one before."""
    wait_for(lambda: picture.evaluate(READ_PICTURE) not in ("", before), f"a new picture from {what}")


def test_a_program_without_anywidget_shows_the_plain_controls_and_says_what_it_lacks(open_lesson) -> None:
    page = open_lesson("01_convolution.ipynb", lacking="**/anywidget/**")
    panel = page.locator(".cnngen-panel", has=page.locator(".cnngen-lacking")).first
    panel.locator(".cnngen-lacking").wait_for(state="visible")
    assert "cnngen-whole" not in panel.get_attribute("class")
    words = read_words(panel)
    panel.locator("select").first.select_option(index=1)  # JupyterLab takes the keys: there is no guard, either
    wait_for(lambda: read_words(panel) not in (words, "Drawing ..."), "other words from the first list")


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
        wait_for_picture(picture, before, f"the key {key}")
    wait_for(lambda: "Question 3 of 64" in said.inner_text(), "the third question")
    assert "Your errors so far" in said.inner_text()
    panel.screenshot(path=ARTEFACTS / "09_comparison-blind-test.png")


def open_canvas(open_lesson, lesson: str) -> tuple:
    """Open a lesson at its first panel: the page, the panel, its picture, what it says, and what is drawn on."""
    page = open_lesson(lesson)
    panel = page.locator(".cnngen-panel").first
    panel.wait_for(state="attached", timeout=1000 * PATIENCE)
    parts = [panel.locator(place) for place in ("img.cnngen-picture", "[role=status]", ".cnngen-canvas")]
    parts[-1].scroll_into_view_if_needed()
    return page, panel, *parts


def wait_until_drawn(canvas) -> None:
    """Wait until Python has dealt with the last message of a stroke."""
    wait_for(lambda: canvas.get_attribute("aria-busy") == "false", "the end of a stroke")


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
    wait_for_picture(picture, before, "the stroke")
    wait_until_drawn(canvas)
    wait_for(lambda: read_share(said) > share + 1, "a larger share")
    painted = picture.evaluate(READ_PICTURE)
    panel.screenshot(path=ARTEFACTS / "10_inpainting-mouse.png")
    panel.get_by_role("button", name="undo").click()
    wait_for_picture(picture, painted, "undo")
    wait_for(lambda: said.inner_text() == start, "the words of before")
    undone = picture.evaluate(READ_PICTURE)
    panel.get_by_role("button", name="clear").click()
    wait_for_picture(picture, undone, "clear")
    wait_for(lambda: read_share(said) < share, "a smaller share")


def read_share(said) -> float:
    """Return how many percent of the pixels a panel says to be missing, NaN while it says something else."""
    said_percent = re.match(r"([\d.]+)%", said.inner_text())
    return float(said_percent[1]) if said_percent else math.nan


def test_a_head_is_drawn_on_with_the_mouse(open_lesson) -> None:
    """Draw on the head: its translation follows and the words say so; undo brings the first one back."""
    page, panel, picture, said, canvas = open_canvas(open_lesson, "12_animals.ipynb")
    start, before = said.inner_text(), picture.evaluate(READ_PICTURE)
    drag(page, canvas, (0.2, 0.2), (0.8, 0.25), steps=10)
    wait_for_picture(picture, before, "the stroke")
    wait_until_drawn(canvas)
    wait_for(lambda: "drawn on by you" in said.inner_text(), "the words on the stroke")
    assert "drawn on" not in start
    drawn = picture.evaluate(READ_PICTURE)
    panel.screenshot(path=ARTEFACTS / "12_animals-mouse.png")
    panel.get_by_role("button", name="undo").click()
    wait_for_picture(picture, drawn, "undo")
    wait_for(lambda: said.inner_text() == start, "the words of before")


def test_a_drawing_is_coloured_while_it_is_drawn(open_lesson) -> None:
    """Draw with the mouse on an empty sheet, dab a colour: the picture follows at once; then save it as a file."""
    page, panel, picture, said, canvas = open_canvas(open_lesson, "11_translation.ipynb")
    before = picture.evaluate(READ_PICTURE)
    panel.locator("select").select_option("an empty sheet")
    wait_for_picture(picture, before, "the empty sheet")
    wait_for(lambda: "0 dabs" in said.inner_text() and "no colour" in said.inner_text(), "an empty sheet")
    drag(page, canvas, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3), steps=6)
    wait_for(lambda: "0 dabs" in said.inner_text() and " 0.0% of the sheet" not in said.inner_text(), "the lines")
    wait_until_drawn(canvas)
    drawn = picture.evaluate(READ_PICTURE)
    panel.get_by_role("button", name="blue dab").click()
    page.evaluate(WATCH_PICTURE)
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    wait_for_picture(picture, drawn, "the dab")
    wait_for(lambda: page.evaluate("window.penToPicture !== undefined"), "the time from pen to picture")
    waited = page.evaluate("window.penToPicture")
    print(f"from pen to picture: {waited:.0f} ms")
    (ARTEFACTS / "11_translation-pen-to-picture.txt").write_text(
        f"{waited:.0f} ms from pen to picture\n", encoding="utf-8"
    )
    wait_for(lambda: "1 dab of colour. Colours of the picture: blue" in said.inner_text(), "the dab")
    panel.screenshot(path=ARTEFACTS / "11_translation-drawn.png")
    with page.expect_download() as download:
        panel.get_by_role("link", name="save the picture").click()
    assert download.value.suggested_filename == "drawing.png"
    with Image.open(download.value.path()) as saved:
        assert saved.format == "PNG" and saved.size == (384, 384)
        red, _, blue = saved.convert("RGB").getpixel((192, 192))
    assert blue > red + 40
