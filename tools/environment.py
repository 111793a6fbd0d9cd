"""The course's environment: ``.venv`` is made from the lock, tried, and mended when something is wrong with it.

Only the standard library is used here: this must run before anything is installed. The file ``.venv/.ready`` says how
far the last set-up came, in two lines: "making" (a new environment was begun: it is thrown away), "checking" (one that
was finished is looked at or brought up to date) or the fingerprint of what is installed, with the words of its plan;
then the folder it is in.
"""

import base64
import contextlib
import csv
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from cnngen_course.platforms import find_platform_trouble, has_nvidia_driver

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "cnngen_course"
ENVIRONMENT = ROOT / ".venv"
WINDOWS = os.name == "nt"
SCRIPTS = ENVIRONMENT / ("Scripts" if WINDOWS else "bin")
PYTHON = SCRIPTS / ("python.exe" if WINDOWS else "python")
COMMAND = SCRIPTS / ("cnngen.exe" if WINDOWS else "cnngen")
CONFIG = ENVIRONMENT / "pyvenv.cfg"
STATE = ENVIRONMENT / ".ready"
NEXT_STATE = ENVIRONMENT / ".ready.new"
TURN = ENVIRONMENT / ".set-up"  # locked by the set-up that is at work
LOCK = ROOT / "requirements.lock"  # what lessons need
MORE_LOCK = ROOT / "requirements.more.lock"  # what pyproject.toml's extras need besides: tests, the hub, data
SMALL_LOCK = ROOT / "requirements.cpu.lock"  # for Linux: PyTorch without CUDA
CUDA = re.compile(r"triton|(cuda|nvidia)-.+")  # what PyTorch brings along on Linux
PYTORCH = re.compile(rf"torch|torchvision|{CUDA.pattern}")
PROJECT = ROOT / "pyproject.toml"
WHEELS = ROOT / "wheels"  # of an offline bundle: tools/bundle.py
MAKING, CHECKING = "making", "checking"
TRIAL = """
import os, torch, torchvision, cnngen_course
found = os.path.dirname(os.path.dirname(os.path.abspath(cnngen_course.__file__)))
assert os.path.samefile(found, "."), "the course is imported from another folder: " + found
"""
# The head of a program that starts with the Python beside it; a path after "#!" could hold no space.
BESIDE = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
MISSING_LIBRARY = re.compile(r"WinError 126|DLL load failed|cannot open shared object file")
LARGE = 1_000_000  # bytes; nobody edits such a file by hand, and gigabytes take long to read


@dataclass(frozen=True)
class Plan:
    """What is installed in .venv, or is to be.

    Attributes:
        small: PyTorch without CUDA, from its own host. On Linux alone: elsewhere the usual PyTorch is the small one.
        everything: also the extras of pyproject.toml.
    """

    small: bool
    everything: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return ("small" if self.small else "full", *(["everything"] if self.everything else []))

    @property
    def locks(self) -> tuple[Path, ...]:
        return LOCK, *([SMALL_LOCK] if self.small else []), *([MORE_LOCK] if self.everything else [])


PLANS = {plan.words: plan for plan in map(Plan, (False, False, True, True), (False, True, False, True))}


def run(*command: object, quiet: bool = False, text: str | None = None, **variables: str) -> None:
    """Run one command in the repository, ``text`` its input, with the course's environment; fail if it fails."""
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT), **variables}
    words, output = [str(part) for part in command], subprocess.DEVNULL if quiet else None
    # What is started here inherits the file that is locked, and so holds the lock even if this process is killed.
    content = None if text is None else text.encode()
    subprocess.run(words, cwd=ROOT, check=True, env=environment, stdout=output, close_fds=False, input=content)


