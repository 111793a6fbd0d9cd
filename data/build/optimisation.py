"""The short trainings behind the lesson on optimisation, run anew (about 5 minutes of one core).

Sums in another order give other last digits, so another machine gets nearly the same curves; seconds are its own.
"""

import json

import torch

from cnngen_course.experiments.trials import encode_logs, list_series, measure_compile, run
from data.build import fashion_mnist
from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA

FOLDER = DATA / "optimisation"
RECORD = Record(
    title="Logs of some 120 short trainings that differ in one thing each",
    contents=(
        "Each `.npz` file holds one series of `cnngen_course/experiments/trials.py`: blocks, depth, blocks "
        "that draw, learning "
        "rates and activations, schedules, numbers of pictures. Of every training there are the curve of the loss, "
        "the scores on test pictures, the time of a step, and for those that draw some redrawn test pictures. "
        "`compile.json` is one measurement of `torch.compile`."
    ),
    author="the authors of this course (the runs); Zalando SE (Fashion-MNIST)",
    licence="MIT",
    attribution=fashion_mnist.RECORD.attribution,
    left_out="The networks' weights.",
    sources=[fashion_mnist.SOURCE],
)


def build() -> None:
    torch.set_num_threads(1)  # seconds are those of one thread
    write_notices(FOLDER, RECORD, licence_text("MIT", "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"))
    for series in list_series():
        build_series(series)
    (FOLDER / "compile.json").write_text(json.dumps(measure_compile(), indent=1) + "\n", encoding="utf-8")


def build_series(series: str) -> None:
    logs = {}
    for name, trial in list_series()[series].items():
        logs[name] = run(trial)
        print(f"  {series}: {name}: {logs[name].scores[-1]:.3f} after {logs[name].seconds[-1]:.1f} s", flush=True)
    (FOLDER / f"{series}.npz").write_bytes(encode_logs(logs))
