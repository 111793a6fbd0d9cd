"""The comparison of ways to learn drawing, run anew (about 25 minutes of one core).

Sums in another order give other last digits, so another machine gets other pictures and nearly the same numbers; the
package's tests say how near.
"""

import torch

from cnngen_course.experiments.comparison import EVERYONE, SEEDS, run
from cnngen_course.experiments.stored import encode_record
from data.build.runs import make_record, open_folder

RECORD = make_record(
    title="Pictures and measurements of five ways to learn drawing, three trainings each",
    contents=(
        "Each `.npz` file is one training of a minute of `cnngen_course/experiments/comparison.py` "
        "(`<contestant>_<seed>.npz`): "
        "what was measured, the curve of the loss, and pictures that the trained model drew, all of them generated."
    ),
)


def build() -> None:
    torch.set_num_threads(1)  # "a minute" is a minute of one thread
    folder = open_folder("comparison", RECORD)
    for seed in SEEDS:
        for name in EVERYONE:
            outcome = run(name, seed)
            (folder / f"{name}_{seed}.npz").write_bytes(encode_record(outcome))
            print(f"  {name}_{seed}: {outcome.seconds} s, {outcome.metrics}", flush=True)
