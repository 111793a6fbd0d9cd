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
        before, said = picture.evaluate(READ_PICTURE), panel.locator("[role=status]").inner_text()
        move_controls(page, panel, before)
        assert panel.locator("[role=status]").inner_text() != said
        panel.screenshot(path=ARTEFACTS / f"{Path(lesson).stem}-explorer-{number}.png")


def move_controls(page, panel, before: str) -> None:
    """Press keys on one control after the other until the picture has changed, as someone without a mouse would."""
    picture = panel.locator("img.cnngen-picture")
    controls = panel.locator(HANDLES)
    assert controls.count() >= 1
    for index in range(controls.count()):
        control = controls.nth(index)
        control.scroll_into_view_if_needed()
        control.focus()
        for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Space"):
            page.keyboard.press(key)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if picture.evaluate(READ_PICTURE) != before:
                return
            time.sleep(0.05)
    raise AssertionError("no control changed the picture")
