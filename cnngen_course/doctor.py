"""``cnngen doctor``: is this machine ready for the course, and if not, what to do about it?

The doctor is needed most where something is missing. So it imports other packages inside its checks, and whatever
a check stumbles over becomes a line of the report.
"""

import importlib
import locale
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cnngen_course import __version__
from cnngen_course.desk.times import describe_seconds, load_timings, predict_lesson
from cnngen_course.paths import (
    DATA,
    ROOT,
    WEIGHTS,
    DamagedFileError,
    read_data,
    read_file,
    read_ledger,
    read_verified,
)
from cnngen_course.platforms import find_host, find_platform_trouble, has_nvidia_driver

REPAIR = "run: python3 course.py setup"
LOCK = ROOT / "requirements.lock"
WATCHED = (
    "torch",
    "torchvision",
    "jupyterlab",
    "ipywidgets",
    "anywidget",
    "numpy",
    "pillow",
    "matplotlib",
    "accelerate",
)
OK, WARNING, PROBLEM = "OK", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the report: ``level`` is "OK", "warning" or "problem"; ``advice`` says what to do."""

    level: str
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        sign = {OK: "✓", WARNING: "!", PROBLEM: "✗"}[self.level]
        line = f"{sign} {self.level:8} {self.subject:11} {self.text}"
        return f"{line}\n{'':23}→ {self.advice}" if self.advice else line


def check_python() -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if trouble := find_platform_trouble():
        yield Finding(PROBLEM, "Python", text, trouble)
    else:
        yield Finding(OK, "Python", text)
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") not in ("utf8", "cp65001"):
        advice = "the course names UTF-8 wherever it reads or writes; for files of your own, set PYTHONUTF8=1"
        yield Finding(OK, "text", f"this machine writes text as {encoding}", advice)


def read_locked_versions() -> dict[str, set[str]]:
    """Return the versions of each package in the lock; there can be several, for different Pythons."""
    locked: dict[str, set[str]] = {}
    for name, locked_version in re.findall(r"^([\w.-]+)==([^ ;\\\n]+)", read_file(LOCK).decode("utf-8"), re.MULTILINE):
        locked.setdefault(name, set()).add(locked_version)
    return locked


def check_packages() -> Iterator[Finding]:
    locked = read_locked_versions()
    different = []
    for name in WATCHED:
        if name == "jupyterlab" and find_host():
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding(PROBLEM, "packages", f"{name} is not installed", REPAIR)
            continue
        if found.partition("+")[0] not in locked.get(name, ()):
            different.append(f"{name} {found} (lock: {' or '.join(sorted(locked.get(name, ['none'])))})")
    if different and (host := find_host()):
        yield Finding(OK, "packages", f"those of {host}: {', '.join(different)}")
    elif different:
        advice = f"the course may still work; to get the tested versions {REPAIR}"
        yield Finding(WARNING, "packages", ", ".join(different), advice)
    else:
        yield Finding(OK, "packages", f"as locked; torch {version('torch')}, course {__version__}")


def check_imports() -> Iterator[Finding]:
    """Import what lessons import; a package can be there and still not work."""
    for name in ("torch", "torchvision", "ipywidgets"):
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever it is, it is what the report is for
            yield Finding(PROBLEM, "packages", f"{name} does not work: {shorten(error)}", advise_on_import(error))


def advise_on_import(error: Exception) -> str:
    if "WinError 126" in str(error) or "DLL load failed" in str(error):
        return "install Microsoft's Visual C++ Redistributable (x64): https://aka.ms/vs/17/release/vc_redist.x64.exe"
    return REPAIR


def shorten(error: Exception) -> str:
    """Return an error as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def check_machine() -> Iterator[Finding]:
    import torch

    from cnngen_course.runtime import count_usable_cores, pick_device, pick_precision

    if pick_device().type == "mps":
        text = "Apple's GPU (MPS): its numbers differ a little from those that lessons show"
        yield Finding(OK, "numbers", text)
    if version("torch").endswith("+cpu") and has_nvidia_driver():
        advice = "to compute on it: python3 course.py setup --cuda"
        yield Finding(OK, "GPU", "there is a driver of NVIDIA's, but this PyTorch computes on processors alone", advice)
    precision = {"bf16": "16-bit arithmetic", "no": "32-bit arithmetic"}[pick_precision()]
    yield Finding(OK, "device", f"{pick_device().type}, {precision}")
    threads, cores = torch.get_num_threads(), count_usable_cores()
    if threads > cores:
        advice = "lessons correct this by themselves; elsewhere set OMP_NUM_THREADS"
        yield Finding(WARNING, "threads", f"{threads} threads on {cores} usable cores", advice)
    else:
        yield Finding(OK, "threads", f"{threads} on {cores} usable cores")


