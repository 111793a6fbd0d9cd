"""Every explorer of every lesson: each control, moved everywhere, changes the picture and the sentence."""

import datetime
import importlib
import io
import pkgutil
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import pytest
from PIL import Image

from cnngen_course import explorers
from cnngen_course.explorers.panel import Panel, View

BASES = {"panel", "pad", "canvas"}
MODULES = [module.name for module in pkgutil.iter_modules(explorers.__path__) if module.name not in BASES]


def find_makers() -> Iterator[Any]:
    for name in MODULES:
        module = importlib.import_module(f"cnngen_course.explorers.{name}")
        for attribute in vars(module):
            if attribute.startswith("make_") and attribute.endswith("_explorer"):
                yield pytest.param(getattr(module, attribute), id=f"{name}.{attribute}")


MAKERS = list(find_makers())


def list_positions(control: widgets.Widget) -> list[Any]:
    """Return the values that a learner can reach at the ends of a control: minimum, maximum, every option."""
    if hasattr(control, "corners"):
        return list(control.corners)
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control, widgets.Checkbox | widgets.ToggleButton):
        return [False, True]
    if isinstance(control, widgets.FileUpload):
        return [make_upload()]
    return [control.min, control.max]


def make_upload() -> tuple[dict[str, Any], ...]:
    buffer = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((90, 60))
    Image.merge("RGB", (gradient, gradient.rotate(90, expand=False), gradient)).save(buffer, "PNG")
    return (describe_file(buffer.getvalue()),)


def make_broken_upload() -> tuple[dict[str, Any], ...]:
    return (describe_file(b"not a picture at all"),)


def describe_file(content: bytes) -> dict[str, Any]:
    """Return what the browser sends of an uploaded file."""
    now = datetime.datetime.now(datetime.UTC)
    facts = {"name": "mine.png", "type": "image/png", "size": len(content), "last_modified": now}
    return {**facts, "content": memoryview(content)}


def read(panel: Panel) -> bytes:
    picture = Image.open(io.BytesIO(panel.picture.value))
    picture.load()  # a cut-off picture would raise here
    assert picture.width >= 50 and picture.height >= 50
    return panel.picture.value


def test_there_is_an_explorer_in_every_lesson() -> None:
    assert len(MODULES) >= 5
    assert len(MAKERS) >= len(MODULES)


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
        if not isinstance(control, widgets.FileUpload):
            control.value = start
            assert read(panel) in shown


@pytest.mark.parametrize("make", MAKERS)
def test_every_control_is_labelled(make: Any) -> None:
    for name, control in make().controls.items():
        assert control.description, f"{name} has no label"


@pytest.mark.parametrize("make", MAKERS)
def test_a_broken_upload_gets_a_sentence(make: Any) -> None:
    panel = make()
    uploads = [control for control in panel.controls.values() if isinstance(control, widgets.FileUpload)]
    for control in uploads:
        before = read(panel)
        control.value = make_broken_upload()
        assert "not a picture" in panel.describe()
        assert read(panel) == before


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
