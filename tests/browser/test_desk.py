"""Predictions in a real JupyterLab, made with the keyboard alone, and told in another kernel."""

import pytest

from tests.browser.test_lessons import ARTEFACTS, wait_for

pytestmark = pytest.mark.browser


def test_predictions_are_made_by_keyboard_and_told_in_another_kernel(open_lesson) -> None:
    page = open_lesson("desk_asks.ipynb")
    panels = page.locator(".cnngen-panel")
    wait_for(lambda: panels.count() == 5, "five questions")
    for number, (control, keys) in enumerate(
        [
            ("button >> nth=1", ["Enter"]),
            ("input >> nth=0", ["Space"]),
            (".noUi-handle", ["ArrowRight"] * 4),
            (".cnngen-pad", ["ArrowUp", "ArrowRight"]),
            ("textarea", ["g", "o", "o", "d", "Tab"]),
        ]
    ):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        panel.locator(control).focus()
        for key in keys:
            page.keyboard.press(key)
        wait_for(lambda panel=panel: "Noted" in panel.inner_text(), f"that {control} is noted")
        panel.screenshot(path=ARTEFACTS / f"desk-question-{number}.png")
    page = open_lesson("desk_tells.ipynb")
    told = page.locator(".jp-OutputArea-output [role=status]")
    wait_for(lambda: told.filter(has_text="What came out").count() >= 5, "five answers")
    text = " ".join(told.all_inner_texts())
    assert "Different: you said average. What came out: max." in text
    assert "Right: you said those whose weights add up to 0." in text
    assert "You said “good”. What came out: All round." in text
    assert "5 of 15 predictions" in text
    for panel in page.locator(".cnngen-panel").all()[:5]:
        assert panel.locator("[disabled]").count(), "what is told can no longer be changed"
