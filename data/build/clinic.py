"""The failure clinic: sick and healthy trainings, run anew (about 8 minutes of one core).

Sums in another order give other last digits, so another machine gets other pictures with the same symptoms; the
package's tests measure those.
"""

from cnngen_course.experiments.clinic import encode_run, list_runs, play_game, run
from data.build.runs import make_record, open_folder

RECORD = make_record(
    title="Adversarial trainings, eight of them with a planted fault, moment by moment",
    contents=(
        "Each `.npz` file is one real run of `cnngen_course/experiments/clinic.py`: the curves (means of ten "
        "steps), pictures "
        "that the generator drew on the way, and some real pictures as the discriminator was given them. `A` to `H` "
        "have one fault each, `healthy` has none, `_fixed` is a case with its fault mended, and the two games are "
        "trainings of the course's larger generator. All pictures are drawn by networks that learned from "
        "Fashion-MNIST, except the real ones."
    ),
)


def build() -> None:
    folder = open_folder("clinic", RECORD)
    for file, setup in list_runs().items():
        result = play_game(setup) if isinstance(setup, str) else run(setup)
        (folder / f"{file}.npz").write_bytes(encode_run(result))
        print(f"  {file}", flush=True)
