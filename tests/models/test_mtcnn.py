"""The three networks have the structure of the weights and the sizes of the paper."""

import torch
from safetensors.torch import load as load_tensors

from cnngen_course.models.mtcnn import MTCNN
from cnngen_course.paths import read_data
from cnngen_course.pretrained import load_mtcnn


def test_every_weight_has_its_place() -> None:
    loaded = load_mtcnn()
    for name in ("pnet", "rnet", "onet"):
        stored = load_tensors(read_data("mtcnn", f"{name}.safetensors"))
        state = getattr(loaded, name).state_dict()
        assert state.keys() == stored.keys() and all(torch.equal(state[key], stored[key]) for key in state)


def test_answers_have_their_shapes() -> None:
    model = MTCNN()
    scores, moves = model.pnet(torch.zeros(1, 3, 12, 12))
    assert scores.shape == (1, 1, 1) and moves.shape == (1, 4, 1, 1)
    assert model.pnet(torch.zeros(1, 3, 36, 50))[0].shape == (1, 13, 20)  # a window of 12 at every second pixel
    assert [x.shape for x in model.rnet(torch.zeros(5, 3, 24, 24))] == [(5,), (5, 4)]
    assert [x.shape for x in model.onet(torch.zeros(5, 3, 48, 48))] == [(5,), (5, 4), (5, 10)]


def test_it_is_frozen_and_wants_pixels_about_zero() -> None:
    model = load_mtcnn()
    assert not model.training and not any(weight.requires_grad for weight in model.parameters())
    pixels = torch.tensor([0, 255], dtype=torch.uint8).expand(3, 4, 2)
    assert model.prepare(pixels).unique().tolist() == [-127.5 / 128, 127.5 / 128]