def explain(error: OSError) -> str:
    """Say in a sentence what a failure of the disk means for the set-up, or "" if it says nothing that is known."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space: the packages take 1.6 GB, with CUDA 6.4 GB."
    if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ""
    if WINDOWS and ENVIRONMENT.exists():
        return f"A file cannot be written: {error.filename}. Close JupyterLab and what else uses the folder .venv."
    return (
        f"Nothing can be written here: {error.filename}. Copy the course into a folder of your own, "
        "then run the same command there."
    )


def say(text: str) -> None:
    print(text, flush=True)


def set_up(check: bool = False, small: bool | None = None, everything: bool = False) -> None:
    """Make .venv from the lock, or mend it. Whenever this is interrupted, the same call heals it.

    Without ``check`` an environment that was finished for this lock and this folder is trusted; with it, every file
    is looked at and the large packages are imported. ``small`` and ``everything`` are those of the plan, and are
    remembered; ``small`` None keeps the PyTorch that is there, and in a new environment takes what suits the machine.
    """
    plan = choose_plan(small, everything)
    if not check and read_state()[:2] == (find_fingerprint(plan), str(ROOT)) and starts():
        return
    say("Looking at the course's environment, the folder .venv ...")
    if is_foreign():
        accept_foreign()
        return
    with take_turn():
        plan = choose_plan(small, everything)  # another set-up may have ended meanwhile
        fresh = read_state()[0] == MAKING or not starts()
        plan = make_environment(plan) if fresh else check_environment(plan)
        trouble = try_all()
        if trouble and not fresh and not MISSING_LIBRARY.search(trouble) and not find_own_fault(trouble):
            say("The packages do not work; they are installed anew.")
            plan = make_environment(plan)
            trouble = try_all()
        if trouble and not find_own_fault(trouble):
            sys.exit(f"The packages are installed, but do not work:\n{trouble}\n{advise(trouble)}")
        write_state(find_fingerprint(plan), plan)
        stop_at_own_fault(trouble)


def choose_plan(small: bool | None, everything: bool) -> Plan:
    """Return what is asked for, and for the rest what was noted or, in a new environment, what suits the machine."""
    state, _, plan = read_state()
    if plan is None:  # nothing was installed, or by a course that knew one PyTorch alone
        plan = Plan(small=state == MAKING and suits_small())
    wanted = plan.small if small is None else small
    return Plan(wanted and sys.platform == "linux", plan.everything or everything)


def suits_small() -> bool:
    """Whether this machine wants the small PyTorch; of a bundle, whether that is the one that it brings along."""
    return any(WHEELS.glob("torch-*+cpu-*.whl")) if WHEELS.is_dir() else not has_nvidia_driver()


def find_fingerprint(plan: Plan) -> str:
    """Return what tells one content of the environment from another."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*plan.locks, PROJECT))).hexdigest()


def read_state() -> tuple[str, str, Plan | None]:
    """Return how far the last set-up came, in which folder, by which plan; "making" if nothing usable was written."""
    content = STATE.read_bytes() if STATE.exists() else b""
    first, _, folder = content.partition(b"\n")
    word, *words = first.decode("ascii", "replace").split(" ")
    usable = re.fullmatch(r"checking|[0-9a-f]{64}", word)
    return word if usable else MAKING, os.fsdecode(folder) or str(ROOT), PLANS.get(tuple(words))


def write_state(word: str, plan: Plan | None, folder: str = str(ROOT)) -> None:
    first = " ".join((word, *(plan.words if plan else ())))
    NEXT_STATE.write_bytes(f"{first}\n".encode() + os.fsencode(folder))  # the folder's name as the disk has it
    os.replace(NEXT_STATE, STATE)  # half a note would mean that everything is installed anew