def check_space() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory().available / 1e9
    needs = {name: facts["memory_gb"] for name, facts in load_timings().items()}
    hungriest = max(needs, key=lambda lesson: needs[lesson], default="")
    enough = memory >= needs.get(hungriest, 0)
    text = f"{memory:.1f} GB free"
    if needs:
        text += f"; the hungriest lesson, {hungriest}, takes {needs[hungriest]} GB"
    advice = "" if enough else "close other notebooks (Kernel > Shut Down All) and large programs"
    yield Finding(OK if enough else WARNING, "memory", text, advice)
    disk = shutil.disk_usage(ROOT).free / 1e9
    advice = "" if disk >= 1 else "free some space: notebooks could not be saved"
    yield Finding(OK if disk >= 1 else PROBLEM, "disk", f"{disk:.0f} GB free", advice)


def check_data() -> Iterator[Finding]:
    files = [(name, file) for name, entry in read_ledger().items() for file in entry["files"]]
    damaged = list(collect_damage(lambda item: read_data(*item), files))
    for error in damaged:
        yield Finding(PROBLEM, "data", *split_advice(error))
    if not damaged:
        size = sum((DATA / name / file).stat().st_size for name, file in files) / 1e6
        yield Finding(OK, "data", f"{len(files)} files intact, {size:.0f} MB")


def check_weights() -> Iterator[Finding]:
    names = sorted(path.stem for pattern in ("*.json", "*.safetensors") for path in WEIGHTS.glob(pattern))
    names = sorted(set(names))
    damaged = list(collect_damage(read_weights, names))
    for error in damaged:
        yield Finding(PROBLEM, "weights", *split_advice(error))
    if not names:
        yield Finding(PROBLEM, "weights", "there are none", "get them back with: git checkout -- data/weights")
    elif not damaged:
        yield Finding(OK, "weights", f"{', '.join(names)} intact")


def read_weights(name: str) -> bytes:
    from cnngen_course.pretrained import load_provenance

    return read_verified(WEIGHTS / f"{name}.safetensors", load_provenance(name)["sha256"])


def collect_damage(read: Callable, items: list) -> Iterator[str]:
    """Yield the message of every file that cannot be read as published."""
    for item in items:
        try:
            read(item)
        except DamagedFileError as error:
            yield str(error)


def split_advice(message: str) -> tuple[str, str]:
    text, _, advice = message.partition(" Get it back with:")
    return text, f"get it back with:{advice}"


def check_jupyter() -> Iterator[Finding]:
    beside = str(Path(sys.executable).parent)
    if host := find_host():
        yield Finding(OK, "Jupyter", f"that of {host}, ipywidgets {version('ipywidgets')}")
    elif not shutil.which("jupyter", path=beside) and not shutil.which("jupyter"):
        yield Finding(WARNING, "Jupyter", "the jupyter command is not on the path", "start with: python3 course.py lab")
    else:
        yield Finding(OK, "Jupyter", f"JupyterLab {version('jupyterlab')}, ipywidgets {version('ipywidgets')}")


def compute_factor() -> float:
    """Return how many times longer all lessons together take here than their headers say."""
    seconds = {name: facts["seconds"] for name, facts in load_timings().items()}
    return sum(map(predict_lesson, seconds)) / sum(seconds.values()) if seconds else 1.0


def check_speed() -> Iterator[Finding]:
    factor = compute_factor()
    text = f"lessons take {factor:.1f} times as long as their headers say"
    if factor > 3:
        yield Finding(WARNING, "speed", text, "close other programs, plug in the laptop, then try again")
    else:
        yield Finding(OK, "speed", text)


CHECKS = (
    check_python,
    check_packages,
    check_imports,
    check_machine,
    check_space,
    check_data,
    check_weights,
    check_jupyter,
    check_speed,
)


def examine() -> list[Finding]:
    """Return the findings of all checks, in order; takes about three seconds."""
    return [finding for check in CHECKS for finding in finish(check)]


def finish(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check; what it stumbles over is a finding, too."""
    subject = check.__name__.removeprefix("check_")
    try:
        yield from check()
    except DamagedFileError as error:
        yield Finding(PROBLEM, subject, *split_advice(str(error)))
    except Exception as error:  # a check that fails must not hide what the others find
        yield Finding(PROBLEM, subject, f"could not be checked: {shorten(error)}", advise_on_import(error))


def describe(findings: list[Finding]) -> str:
    """Return the report as text that can be pasted into a bug report."""
    worst = PROBLEM if any(f.level == PROBLEM for f in findings) else OK
    verdict = "Ready." if worst == OK else "Not ready: mend what is marked ✗, then run this again."
    return "\n".join([*map(str, findings), "", verdict])


def describe_lessons() -> str:
    """Return the table of lessons with the seconds that their computing takes on this machine."""
    rows = [f"  {name:20} about {describe_seconds(predict_lesson(name))}" for name in load_timings()]
    return "\n".join(["Computing time of each lesson on this machine:", *rows])


def make_bug_report(findings: list[Finding]) -> str:
    """Return a prefilled bug report: what to say, and what the machine is like."""
    return (
        "What I did:\n\nWhat I expected:\n\nWhat happened (the last lines of the red text):\n\n"
        f"---- cnngen doctor ----\n{describe(findings)}\n"
    )
