"""Every explorer of every lesson: each control, moved everywhere, changes the picture and the sentence."""

import io
import re
from typing import Any

import ipywidgets as widgets
import pytest
from PIL import Image

from cnngen_course.explorers import (
    animals,
    classifier,
    convolution,
    data,
    inpainting,
    safety,
    studio,
    style,
    upsampling,
)
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.safety.uploads import encode, make_picture
from tools.panels import MODULES, find_makers, list_positions

MAKERS = [pytest.param(maker, id=name) for name, maker in find_makers().items()]
WHOLE = encode(make_picture())
UPLOADS = [
    animals.make_heads_explorer,
    classifier.make_feature_explorer,
    convolution.make_kernel_explorer,
    data.make_preparation_explorer,
    inpainting.make_inpainting_explorer,
    safety.make_face_explorer,
    studio.make_upload_explorer,
    style.make_style_explorer,
    upsampling.make_upsampling_explorer,
]


def read(panel: Panel) -> bytes:
    picture = Image.open(io.BytesIO(panel.picture.value))
    picture.load()  # a cut-off picture would raise here
    assert picture.width >= 50 and picture.height >= 50
    return panel.picture.value


def test_there_is_an_explorer_in_every_lesson() -> None:
    assert len(MODULES) >= 5
    assert len(MAKERS) >= len(MODULES)


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_every_control_does_something(make: Any) -> None:
    for name, control in make().controls.items():
        panel = make()
        control = panel.controls[name]
        start, shown = control.value, {read(panel)}
        texts = {panel.describe()}
        for position in list_positions(control):
            control.value = position
            shown.add(read(panel))
            texts.add(panel.describe())
        assert len(shown) > 1, f"{name} changes nothing in the picture"
        assert all(len(text) > 20 for text in texts)
        assert len(texts) > 1, f"{name} changes nothing in the words"
        control.value = start
        assert read(panel) in shown


@pytest.mark.parametrize("make", MAKERS)
def test_every_control_is_labelled(make: Any) -> None:
    controls = make().controls
    for name, control in controls.items():
        assert control.description, f"{name} has no label"
    assert any(isinstance(control, PictureUpload) for control in controls.values()) == (make in UPLOADS)


@pytest.mark.parametrize("make", UPLOADS)
@pytest.mark.parametrize("own", [False, True], ids=["at first", "after a good one"])
def test_a_refused_upload_is_told_once_and_changes_nothing(make: Any, own: bool) -> None:
    panel = make()
    upload = panel.controls["upload"]
    if own:
        upload.take(WHOLE)
    before, words = read(panel), panel.describe()
    for _ in range(2):  # the same fault is told again
        upload.take(b"not a picture at all")
        assert "⚠ This is not a picture" in panel.describe() and read(panel) == before
        panel.redraw()  # as any control does that is moved
        assert read_words(panel.describe()) == read_words(words) and read(panel) == before
    upload.take(WHOLE, "mine.png")
    assert "⚠" not in panel.describe() and upload.file_name == "mine.png" and upload.answered == 3 + own
    assert (read(panel) == before) == own


@pytest.mark.parametrize("make", UPLOADS)
def test_the_courses_picture_comes_back(make: Any) -> None:
    """After an upload: by putting it away, or by moving any control that chooses another picture, in one drawing."""
    panel = make()
    upload = panel.controls["upload"]
    words, picture = read_words(panel.describe()), read(panel)
    upload.take(WHOLE)
    assert read(panel) != picture
    upload.put_away()
    assert read(panel) == picture and read_words(panel.describe()) == words
    for name in upload.ended_by:
        anew = make()
        anew.controls["upload"].take(WHOLE)
        drawings = []
        anew.draw = lambda draw=anew.draw, drawings=drawings, **values: drawings.append(values) or draw(**values)
        other = next(place for place in list_positions(anew.controls[name]) if place != anew.controls[name].value)
        anew.controls[name].value = panel.controls[name].value = other
        assert read(anew) == read(panel) and len(drawings) == 1 and anew.controls["upload"].file_name == ""
        panel.controls[name].value = make().controls[name].value


def read_words(text: str) -> str:
    """Return what a panel says, but for the seconds that it took."""
    return re.sub(r"\(\S+ s\)", "", text)


@pytest.mark.parametrize("make", MAKERS)
def test_the_saved_notebook_has_a_picture_and_words(make: Any) -> None:
    panel = make()
    data, metadata = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/jpeg"]
    assert metadata["image/jpeg"]["alt"] == data["text/plain"] == panel.describe()


def test_a_fault_in_drawing_is_not_swallowed() -> None:
    def draw(size: int) -> View:
        return View(Image.new("L", (60, 60), 10 // size), f"a picture of size {size}, drawn for a test")

    panel = Panel(draw, {"size": widgets.IntSlider(1, 0, 5, description="size")})
    with pytest.raises(ZeroDivisionError):
        panel.controls["size"].value = 0
    assert "ZeroDivisionError" in panel.describe()