def starts() -> bool:
    """Whether the environment's Python runs, as an environment of its own, and has a place for packages.

    It does not run once the Python that it was made from is gone.
    """
    inside = [PYTHON, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"]
    try:
        return subprocess.run(inside, stderr=subprocess.DEVNULL).returncode == 0 and len(list_packages()) == 1
    except OSError:
        return False


def is_foreign() -> bool:
    """Whether somebody made .venv by hand: then it is theirs, and nothing in it is touched."""
    ours = {TURN, NEXT_STATE}
    return ENVIRONMENT.is_dir() and not STATE.exists() and any(path not in ours for path in ENVIRONMENT.iterdir())


def accept_foreign() -> None:
    trouble = try_all()
    stop_at_own_fault(trouble)
    if trouble:
        sys.exit(
            f"The folder .venv was made by hand or by an older version of the course, and does not work:\n{trouble}\n"
            "Delete or rename it, then run the same command again."
        )
    say("It was made by hand, and it works: it is used as it is.")


@contextlib.contextmanager
def take_turn() -> Iterator[None]:
    """Wait until no other set-up is at work here, nor a program that a killed set-up left behind."""
    ENVIRONMENT.mkdir(exist_ok=True)
    with TURN.open("ab") as file:
        if not WINDOWS:
            os.set_inheritable(file.fileno(), True)
        if not lock_file(file):
            say("Another set-up is still at work in this folder; waiting for its end ...")
            while not lock_file(file):
                time.sleep(0.1)
        yield


def lock_file(file: BinaryIO) -> bool:
    """Lock the file unless another process has; the system unlocks it when the last holder ends."""
    try:
        if WINDOWS:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a network drive without locks: then nobody can be waited for
        return True
    return True


def make_environment(plan: Plan) -> Plan:
    """Throw away what is in .venv and install everything into a new one; return the plan that was carried out."""
    if trouble := find_platform_trouble():
        sys.exit(trouble)
    if not is_utf8(str(ROOT)):
        sys.exit("Python cannot write the name of this folder. Set PYTHONUTF8=1, then run the same command again.")
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu ship venv without it)
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            "This Python comes without its venv module. "
            f"On Debian or Ubuntu: sudo apt install python{version}-venv, then run this again."
        )
    write_state(MAKING, plan)
    empty_environment()
    say("1 of 4: a new environment in .venv ...")
    venv.create(ENVIRONMENT, symlinks=not WINDOWS)
    with CONFIG.open("a", encoding="utf-8") as file:
        file.write("relocatable = true\n")  # uv then writes programs that still start when the folder has moved
    run(PYTHON, "-m", "ensurepip", "--upgrade", "--default-pip", quiet=True)
    say("2 of 4: the installer, uv ...")
    uv = find_uv()
    say("3 of 4: the packages (some minutes the first time: PyTorch is large) ...")
    plan = install_locks(uv, plan)
    connect_course(uv)
    ask_for_no_news()
    explain_restarts()
    say("4 of 4: a trial ...")
    return plan


def is_utf8(text: str) -> bool:
    """Whether it can be written as UTF-8: not the letters of a file's name that this Python could not read."""
    return text.encode("utf-8", "ignore").decode() == text


def empty_environment() -> None:
    for path in ENVIRONMENT.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path not in (STATE, TURN):
            path.unlink()


def find_uv() -> str:
    found = [shutil.which("uv", path=str(SCRIPTS)), shutil.which("uv")]
    for uv in filter(None, found):
        if subprocess.run([uv, "--version"], capture_output=True).returncode == 0:  # not a stand-in for a missing one
            return uv
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *find_source(), "uv")
    return str(SCRIPTS / "uv")


def find_source() -> tuple[object, ...]:
    """Return where pip and uv take packages from: an offline bundle brings them along, and then no network is asked."""
    return ("--no-index", "--find-links", WHEELS.name) if WHEELS.is_dir() else ()  # a whole path may hold a comma


def install_locks(uv: str, plan: Plan, *options: str, again: Iterable[str] = ()) -> Plan:
    """Install what the plan asks for, the packages named in ``again`` anew; return the plan that was carried out.

    It is another one if the small PyTorch cannot be had: from its host, which not everybody reaches.
    """
    install = [uv, "pip", "install", "--python", PYTHON, *find_source(), *options]
    more = ["-r", MORE_LOCK] if plan.everything else []
    pytorch = {name for name in again if PYTORCH.fullmatch(name)}
    others = [f"--reinstall-package={name}" for name in sorted({*again} - pytorch)]
    if plan.small:
        try:
            # uv knows the host. Hashes are compared where the lock has them; --require-hashes would want them all.
            anew = [f"--reinstall-package={name}" for name in sorted(pytorch)]
            run(*install, "--torch-backend", "cpu", "--no-deps", *anew, "-r", SMALL_LOCK)
        except subprocess.CalledProcessError:
            say(
                "PyTorch without CUDA could not be had, for the reason above. The usual one is installed instead: it "
                "computes the same, and takes 5 GB more. To try again: python3 course.py setup --cpu"
            )
            plan = replace(plan, small=False)
    if not plan.small:
        if is_small_installed():  # its version, 1.2+cpu, would pass for a 1.2
            pytorch |= {"torch", "torchvision"}
        anew = [f"--reinstall-package={name}" for name in sorted(pytorch)]
        run(*install, "--require-hashes", *others, *anew, "-r", LOCK, *more)
        return plan
    run(*install, "--require-hashes", "--no-deps", *others, "-r", "-", *more, text=drop_pytorch(LOCK))
    if left := [name for name, _ in list_installed() if CUDA.fullmatch(name)]:
        run(uv, "pip", "uninstall", "--quiet", "--python", PYTHON, *left)
    return plan


