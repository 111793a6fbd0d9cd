"""``python course.py bench``: speed and memory, each as a ratio or on an otherwise quiet machine.

Prints a table and writes ``notebooks/timings.json``, from which lesson headers and the doctor take their minutes.
``bench lessons``, ``bench fit``, ``bench imports`` and ``bench explorers`` measure one thing only. ``bench quality``,
half an hour (``--seeds 0,1,2`` and ``--budgets 60,120,180`` are its defaults), ``bench inpainting``, two minutes,
``bench studio``, three, and ``bench workshop``, one, run only when they are asked for; so do ``bench work``, half an
hour, which measures what the desk predicts times from, and ``bench times``, as long, which says how well it does
(``--lessons 04,05`` chooses).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import psutil
import torch

from cnngen_course.datasets import ImageSet
from cnngen_course.desk.times import read_timings
from cnngen_course.runtime import count_usable_cores, pick_precision, seed_everything
from tools.execute import NOTEBOOKS, choose_lessons, run, write_time

Row = tuple[str, str, str]
SOME = ("01", "02", "04", "05")  # lessons that tell how well times are predicted


def bench_fit() -> Iterator[Row]:
    """``fit`` against a bare loop that does the same operations, in turns, best of five."""
    bare, ours = [], []
    for _ in range(5):
        bare.append(measure_loop(train_bare))
        ours.append(measure_loop(train_with_fit))
    ratio = min(ours) / min(bare)
    yield "fit over a bare loop", f"{ratio:.3f}", "1.02 or less"


def measure_loop(train: Callable) -> float:
    from cnngen_course.datasets import make_loader, make_shapes
    from cnngen_course.models.classifier import Classifier

    seed_everything(0)
    model, loader = Classifier(widths=(16, 32), class_count=3), make_loader(make_shapes(1280), 64)
    train(model, loader, 2)
    start = time.perf_counter()
    train(model, loader, 60)
    return time.perf_counter() - start


def train_bare(model: torch.nn.Module, loader: torch.utils.data.DataLoader, steps: int) -> None:
    from cnngen_course.objectives.classification import Classification
    from cnngen_course.training import WarmupCosine, take

    objective = Classification()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, WarmupCosine(steps))
    model.train()
    for batch in take(loader, steps):
        values = objective(model, batch)
        values["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        [value.item() for value in values.values()]


def train_with_fit(model: torch.nn.Module, loader: torch.utils.data.DataLoader, steps: int) -> None:
    from cnngen_course.objectives.classification import Classification
    from cnngen_course.training import fit

    fit(model, Classification(), loader, steps=steps, progress=False)


def bench_imports() -> Iterator[Row]:
    """What the modules that a lesson imports add to the import of torch, median of five."""
    lesson = "import cnngen_course.pretrained, cnngen_course.metrics, cnngen_course.training, cnngen_course.datasets"
    whole = lesson + ", cnngen_course.figures, cnngen_course.explorers.panel, cnngen_course.exercises.report"
    alone = measure_import("import torch")
    yield "import of the package over torch's", f"{measure_import(lesson) - alone:.2f} s", "0.3 s or less"
    widgets = "import torch, matplotlib.figure, matplotlib.backends.backend_agg, ipywidgets, IPython.display, PIL.Image"
    extra = measure_import(whole) - measure_import(widgets)
    yield "... with figures and panels, over torch, matplotlib and ipywidgets", f"{extra:.2f} s", "0.3 s or less"


def measure_import(statement: str) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - start

    once()  # fills the disk cache
    return statistics.median(once() for _ in range(5))


def bench_explorers() -> Iterator[Row]:
    """Kernel time from a moved control to a new picture, median over one sweep of every control."""
    from cnngen_course.explorers.panel import View
    from cnngen_course.images import make_grid, to_pil, to_pixels
    from tools.panels import find_makers, sweep

    images = torch.rand(64, 3, 64, 64) * 2 - 1
    grid = [measure_call(lambda: View(to_pil(make_grid(to_pixels(images))), "").encode()) for _ in range(30)]
    yield "8x8 grid of 64 px to JPEG", f"{1000 * statistics.median(grid):.1f} ms", "16 ms or less"
    for name, make in find_makers().items():
        panel = make()
        moves = [(control, place) for control in panel.controls.values() for place in sweep(control)]
        times = [measure_call(lambda c=control, p=place: setattr(c, "value", p)) for control, place in moves]
        yield f"explorer {name}", f"{1000 * statistics.median(times):.1f} ms", "16 ms or less"


def measure_call(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def bench_lessons() -> Iterator[Row]:
    """Seconds and peak memory of every lesson, run from top to bottom in its own kernel."""
    from tools.times import write_timings

    timings = read_timings() | {"cores": count_usable_cores()}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        command = [sys.executable, "-m", "tools.bench", "--one", path.stem]
        # What it says of errors is shown.
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
        facts = json.loads(answer.splitlines()[-1])
        timings["lessons"].setdefault(path.stem, {}).update(facts)
        write_timings(timings)  # each at once: a later lesson may fail
        yield f"lesson {path.stem}", f"{facts['seconds']:.0f} s, {facts['memory_gb']:.2f} GB", "75 s, 2.5 GB"
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        write_time(notebook, path.stem)
        nbformat.write(notebook, path)


def bench_work(lessons: Sequence[str] = ()) -> Iterator[Row]:
    """Seconds of one thread's work in each lesson and in its long cells: what the desk predicts from.

    With all lessons the samples are measured anew, too: with some, these are written in the seconds of the others.
    """
    from tools.times import MACHINES, measure_cells, measure_here, write_samples, write_work

    for name, seconds in ({} if lessons else write_samples()).items():
        values = ", ".join(f"{1000 * value:.1f} ms" for value in seconds.values())
        yield f"samples with {name.replace('_', ' ')}: training, rest", values, ""
    here = measure_here(MACHINES[0])
    for path in choose_lessons(lessons):
        work = write_work(path, measure_cells(path), here)
        yield f"work of {path.stem}: training, rest", f"{work.training:.0f} s, {work.rest:.0f} s", ""


def bench_times(lessons: Sequence[str] = ()) -> Iterator[Row]:
    """What lessons take on this machine and on one without 16-bit arithmetic, over what is predicted."""
    from tools.times import compare, list_machines

    for subject, predicted, measured in compare(choose_lessons(lessons or SOME), list_machines()):
        value = f"{measured:.0f}/{predicted:.0f} s = {measured / predicted:.2f}"
        yield f"measured over predicted: {subject}", value, "0.80 to 1.25"


def measure_lesson(name: str) -> dict[str, float]:
    """Run one lesson while watching the memory of its kernel."""
    import threading

    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            family = psutil.Process(os.getpid()).children(recursive=True)
            peak[0] = max([peak[0], *(read_memory(process) for process in family)])

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        run(NOTEBOOKS / f"{name}.ipynb")
    finally:  # a watcher that goes on would keep a failed lesson's process alive for ever
        done.set()
        watcher.join()
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 1), "memory_gb": round(peak[0] / 1e9, 2)}


def read_memory(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:  # it ended between being listed and being asked
        return 0.0


AIMS = {60: "1.0 or less", 180: "0.6 or less"}  # of the Fréchet distance, by seconds of training
BATCH = 32


def bench_quality(seeds: Sequence[int] = (0, 1, 2), budgets: Sequence[int] = (60, 120, 180)) -> Iterator[Row]:
    """Fréchet distance after so many seconds of training, 10,000 samples; each budget is a run that ends with it.

    As the learning rate falls towards the end of a run, the number of steps must be known before: a short trial gives
    the speed, also with one thread, which is faster than two where those share a core. Measuring is not counted.
    """
    from cnngen_course.datasets import load_fashion_mnist
    from cnngen_course.metrics import compute_features, compute_frechet
    from cnngen_course.objectives.adversarial import sample_images
    from cnngen_course.pretrained import load_pretrained

    train, test, judge = load_fashion_mnist("train"), load_fashion_mnist("test"), load_pretrained("judge")
    real = compute_features(judge, test.images)
    floor = compute_frechet(real, compute_features(judge, train.images[: len(test)]))
    yield f"floor: {len(test):,} training pictures against the test set", f"{floor:.3f}", ""
    cores = count_usable_cores()
    threads = max({1, cores}, key=lambda count: measure_training_speed(train, count))
    speed = measure_training_speed(train, threads)
    yield f"generator's training, {threads} of {cores} threads", f"{speed * BATCH:.0f} images/s", ""
    for budget in budgets:
        distances = []
        for seed in seeds:
            model, seconds = train_generator(train, round(budget * speed), seed, threads)
            torch.set_num_threads(cores)
            drawn = sample_images(model, test.labels, generator=torch.Generator().manual_seed(seed))
            distances.append(compute_frechet(real, compute_features(judge, drawn)))
            facts = f"{round(budget * speed):,} steps in {seconds:.0f} s"
            yield f"Fréchet distance for {budget} s, seed {seed}: {facts}", f"{distances[-1]:.3f}", ""
        spread = f" ± {statistics.stdev(distances):.3f}" if len(distances) > 1 else ""
        value = f"{statistics.mean(distances):.3f}{spread}"
        yield f"... mean and spread of {len(distances)} seeds, n = {len(test):,}", value, AIMS.get(budget, "")


def measure_training_speed(train: ImageSet, threads: int, steps: int = 120) -> float:
    """Return the generator's training steps a second."""
    train_generator(train, 20, 0, threads)  # the first steps are slower
    return steps / train_generator(train, steps, 0, threads)[1]


