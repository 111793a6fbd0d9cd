"""Fashion-MNIST: 70,000 grey pictures of clothes, 28x28, in the original order, compressed with xz instead of gzip.

Of the lossless formats that the standard library or Pillow read, xz was the smallest. The test pictures take 3.77 MB
as xz, 3.96 as WebP sheets, 4.07 as PNG sheets and 4.42 as gzip. All four files load and verify in about 1.5 seconds.
"""

import gzip
import hashlib
import json
import lzma
from pathlib import Path

from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA, Source, fetch, unpack

SOURCE = Source(
    registry="debian",
    package="dataset-fashion-mnist",
    version="0.0~git20200523.55506a9-1",
    file="dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
    sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
)
RECORD = Record(
    title="70,000 grey pictures of clothes, 28x28, in ten classes",
    contents=(
        "All 60,000 training and 10,000 test pictures of Fashion-MNIST with their labels, in the original order: four "
        "IDX files, compressed with xz. Every class has 6,000 training and 1,000 test pictures. `labels.json` holds "
        "the class names and the sha256 of every uncompressed file."
    ),
    author="Zalando SE (Han Xiao, Kashif Rasul, Roland Vollgraf)",
    licence="MIT",
    attribution=(
        "Fashion-MNIST, (c) 2017 Zalando SE, MIT licence. Han Xiao, Kashif Rasul, Roland Vollgraf: Fashion-MNIST: a "
        "Novel Image Dataset for Benchmarking Machine Learning Algorithms, arXiv:1708.07747."
    ),
    left_out="Nothing: the set is complete.",
    sources=[SOURCE],
)
FILES = {
    "train_images": ("train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    "train_labels": ("train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    "test_images": ("t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    "test_labels": ("t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
}
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
XZ_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 2}]


def build() -> None:
    originals = unpack(fetch(SOURCE)) / "usr/share/datasets/fashion-mnist"
    folder = DATA / "fashion_mnist"
    folder.mkdir(exist_ok=True)
    for name, (original, sha256) in FILES.items():
        content = gzip.decompress((originals / original).read_bytes())
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"{original} does not hold the official Fashion-MNIST data")
        packed = lzma.compress(content, check=lzma.CHECK_CRC32, filters=XZ_FILTERS)
        (folder / f"{name}.idx.xz").write_bytes(packed)
    facts = {
        "classes": CLASSES,
        "shape": [28, 28],
        "counts": {"train": 60_000, "test": 10_000},
        "sha256_of_idx": {name: sha256 for name, (_, sha256) in FILES.items()},
    }
    (folder / "labels.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    write_licence(folder, RECORD)


def write_licence(folder: Path, record: Record) -> None:
    """Write the notices of a set that is Fashion-MNIST or was made from it."""
    write_notices(folder, record, licence_text("MIT", "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"))
