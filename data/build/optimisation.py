"""The short trainings behind the lesson on optimisation, run anew (about 5 minutes of one core).

Sums in another order give other last digits, so another machine gets nearly the same curves; seconds are its own.
"""

import json

import torch

from cnngen_course.experiments.trials import Log, encode_logs, list_series, measure_compile, run
from data.build.runs import make_record, open_folder

RECORD = make_record(
    title="Logs of some 120 short trainings that differ in one thing each",
    contents=(
        "Each `.npz` file holds one series of `cnngen_course/experiments/trials.py`: blocks, depth, blocks "
        "that draw, learning "
        "rates and activations, schedules, numbers of pictures. Of every training there are the curve of the loss, "
        "the scores on test pictures, the time of a step, and for those that draw some redrawn test pictures. "
        "`compile.json` is one measurement of `torch.compile`."
    ),
)


def build() -> None:
    torch.set_num_threads(1)  # seconds are those of one thread
    folder = open_folder("optimisation", RECORD)
    for series in list_series():
        (folder / f"{series}.npz").write_bytes(encode_logs(run_series(series)))
    (folder / "compile.json").write_text(json.dumps(measure_compile(), indent=1) + "\n", encoding="utf-8")


def run_series(series: str) -> dict[str, Log]:
    logs = {}
    for name, trial in list_series()[series].items():
        logs[name] = run(trial)
        print(f"  {series}: {name}: {logs[name].scores[-1]:.3f} after {logs[name].seconds[-1]:.1f} s", flush=True)
    return logs