def train_generator(train: ImageSet, steps: int, seed: int, threads: int) -> tuple[torch.nn.Module, float]:
    """Train the course's best short run for ``steps``; return the averaged generator and the seconds it took."""
    from cnngen_course.adversarial_training import fit_adversarial
    from cnngen_course.datasets import make_loader
    from cnngen_course.models.gan import Generator, NamingDiscriminator
    from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty

    seed_everything(seed)
    torch.set_num_threads(threads)
    generator, discriminator = Generator(), NamingDiscriminator()
    objective = Adversarial("relativistic", DifferencePenalty(0.1), naming=0.5)
    loader = make_loader(train, BATCH)
    average = 1 - 8 / steps  # over the last eighth of the run or so: more would remember the untrained weights
    settings = {"lr": 2e-3, "average": average, "precision": pick_precision(), "progress": False}
    start = time.perf_counter()
    fit_adversarial(generator, discriminator, objective, loader, steps=steps, **settings)
    return generator, time.perf_counter() - start


def bench_inpainting(seconds: int = 60) -> Iterator[Row]:
    """What the repairer of clothes reaches after a minute of its recipe; a short trial gives the number of steps."""
    from cnngen_course.recipes.inpainter import RECIPE

    def train(steps: int) -> tuple[torch.nn.Module, float]:
        seed_everything(0)
        model = RECIPE.model(**RECIPE.arguments)
        start = time.perf_counter()
        RECIPE.train(model, RECIPE.settings | {"steps": steps, "average": 1 - 8 / steps})
        return model, time.perf_counter() - start

    train(20)  # the first time also imports and reads the data
    start, longer = (train(count)[1] for count in (20, 170))  # the difference is training alone, not its preparation
    steps = round(0.95 * seconds * 150 / (longer - start))
    model, taken = train(steps)
    metrics = RECIPE.measure(model, None)
    for kind, aim in (("centre", 15), ("free_form", 18)):
        metric = metrics[f"psnr_{kind}"]
        subject = f"PSNR in {kind.replace('_', '-')} holes, {steps:,} steps in {taken:.0f} s, n = {metric.n:,}"
        yield subject, f"{metric.value:.2f} dB", f"{aim} dB or more"


