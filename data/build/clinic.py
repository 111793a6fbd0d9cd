"""The failure clinic: sick and healthy trainings, run anew (about 8 minutes of one core).

Sums in another order give other last digits, so another machine gets other pictures with the same symptoms; the
package's tests measure those.
"""

from cnngen_course.experiments.clinic import encode_run, list_runs, play_game, run
from data.build import fashion_mnist
from data.build.ledger import Record
from data.build.licences import licence_text, write_notices
from data.build.sources import DATA

RECORD = Record(
    title="Adversarial trainings, eight of them with a planted fault, moment by moment",
    contents=(
        "Each `.npz` file is one real run of `cnngen_course/experiments/clinic.py`: the curves (means of ten "
        "steps), pictures "
        "that the generator drew on the way, and some real pictures as the discriminator was given them. `A` to `H` "
        "have one fault each, `healthy` has none, `_fixed` is a case with its fault mended, and the two games are "
        "trainings of the course's larger generator. All pictures are drawn by networks that learned from "
        "Fashion-MNIST, except the real ones."
    ),
    author="the authors of this course (the runs); Zalando SE (Fashion-MNIST)",
    licence="MIT",
    attribution=fashion_mnist.RECORD.attribution,
    left_out="The networks' weights.",
    sources=[fashion_mnist.SOURCE],
)


def build() -> None:
    folder = DATA / "clinic"
    write_notices(folder, RECORD, licence_text("MIT", "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"))
    for file, setup in list_runs().items():
        result = play_game(setup) if isinstance(setup, str) else run(setup)
        (folder / f"{file}.npz").write_bytes(encode_run(result))
        print(f"  {file}", flush=True)
