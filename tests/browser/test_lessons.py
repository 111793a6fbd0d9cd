"""Every lesson in a real JupyterLab: run all cells, then move the controls of every explorer by keyboard."""

import time
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
ARTEFACTS = ROOT / "artefacts"
READ_PICTURE = "async image => { await image.decode(); return image.src + image.naturalWidth; }"
HANDLES = ".noUi-handle, select, input[type=checkbox], .cnngen-pad"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lesson", LESSONS)
def test_explorers_answer(open_lesson, lesson: str) -> None:
    page = open_lesson(lesson)
    panels = page.locator(".cnngen-panel")
    assert panels.count() >= 1, "the lesson shows no explorer"
    for number in range(panels.count()):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        picture = panel.locator("img.cnngen-picture")
        said = panel.locator("[role=status]").inner_text()
        controls = panel.locator(HANDLES)
        changed = [move(page, controls.nth(index), picture) for index in range(controls.count())]
        assert sum(changed) > len(changed) / 2, f"which controls changed the picture: {changed}"
        assert panel.locator("[role=status]").inner_text() != said
        panel.screenshot(path=ARTEFACTS / f"{Path(lesson).stem}-explorer-{number}.png")


def move(page, control, picture) -> bool:
    """Press keys on a control, as someone without a mouse would, and return whether the picture changed."""
    before = picture.evaluate(READ_PICTURE)
    control.scroll_into_view_if_needed()
    control.focus()
    page.keyboard.press("Space" if control.get_attribute("type") == "checkbox" else "ArrowRight")
    if changes(picture, before):
        return True
    for key in ("ArrowLeft", "ArrowDown", "ArrowUp"):  # at its right end, or a list
        page.keyboard.press(key)
    return changes(picture, before)


def changes(picture, before: str, seconds: float = 1.5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if picture.evaluate(READ_PICTURE) != before:
            return True
        time.sleep(0.05)
    return False
