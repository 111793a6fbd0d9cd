"""The three networks of the face detector MTCNN."""

import torch
from safetensors.torch import save

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="pypi",
    package="facenet-pytorch",
    version="2.6.0",
    file="facenet_pytorch-2.6.0-py3-none-any.whl",
    sha256="ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
)
RECORD = Record(
    title="MTCNN, a face detector in three small networks",
    contents=(
        "The state of P-Net, R-Net and O-Net in single precision, with the names that facenet-pytorch gives "
        "to their layers. The networks expect RGB in [-1, 1], computed as (value - 127.5) / 128."
    ),
    author="Kaipeng Zhang, Zhanpeng Zhang, Zhifeng Li and Yu Qiao (networks); Timothy Esler (conversion to PyTorch)",
    licence="MIT",
    attribution=(
        "MTCNN, Kaipeng Zhang, Zhanpeng Zhang, Zhifeng Li, Yu Qiao: Joint Face Detection and Alignment using "
        "Multi-task Cascaded Convolutional Networks, IEEE Signal Processing Letters 23(10), 2016. Weights "
        "from facenet-pytorch, (c) 2019 Timothy Esler, MIT licence."
    ),
    left_out="The face recognition network of the package: the course removes faces and never recognises them.",
    sources=[SOURCE],
)


def build() -> None:
    folder = DATA / "mtcnn"
    write_notices(folder, RECORD, licence_text("MIT", "Copyright (c) 2019 Timothy Esler"))
    for name in ("pnet", "rnet", "onet"):
        path = unpack(fetch(SOURCE)) / f"facenet_pytorch/data/{name}.pt"
        state = {layer: values.contiguous() for layer, values in torch.load(path, weights_only=True).items()}
        (folder / f"{name}.safetensors").write_bytes(save(state))
