"""The runs on width, depth and data, trained anew (about 2 minutes of one core)."""

from cnngen_course.experiments.scaling import encode_runs, list_setups, run
from data.build import fashion_mnist
from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA

RECORD = Record(
    title="What width, depth and data buy: short trainings of small PixelCNNs",
    contents=(
        "`runs.json` lists the runs of `cnngen_course/experiments/scaling.py`: the width, the depth and the "
        "number of training "
        "pictures of each, its weights and multiplications, and the bits a pixel on test and on training pictures "
        "after 10 to 160 steps."
    ),
    author="the authors of this course (the runs); Zalando SE (Fashion-MNIST)",
    licence="MIT",
    attribution=fashion_mnist.RECORD.attribution,
    left_out="The networks' weights.",
    sources=[fashion_mnist.SOURCE],
)


def build() -> None:
    folder = DATA / "scaling"
    write_notices(folder, RECORD, licence_text("MIT", "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"))
    runs = []
    for setup in list_setups():
        runs.append(run(setup))
        print(f"  {setup}: {runs[-1].test[-1]:.3f} bits a pixel", flush=True)
    (folder / "runs.json").write_text(encode_runs(runs), encoding="utf-8")
