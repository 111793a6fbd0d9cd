"""All explorers, and the places to which a learner can move their controls: for the tests and for the bench."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from cnngen_course import explorers
from cnngen_course.explorers.panel import Panel, PictureUpload
from cnngen_course.safety.uploads import make_picture

BASES = {"panel", "pad", "canvas"}
MODULES = [module.name for module in pkgutil.iter_modules(explorers.__path__) if module.name not in BASES]


def find_makers() -> dict[str, Callable[[], Panel]]:
    """Return what makes an explorer, by names such as "gan.make_walk_explorer"."""
    makers = {}
    for name in MODULES:
        module = importlib.import_module(f"cnngen_course.explorers.{name}")
        for attribute in vars(module):
            if attribute.startswith("make_") and attribute.endswith("_explorer"):
                makers[f"{name}.{attribute}"] = getattr(module, attribute)
    return makers


def list_positions(control: widgets.Widget) -> list[Any]:
    """Return the values that a learner can reach at the ends of a control: minimum, maximum, every option."""
    if hasattr(control, "corners"):
        return list(control.corners)
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control, widgets.Checkbox | widgets.ToggleButton):
        return [False, True]
    if isinstance(control, PictureUpload):
        return [control.prepare(make_picture())]
    return [control.min, control.max]


def sweep(control: widgets.Widget) -> list[Any]:
    """Return up to twelve values that a learner meets when moving the control once from end to end."""
    places = list_positions(control)
    if not hasattr(control, "step"):
        return [place for place in places if place is not control.value]
    count = min(12, round((control.max - control.min) / control.step) + 1)
    values = [control.min + index * (control.max - control.min) / (count - 1) for index in range(count)]
    return [type(control.value)(value) for value in values]
