"""The runs on width, depth and data, trained anew (about 2 minutes of one core)."""

from cnngen_course.experiments.scaling import encode_runs, list_setups, run
from data.build.runs import make_record, open_folder

RECORD = make_record(
    title="What width, depth and data buy: short trainings of small PixelCNNs",
    contents=(
        "`runs.json` lists the runs of `cnngen_course/experiments/scaling.py`: the width, the depth and the "
        "number of training "
        "pictures of each, its weights and multiplications, and the bits a pixel on test and on training pictures "
        "after 10 to 160 steps."
    ),
)


def build() -> None:
    folder = open_folder("scaling", RECORD)
    runs = []
    for setup in list_setups():
        runs.append(run(setup))
        print(f"  {setup}: {runs[-1].test[-1]:.3f} bits a pixel", flush=True)
    (folder / "runs.json").write_text(encode_runs(runs), encoding="utf-8")