def bench_studio(crowds: Sequence[int] = (1, 2, 4)) -> Iterator[Row]:
    """The studio on loopback under 1, 2 and 4 visitors at once; then each generator against its ONNX file."""
    from cnngen_course import export
    from tools.visitor import serve_studio, visit_together

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        with serve_studio(folder / "stars.sqlite3", folder / "voila.log") as (address, server):
            yield "studio: server answers", f"{time.perf_counter() - start:.1f} s", ""
            for count in crowds:
                load = visit_together(address, server, count)
                crowd = f"{count} visitor{'s' * (count > 1)} at once"
                yield f"{crowd}: until the controls are there, median", f"{load.start:.1f} s", ""
                latency = f"{1000 * load.move:.0f}, {1000 * load.slow_move:.0f} ms"
                yield f"{crowd}: control to picture, median and 9 of 10", latency, "100 ms or less"
            yield "memory of a visitor's kernel, largest", f"{max(load.kernel_gb):.2f} GB", "0.6 GB or less"
        for port in export.list_ports():
            parity = export.compare(port, folder)
            yield f"{port} as ONNX: largest difference, of 2", f"{parity.difference:.1e}", "0.0008 or less"
            for count, ratio in parity.ratios.items():
                yield f"{port} as ONNX, {count} at a time: times as fast", f"{ratio:.2f}", ""


def bench_workshop(learners: int = 3) -> Iterator[Row]:
    """Several learners at once on the workshop's hub; lesson 15 quotes what is stored here."""
    from tools.workshop import drive

    with tempfile.TemporaryDirectory() as name:
        facts = drive.measure(Path(name), learners)
    drive.MEASURED.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for what, seconds in facts["seconds"].items():
        yield f"workshop of {learners} at once, the slowest: {what}", f"{seconds:.1f} s", ""
    for part, megabytes in facts["memory_mb"].items():
        yield f"... memory of a {part}", f"{megabytes} MB", ""


BENCHES = {"fit": bench_fit, "imports": bench_imports, "explorers": bench_explorers, "lessons": bench_lessons}


def read_numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "chosen",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(BENCHES)} (all of these), or quality, inpainting, studio, workshop, work, times",
    )
    parser.add_argument("--seeds", type=read_numbers, default=[0, 1, 2], help="of quality: one run a seed")
    parser.add_argument("--budgets", type=read_numbers, default=[60, 120, 180], help="of quality: seconds of training")
    parser.add_argument("--lessons", type=lambda text: text.split(","), default=[], help="of work and times")
    parser.add_argument("--one", metavar="LESSON", help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    if wanted.one:
        print(json.dumps(measure_lesson(wanted.one)))
        return
    asked_for = {"quality": lambda: bench_quality(wanted.seeds, wanted.budgets), "inpainting": bench_inpainting}
    asked_for |= {"studio": bench_studio, "workshop": bench_workshop}
    asked_for |= {"work": lambda: bench_work(wanted.lessons), "times": lambda: bench_times(wanted.lessons)}
    benches = BENCHES | asked_for
    if unknown := set(wanted.chosen) - set(benches):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; there are: {', '.join(benches)}")
    seed_everything(0)
    print(f"{'measured':66} {'value':>16}   aim")
    for name in wanted.chosen or BENCHES:
        for subject, value, aim in benches[name]():
            print(f"{subject:66} {value:>16}   {aim}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
