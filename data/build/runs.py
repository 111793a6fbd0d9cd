"""What the sets of stored runs have in common: trained by the course's own code on Fashion-MNIST."""

from pathlib import Path

from data.build import fashion_mnist
from data.build.ledger import Record
from data.build.sources import DATA


def make_record(title: str, contents: str) -> Record:
    return Record(
        title=title,
        contents=contents,
        author="the authors of this course (the runs); Zalando SE (Fashion-MNIST)",
        licence="MIT",
        attribution=fashion_mnist.RECORD.attribution,
        left_out="The networks' weights.",
        sources=[fashion_mnist.SOURCE],
    )


def open_folder(name: str, record: Record) -> Path:
    """Return the folder of a set, with its notices written."""
    fashion_mnist.write_licence(DATA / name, record)
    return DATA / name
