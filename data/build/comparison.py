"""The comparison of ways to learn drawing, run anew (about 25 minutes of one core).

Sums in another order give other last digits, so another machine gets other pictures and nearly the same numbers; the
package's tests say how near.
"""

import torch

from cnngen_course.experiments.comparison import EVERYONE, SEEDS, encode_outcome, run
from data.build import fashion_mnist
from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA

RECORD = Record(
    title="Pictures and measurements of five ways to learn drawing, three trainings each",
    contents=(
        "Each `.npz` file is one training of a minute of `cnngen_course/experiments/comparison.py` "
        "(`<contestant>_<seed>.npz`): "
        "what was measured, the curve of the loss, and pictures that the trained model drew, all of them generated."
    ),
    author="the authors of this course (the runs); Zalando SE (Fashion-MNIST)",
    licence="MIT",
    attribution=fashion_mnist.RECORD.attribution,
    left_out="The networks' weights.",
    sources=[fashion_mnist.SOURCE],
)


def build() -> None:
    torch.set_num_threads(1)  # "a minute" is a minute of one thread
    folder = DATA / "comparison"
    write_notices(folder, RECORD, licence_text("MIT", "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"))
    for seed in SEEDS:
        for name in EVERYONE:
            outcome = run(name, seed)
            (folder / f"{name}_{seed}.npz").write_bytes(encode_outcome(outcome))
            print(f"  {name}_{seed}: {outcome.seconds} s, {outcome.metrics}", flush=True)
