"""What is missing for a large pipeline is said with its remedy.

That it draws is not tested: the library is no part of the course's environment, and a stand-in would only show what
was written into it.
"""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from cnngen_course import text_to_image
from cnngen_course.pretrained import NetworkNeededError
from cnngen_course.text_to_image import ObstacleError, draw_from_text, list_obstacles


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without the packages and without a GPU."""
    monkeypatch.setattr(text_to_image.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(text_to_image, "pick_device", lambda: torch.device("cpu"))


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with everything but a network, as the library tells it."""

    class Pipeline:
        @staticmethod
        def from_pretrained(name: str, **settings: object) -> None:
            raise OSError("no such host")

    module = ModuleType("diffusers")
    module.AutoPipelineForText2Image = Pipeline
    monkeypatch.setitem(sys.modules, "diffusers", module)
    monkeypatch.setattr(text_to_image.importlib.util, "find_spec", lambda name: module)
    monkeypatch.setattr(text_to_image, "pick_device", lambda: torch.device("mps"))
    monkeypatch.setattr(text_to_image.shutil, "disk_usage", lambda path: SimpleNamespace(free=100e9))


def test_each_obstacle_comes_with_its_remedy(bare, monkeypatch) -> None:
    monkeypatch.setattr(text_to_image.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    packages, device, disk = list_obstacles()
    assert "diffusers, transformers" in packages and "pip install diffusers transformers" in packages
    assert "No GPU" in device and "Use a computer with a GPU" in device
    assert "3 GB of disk" in disk and "1.0 GB are free" in disk


def test_only_what_is_missing_is_named(bare, monkeypatch) -> None:
    monkeypatch.setattr(text_to_image.importlib.util, "find_spec", lambda name: None if name == "diffusers" else 1)
    assert "pip install diffusers" in list_obstacles()[0] and "transformers" not in list_obstacles()[0]


def test_a_small_gpu_is_named(monkeypatch) -> None:
    monkeypatch.setattr(text_to_image, "pick_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=2e9))
    assert "2.0 GB of memory, and 4 GB are needed" in text_to_image.find_device_obstacle(4)
    assert text_to_image.find_device_obstacle(1) is None


def test_where_something_is_missing_it_is_said_before_anything_is_tried(bare) -> None:
    with pytest.raises(ObstacleError, match=r"(?s)can't run here yet.*Not installed.*No GPU"):
        draw_from_text("a red dress")


@pytest.mark.parametrize("wrong", [{"prompt": "  "}, {"prompt": "a dress", "steps": 0}])
def test_there_must_be_something_to_draw(wrong) -> None:
    with pytest.raises(ValueError, match="give a sentence"):
        draw_from_text(**wrong)


def test_without_a_network_the_weights_are_named(cut_off) -> None:
    assert list_obstacles() == []
    with pytest.raises(NetworkNeededError, match=r"weights of a/b \(about 3 GB\).*no such host"):
        draw_from_text("a red dress", pipeline="a/b")