def read_blocks(lock: Path) -> dict[str, str]:
    """Return the entries of a lock: the requirement, which is its first line, and the whole entry with its hashes."""
    blocks = re.split(r"^(?=[\w.-]+==)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {re.split(r" (?:\\|--hash)|\n", block, maxsplit=1)[0]: block for block in blocks}


def drop_pytorch(lock: Path) -> str:
    """Return a lock without PyTorch and the CUDA libraries that come with it."""
    blocks = read_blocks(lock).items()
    return "".join(block for line, block in blocks if not PYTORCH.fullmatch(line.partition("==")[0]))


def list_installed() -> list[tuple[str, Path]]:
    """Return the installed packages: their names as locks have them, and the folders of their records."""
    folders = sorted(find_packages().glob("*.dist-info"))
    return [(re.sub(r"[-_.]+", "-", folder.name.partition("-")[0]).lower(), folder) for folder in folders]


def is_small_installed() -> bool:
    return any(find_packages().glob("torch-*+cpu.dist-info"))


def connect_course(uv: str) -> None:
    """Install the course itself: its command, and a line that makes it importable from the folder it is in."""
    run(uv, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", *find_source(), "-e", ROOT)
    point_here()


def point_here() -> None:
    """Let the import line name the course's folder relative to itself: it stays right when the folder moves.

    Up to Python 3.12, on a machine without UTF-8, a whole path with other letters than English ones would keep Python
    from starting.
    """
    (line,) = find_packages().glob("*cnngen_course*.pth")
    line.write_text(f"{os.path.relpath(ROOT, find_packages())}\n", encoding="ascii")


def find_packages() -> Path:
    """Return the environment's site-packages."""
    (folder,) = list_packages()
    return folder


def list_packages() -> list[Path]:
    return list(ENVIRONMENT.glob("Lib/site-packages" if WINDOWS else "lib/python3*/site-packages"))


def ask_for_no_news() -> None:
    """Keep JupyterLab from asking, at its first start, whether it may fetch news: the course works offline."""
    settings = ENVIRONMENT / "etc" / "jupyter" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    settings.write_text(json.dumps(news), encoding="utf-8")


def explain_restarts() -> None:
    """Let a kernel that was just started, and knows nothing yet, say which cell of its lesson makes a missing name."""
    settings = ENVIRONMENT / "etc" / "ipython" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('c.InteractiveShellApp.extensions.append("cnngen_course.desk.hooks")\n', encoding="utf-8")


def check_environment(plan: Plan) -> Plan:
    """Bring an environment that was once finished up to date: its folder, its versions, and files that have changed.

    Returns the plan that was carried out.
    """
    before, folder, noted = read_state()
    damaged = find_damaged(plan)
    write_state(CHECKING, plan, folder)
    if folder != str(ROOT):
        say("The folder has moved or is a copy: its new place is written into .venv ...")
        move_scripts(folder)
    try:
        uv = find_uv()
        if damaged:
            say(f"Changed, cut or missing, and installed anew: {', '.join(damaged)} ...")
            run(uv, "cache", "clean", "--quiet", *damaged)  # uv's store may share its files with .venv, and the damage
        plan = install_locks(uv, plan, "--quiet", again=damaged)
        if before != find_fingerprint(plan) or not is_connected():
            connect_course(uv)
    except subprocess.CalledProcessError:
        if before != CHECKING:
            # What works is kept. The next setup looks again; lab does if the lock or the folder is another one.
            # An environment whose mending was interrupted may be beyond repair.
            write_state(before, noted, folder)
            raise
        say("That cannot be mended; everything is installed anew.")
        return make_environment(plan)
    point_here()
    ask_for_no_news()
    explain_restarts()
    return plan


def is_connected() -> bool:
    packages = find_packages()
    return COMMAND.exists() and any(packages.glob("cnngen_course-*")) and any(packages.glob("*cnngen_course*.pth"))


def move_scripts(folder: str) -> None:
    """Replace the folder that .venv was made in by the one it is in now, wherever its programs name it."""
    old, new = (os.fsencode(os.path.join(place, ENVIRONMENT.name)) for place in (folder, ROOT))
    either = re.compile(re.escape(new) + b"|" + re.escape(old))  # new may contain old
    for path in (CONFIG, *SCRIPTS.iterdir()):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < LARGE:
            content = path.read_bytes()
            if b"\0" not in content and old in content:
                content = either.sub(lambda _: new, content)
                if content.startswith(b"#!" + new):
                    content = BESIDE + content.partition(b"\n")[2]
                path.write_bytes(content)


def find_damaged(plan: Plan) -> list[str]:
    """Return the names of the plan's packages of which a file is missing, has another size or was changed by hand."""
    locked = {line.partition("==")[0] for lock in plan.locks for line in read_blocks(lock)}
    damaged = []
    for name, folder in list_installed():
        if name not in locked or (plan.small and CUDA.fullmatch(name)):
            continue
        if not all((folder / file).is_file() for file in ("METADATA", "RECORD")):
            shutil.rmtree(folder)  # uv then sees that it is not installed
            damaged.append(name)
        elif not is_whole(folder / "RECORD"):
            damaged.append(name)
    return damaged


def is_whole(record: Path) -> bool:
    """Whether each file is there as the package's record says; those changed since it was written are read."""
    packages, written = record.parents[1], record.stat().st_mtime
    with record.open(encoding="utf-8", newline="") as file:
        for name, sha256, size in csv.reader(file):
            path = os.path.join(packages, name)
            try:
                facts = os.stat(path)
            except OSError:
                return False
            if name.startswith("..") or not size:
                continue  # programs are written for this machine, and compiled files have no entry
            if facts.st_size != int(size):
                return False
            if written < facts.st_mtime and facts.st_size < LARGE and hash_file(path) != sha256:
                return False
    return True


def hash_file(path: str) -> str:
    """Return the hash of a file as a package's record writes it."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def try_all() -> str:
    """Return what goes wrong when the large packages, the course and its command are used, or "" if nothing does."""
    # Names of files come back as they are here, whatever letters this machine writes.
    letters = {"encoding": "utf-8", "errors": "surrogateescape"}
    variables = {**os.environ, "PYTHONIOENCODING": ":".join(letters.values())}
    for command in ([PYTHON, "-P", "-c", TRIAL], [COMMAND, "--help"]):
        try:
            answer = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, **letters)
        except OSError as error:
            return str(error)
        if answer.returncode:
            return answer.stderr.strip()[-1000:] or f"{command[0].name} ended with {answer.returncode}"
    return ""


def find_own_fault(trouble: str) -> str:
    """Return the file of the course in which an error arose, or "" if it arose in a package, or for lack of one."""
    files = re.findall(r'^ *File "(.+)", line \d', trouble, re.MULTILINE)
    lacks_package = re.search(r"^(?:ImportError|ModuleNotFoundError): (?!.*cnngen_course)", trouble, re.MULTILINE)
    place = Path(files[-1]).resolve() if files else ROOT
    return str(place.relative_to(ROOT)) if place.is_relative_to(COURSE) and not lacks_package else ""


def stop_at_own_fault(trouble: str) -> None:
    if file := find_own_fault(trouble):
        sys.exit(
            f"The packages are fine, but the course's own code does not run: {file}\n{trouble}\n"
            f"If you did not mean to change it: git restore {file}"
        )


def advise(trouble: str) -> str:
    if "WinError 126" in trouble or "DLL load failed" in trouble:
        return (
            "Windows lacks a library that PyTorch needs. Install Microsoft's Visual C++ Redistributable (x64), "
            "https://aka.ms/vs/17/release/vc_redist.x64.exe, then run the same command again."
        )
    if MISSING_LIBRARY.search(trouble):
        return "A library of the system is missing: install the package that holds it, then run the same command again."
    return "Run: .venv/bin/cnngen doctor   and put its text into a bug report."
