"""Uploads arrive in parts, too large ones not at all; what is refused says why and leaves what was there."""

import sys
from types import ModuleType
from typing import Any

import ipywidgets as widgets
import pytest
from PIL import Image

from cnngen_course.explorers import panel
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.images import MAX_FILE_BYTES
from cnngen_course.safety.uploads import SPECIMENS, encode, make_picture

WHOLE = encode(make_picture())


def make_upload() -> PictureUpload:
    return PictureUpload(lambda picture: picture.size, "your picture")


def send(control: PictureUpload, content: bytes, part: int = 100, size: int | None = None) -> None:
    """Do what upload.js does with a chosen file."""
    about = {"kind": "part", "name": "mine.png", "size": len(content) if size is None else size}
    for start in range(0, max(1, len(content)), part):
        message(control, about | {"start": start}, content[start : start + part])


def message(control: PictureUpload, content: dict[str, Any], *parts: bytes) -> None:
    control._handle_custom_msg(content, [memoryview(part) for part in parts])


def test_a_file_comes_together_from_its_parts() -> None:
    control = make_upload()
    assert len(WHOLE) > 400
    send(control, WHOLE)
    assert (control.value, control.file_name, control.refusal, control.answered) == ((90, 60), "mine.png", "", 1)


def test_a_second_file_does_not_wait_for_the_rest_of_the_first() -> None:
    control = make_upload()
    message(control, {"kind": "part", "name": "old.png", "size": 999, "start": 0}, WHOLE[:50])
    send(control, WHOLE)
    assert (control.value, control.file_name) == ((90, 60), "mine.png")


@pytest.mark.parametrize("name", [name for name, specimen in SPECIMENS.items() if specimen.answer])
def test_what_cannot_be_used_leaves_what_was_there(name: str) -> None:
    control = make_upload()
    send(control, WHOLE)
    send(control, SPECIMENS[name].make(), part=2**21)
    assert SPECIMENS[name].answer in control.refusal
    assert (control.value, control.file_name, control.answered) == ((90, 60), "mine.png", 2)


@pytest.mark.parametrize(("size", "sentence"), [(45_000_000, "45 MB; at most 30 MB"), (0, "cannot read this file")])
def test_what_the_browser_did_not_send_is_told(size: int, sentence: str) -> None:
    control, told = make_upload(), []
    control.observe(lambda change: told.append(change["new"]), "refusal")
    for _ in range(2):  # the same fault is told again
        message(control, {"kind": "not sent", "size": size})
    assert len(told) == 3 and told[1] == "" and sentence in told[0] and told[0] == told[2] == control.refusal
    assert control.answered == 2 and control.value is None


def test_the_browser_knows_how_much_is_read() -> None:
    assert make_upload().get_state()["most_bytes"] == MAX_FILE_BYTES


def test_a_file_that_grows_for_ever_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "MAX_FILE_BYTES", 1000)
    control = make_upload()
    send(control, bytes(5000), size=10**9)
    assert "not a picture" in control.refusal and sum(map(len, control._parts)) <= 1000


def test_a_picture_is_put_away() -> None:
    control = make_upload()
    send(control, WHOLE)
    message(control, {"kind": "put away"})
    assert (control.value, control.file_name) == (None, "")


def make_upload_panel(control: PictureUpload) -> Panel:
    picture = Image.new("L", (60, 60))
    return Panel(lambda upload: View(picture, f"shown: {upload and upload.size}"), {"upload": control})


def test_the_same_picture_after_a_bad_file_ends_what_was_said_of_the_bad_one() -> None:
    """Two pictures of the same pixels are equal: the value does not change."""
    control = PictureUpload(lambda picture: picture, "your picture")
    shown = make_upload_panel(control)
    for _ in range(2):
        control.take(WHOLE)
        assert shown.describe() == "shown: (90, 60)"
        control.take(b"no picture")
        assert "stays as it was" in shown.describe() and "shown: (90, 60)" not in shown.describe()


def test_a_fault_in_preparing_is_shown_and_raised_and_does_not_block_the_button() -> None:
    control = PictureUpload(lambda picture: 1 / 0, "your picture")
    shown = make_upload_panel(control)
    with pytest.raises(ZeroDivisionError):
        control.take(WHOLE)
    assert control.answered == 1
    assert shown.describe() == "⚠ ZeroDivisionError: division by zero. The picture stays as it was."


def test_colab_is_asked_to_show_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colab shows no widgets but ipywidgets' own unless it is asked to; anywidget does that for all panels."""
    asked, output = [], ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: asked.append("asked")
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    make_panel()
    make_panel()
    assert asked == ["asked"]


def make_panel() -> Panel:
    size = widgets.IntSlider(1, 1, 5, description="size")
    return Panel(lambda size: View(Image.new("L", (60, 60), size), f"a picture in grey {size}"), {"size": size})


def test_a_panel_says_what_a_program_without_its_own_controls_lacks() -> None:
    """tests/browser shows that the sentence is seen there and nowhere else."""

    def find_sentences(shown: Panel) -> list[str]:
        words = [part.value for part in shown.children[1].children if isinstance(part, widgets.HTML)]
        return [text for text in words if "cnngen-lacking" in text]

    (sentence,) = find_sentences(make_upload_panel(make_upload()))
    assert "not here: “your picture”." in sentence
    assert not find_sentences(make_panel())


def test_ipywidgets_7_shows_a_panel_with_its_still_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colab has it; `course.py versions colab` runs all tests with the real one."""
    monkeypatch.delattr(widgets.Widget, "_repr_mimebundle_", raising=False)
    monkeypatch.setattr(widgets.Widget, "_ipython_display_", lambda self: None, raising=False)
    shown = make_panel()
    data, about = shown._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.model_id
    assert data["text/plain"] == about["image/jpeg"]["alt"] == shown.describe()
    assert shown._ipython_display_ is None
