"""Weights come back exactly as they were saved, or not at all."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest
import torch

from cnngen_course import pretrained, recipes
from cnngen_course.galleries import load_photo
from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.paths import WEIGHTS, DamagedFileError, read_ledger
from cnngen_course.pretrained import (
    Metric,
    hash_data,
    load_judge,
    load_pretrained,
    load_provenance,
    record_metrics,
    save_trained,
)

ARGUMENTS = {"width": 4, "latent_size": 3}
RECIPES = [module.name for module in pkgutil.iter_modules(recipes.__path__) if module.name != "recipe"]


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Autoencoder, Path]:
    torch.manual_seed(0)
    model = Autoencoder(**ARGUMENTS).eval().half().float()  # files hold 16 bits a number
    metrics = {"psnr": Metric(12.5, 100)}
    save_trained(
        model, "toy", arguments=ARGUMENTS, training={"steps": 1}, data="fashion_mnist", metrics=metrics, folder=tmp_path
    )
    return model, tmp_path


def test_the_same_network_comes_back(saved) -> None:
    model, folder = saved
    loaded = load_pretrained("toy", folder=folder)
    images = torch.rand(2, 1, 28, 28)
    assert not loaded.training
    torch.testing.assert_close(loaded(images), model(images), rtol=0, atol=0)


def test_another_kind_is_refused() -> None:
    assert isinstance(load_pretrained("autoencoder", Autoencoder), Autoencoder)
    with pytest.raises(TypeError, match="'judge' are of a Classifier, not of a Autoencoder"):
        load_pretrained("judge", Autoencoder)


def test_all_ask_one_judge_and_nobody_can_train_it() -> None:
    judge = load_judge()
    assert load_judge() is judge and load_pretrained("judge") is not judge
    assert not judge.training and not any(weight.requires_grad for weight in judge.parameters())


def test_provenance_is_complete(saved) -> None:
    provenance = load_provenance("toy", saved[1])
    assert provenance["metrics"] == {"psnr": {"value": 12.5, "n": 100}}
    assert provenance["data"] == {"name": "fashion_mnist", "sha256": hash_data("fashion_mnist")}
    assert provenance["parameters"] == sum(p.numel() for p in saved[0].parameters())
    assert {"recipe", "model", "arguments", "training", "made_with", "licence", "sha256"} <= set(provenance)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:-1] + b"x", lambda b: b""], ids=["cut", "altered", "empty"]
)
def test_damaged_weights_are_refused(saved, damage) -> None:
    path = saved[1] / "toy.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedFileError, match=r"toy\.safetensors is damaged: expected sha256"):
        load_pretrained("toy", folder=saved[1])


def test_missing_weights_are_named(saved) -> None:
    (saved[1] / "toy.safetensors").unlink()
    with pytest.raises(DamagedFileError, match=r"toy\.safetensors is missing"):
        load_pretrained("toy", folder=saved[1])


def test_damaged_provenance_is_refused(saved) -> None:
    (saved[1] / "toy.json").write_text('{"recipe": ', encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"toy\.json is damaged"):
        load_pretrained("toy", folder=saved[1])


def test_an_unknown_name_lists_the_known_ones(saved) -> None:
    with pytest.raises(DamagedFileError, match=r"no weights named 'tyo' \(there are: toy\)"):
        load_pretrained("tyo", folder=saved[1])


def test_a_mistyped_name_is_not_to_be_restored_and_a_lost_one_is(saved) -> None:
    with pytest.raises(DamagedFileError) as told:
        load_pretrained("generators")
    assert "Did you mean 'generator'?" in str(told.value) and "git checkout" not in str(told.value)
    with pytest.raises(DamagedFileError, match=r"git checkout -- data/weights/generator\.json"):
        load_pretrained("generator", folder=saved[1])


@pytest.mark.parametrize("load", [pretrained.load_vgg, pretrained.load_mtcnn, lambda: load_pretrained("judge")])
def test_gradients_flow_through_a_network_that_was_loaded_in_inference_mode(load) -> None:
    with torch.inference_mode():
        network = load()
    assert not any(weight.is_inference() for weight in network.state_dict().values())


def test_the_data_hash_follows_the_data(monkeypatch) -> None:
    before = hash_data("people")
    changed = json.loads(json.dumps(read_ledger()["people"]))
    changed["files"]["metadata.json"]["sha256"] = "0" * 64
    monkeypatch.setitem(read_ledger(), "people", changed)
    assert hash_data("people") != before


def test_every_recipe_has_its_weights_and_every_file_its_recipe() -> None:
    assert {path.stem for path in WEIGHTS.iterdir()} == set(RECIPES)
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 20_000_000


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_weights_belong_to_the_data_and_the_recipe(name: str) -> None:
    provenance = load_provenance(name)
    recipe = importlib.import_module(f"cnngen_course.recipes.{name}").RECIPE
    assert provenance["data"]["sha256"] == hash_data(provenance["data"]["name"]), "trained on other data: train again"
    assert provenance["arguments"] == recipe.arguments
    assert {key: provenance["training"][key] for key in recipe.settings} == recipe.settings, "train again"
    load_pretrained(name)


def test_metrics_can_be_measured_again_for_the_same_weights(saved) -> None:
    before = load_provenance("toy", saved[1])
    record_metrics("toy", {"psnr": Metric(13.0, 200)}, saved[1])
    after = load_provenance("toy", saved[1])
    assert after.pop("metrics") == {"psnr": {"value": 13.0, "n": 200}}
    assert after == {key: value for key, value in before.items() if key != "metrics"}
    load_pretrained("toy", folder=saved[1])


def test_mobilenet_names_a_panda() -> None:
    mobilenet = pretrained.load_mobilenet()
    best = mobilenet.name(load_photo("animal_panda").pixels, 2)
    assert best[0][0] == "giant panda" and best[0][1] > 0.9 > best[1][1]
    assert len(mobilenet.class_names) == 1000 and not mobilenet.model.training


def test_torchvision_without_a_network_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no weights fetched earlier
    with pytest.raises(pretrained.NetworkNeededError, match=r"resnet18 \(45 MB\).*load_mobilenet"):
        pretrained.load_torchvision("resnet18")
    assert capsys.readouterr().out == ""


def test_torchvision_builds_what_was_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import resnet18

    state = resnet18().state_dict()
    monkeypatch.setattr("torchvision.models._api.WeightsEnum.get_state_dict", lambda *_, **__: state)
    loaded = pretrained.load_torchvision("resnet18")
    torch.testing.assert_close(loaded.model.fc.weight, state["fc.weight"])
    assert sum(chance for _, chance in loaded.name(torch.zeros(3, 50, 60, dtype=torch.uint8), 1000)) == pytest.approx(1)


def test_an_unknown_classifier_is_named() -> None:
    with pytest.raises(ValueError, match="no classifier 'resnet19'"):
        pretrained.load_torchvision("resnet19")
