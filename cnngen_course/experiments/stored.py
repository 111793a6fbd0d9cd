"""How the outcome of an experiment is kept: one ``.npz`` file of tensors, and of facts as JSON."""

import io
import json
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from cnngen_course.paths import read_data

Record = TypeVar("Record")


def encode_parts(tensors: dict[str, Tensor], facts: Any = None) -> bytes:
    """Return tensors by name, and facts that JSON can say, as the bytes of a file."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: values.numpy() for name, values in tensors.items()}
    np.savez_compressed(buffer, **arrays, facts=json.dumps(facts))
    return buffer.getvalue()


def load_parts(folder: str, file: str) -> tuple[dict[str, Tensor], Any]:
    """Return the tensors by name and the facts of ``data/<folder>/<file>``.

    Raises:
        DamagedFileError: the file is missing, cut or altered.
    """
    with np.load(io.BytesIO(read_data(folder, file))) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != "facts"}
        return tensors, json.loads(str(arrays["facts"])) if "facts" in arrays else None


def split_record(record: object) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the fields of a dataclass that are tensors, and the others."""
    tensors = {name: value for name, value in vars(record).items() if isinstance(value, Tensor)}
    return tensors, {name: value for name, value in vars(record).items() if name not in tensors}


def encode_record(record: object) -> bytes:
    """Return a dataclass of tensors and facts as the bytes of a file."""
    return encode_parts(*split_record(record))


def load_record(kind: type[Record], folder: str, file: str) -> Record:
    """Return what ``encode_record`` stored; raises as ``load_parts``."""
    tensors, facts = load_parts(folder, file)
    return kind(**facts | tensors)
