"""ONNX files give what the networks give, for any number of pictures; what cannot be exported is told."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cnngen_course import export
from cnngen_course.export import ExportError, OnnxModel, compute_difference, export_model
from cnngen_course.models.unet import Inpainter, UNetTwoWay
from cnngen_course.restoration import fill_laplace

LEVEL = 1 / 127.5  # one step of a pixel's 256


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, Path]:
    torch.manual_seed(0)
    model = Small()
    model(torch.randn(8, 1, 6, 6))  # batch normalisation has seen something
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    return model.eval(), export_model(model.eval(), {"images": torch.randn(2, 1, 6, 6)}, path)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_pictures(small: tuple[Small, Path], count: int) -> None:
    model, path = small
    exported = OnnxModel(path, threads=1)
    assert exported.input_names == ["images"]
    assert exported(torch.zeros(count, 1, 6, 6)).shape == (count, 1, 6, 6)
    assert compute_difference(model, exported, {"images": torch.randn(count, 1, 6, 6)}) < 1e-5


def test_the_file_stands_alone(small: tuple[Small, Path], tmp_path: Path) -> None:
    alone = tmp_path / "moved.onnx"
    alone.write_bytes(small[1].read_bytes())
    assert OnnxModel(alone)(torch.zeros(1, 1, 6, 6)).isfinite().all()


def test_a_difference_is_seen(small: tuple[Small, Path]) -> None:
    model, inputs = small[0], {"images": torch.randn(3, 1, 6, 6)}
    with torch.inference_mode():
        answer = model(inputs["images"])
    wrong = answer.clone()
    wrong[2, 0, 5, 5] -= 0.25
    assert compute_difference(model, lambda _: wrong, inputs) == pytest.approx(0.25)
    wrong[0, 0, 0, 0] = torch.nan
    assert compute_difference(model, lambda _: wrong, inputs) == float("inf")
    assert compute_difference(model, lambda _: answer[:1], inputs) == float("inf")


def test_training_mode_and_a_single_example_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"model\.eval"):
        export_model(Small().train(), {"images": torch.zeros(2, 1, 6, 6)}, tmp_path / "x.onnx")
    with pytest.raises(ExportError, match="two or more"):
        export_model(Small().eval(), {"images": torch.zeros(1, 1, 6, 6)}, tmp_path / "x.onnx")


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"x\.onnx cannot be read"):
        OnnxModel(str(tmp_path / "x.onnx"))  # a path may also be a text
    (tmp_path / "y.onnx").write_bytes(b"not a network")
    with pytest.raises(ExportError, match=r"y\.onnx is not a file that ONNX Runtime can run"):
        OnnxModel(tmp_path / "y.onnx")


def test_a_forgotten_input_is_named(small: tuple[Small, Path]) -> None:
    with pytest.raises(ExportError, match="takes images; got 2"):
        OnnxModel(small[1])(torch.zeros(1), torch.zeros(1))


def test_the_learned_part_of_an_inpainter_and_the_film_are_the_whole() -> None:
    torch.manual_seed(0)
    model = Inpainter(channels=1, widths=(8, 16), kind="plain", corrects=True).eval()
    images, known = torch.rand(3, 1, 16, 16) * 2 - 1, torch.rand(3, 1, 16, 16) > 0.3
    with torch.inference_mode():
        torch.testing.assert_close(
            export.select_correction(model)(fill_laplace(images, known), known), model(images, known)
        )


def test_the_wrong_network_for_a_port_is_told() -> None:
    with pytest.raises(ExportError, match="soap film"):
        export.select_correction(Inpainter(corrects=False))
    with pytest.raises(ExportError, match="two ways"):
        export.select_there(nn.Identity())
    assert isinstance(export.select_there(UNetTwoWay(widths=(8, 16))), nn.Module)


@pytest.mark.slow
@pytest.mark.parametrize("name", export.list_ports())
def test_a_shipped_generator_and_its_file_draw_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    parity = export.compare(name, tmp_path, counts=(1, 3), rounds=1)
    assert parity.difference < LEVEL / 10
    assert set(parity.ratios) == {1, 3} and all(ratio > 0 for ratio in parity.ratios.values())
    assert 0.1 < parity.megabytes < 20


def test_there_are_ports() -> None:
    assert {"generator", "inpainter", "photo_inpainter"} <= set(export.list_ports())


def test_the_best_of_each_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0, 9, 0, 9, 0, 3, 0, 5, 0, 4, 0, 1])  # a slow first round, then 3 and 5, then 4 and 1
    monkeypatch.setattr(export, "time", SimpleNamespace(perf_counter=lambda: next(moments)))
    assert export.measure_ratio(lambda x: x, lambda x: x, {"x": torch.zeros(1)}, rounds=3) == 3
