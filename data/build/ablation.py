"""Three short trainings of a colouring network that differ in their loss alone (about five minutes of one core).

Sums in another order give other last digits, so another machine gets other pictures and nearly the same numbers; the
package's tests say how near.
"""

import torch

from cnngen_course.experiments.ablation import WAYS, run
from cnngen_course.experiments.stored import encode_record
from data.build import emoji_pairs
from data.build.ledger import Record
from data.build.licences import write_notices
from data.build.sources import DATA

RECORD = Record(
    title="Emoji coloured by three short trainings that differ in their loss alone",
    contents=(
        "Each `.npz` file is one training of `cnngen_course/experiments/ablation.py`: what was measured on "
        "held-out emoji at some "
        "moments, and pictures that the trained network made of held-out OpenMoji outlines, all of them generated."
    ),
    author="the authors of this course (the runs); the OpenMoji project (the outlines)",
    licence="CC BY-SA 4.0",
    attribution=emoji_pairs.RECORD.attribution,
    left_out="The networks' weights.",
    sources=[emoji_pairs.SOURCE],
)


def build() -> None:
    torch.set_num_threads(1)
    folder = DATA / "ablation"
    write_notices(folder, RECORD, (DATA / "emoji_pairs" / "LICENSE").read_text(encoding="utf-8"))
    for way in WAYS:
        ablation, _ = run(way)
        (folder / f"{way.lower()}.npz").write_bytes(encode_record(ablation))
        print(f"  {way}: {ablation.seconds} s, {ablation.evaluations[-1]}", flush=True)
