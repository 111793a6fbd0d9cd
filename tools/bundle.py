"""``python3 course.py bundle``: the whole course in one file, for machines without a network.

It holds a clone of what is committed, and a folder ``wheels`` with every package that the set-up installs, for the
system and the Python that made it. Unpacked, the usual commands work there: tools/environment.py finds the folder.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import unquote

from packaging.tags import Tag, sys_tags
from packaging.utils import parse_wheel_filename

from tools.environment import (
    LOCK,
    MORE_LOCK,
    PROJECT,
    ROOT,
    SMALL_LOCK,
    WHEELS,
    drop_pytorch,
    find_source,
    find_uv,
    is_small_installed,
    run,
    say,
)

BUNDLES = ROOT / "_build" / "bundle"
SITE = Path("_build") / "site"
NAME = "cnngen-course"
EDITABLE = "editables"  # what the build of the course asks for besides the tools in pyproject.toml
MOST_ON_FAT = 2**32 - 1  # bytes of one file


def name_bundle() -> str:
    """Return the bundle's name, which says where it fits, e.g. "cnngen-course-linux-x86_64-python3.11"."""
    system, machine = platform.system().lower(), platform.machine().lower()
    return f"{NAME}-{system}-{machine}-python{sys.version_info.major}.{sys.version_info.minor}"


def fetch_wheels(folder: Path, small: bool) -> None:
    """Download every package that the set-up installs, tests included, and what it installs them with.

    Args:
        folder: for the wheels.
        small: PyTorch without CUDA instead of the usual one.
    """
    build = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["build-system"]["requires"]
    download = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", folder)
    download = (*download, *find_source())  # a bundle can be made from a bundle
    with tempfile.TemporaryDirectory() as place:
        lessons = Path(place) / LOCK.name
        lessons.write_text(drop_pytorch(LOCK) if small else LOCK.read_text(encoding="utf-8"), encoding="utf-8")
        locked = ("--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", lessons, "-r", MORE_LOCK)
        run(*download, *locked)
    run(*download, "--only-binary", ":all:", "uv", EDITABLE, *build)
    if small:
        run(*download, "--no-deps", *find_small_pytorch())


def find_small_pytorch() -> list[str]:
    """Return the addresses, with hashes, of the wheels of PyTorch without CUDA that fit here: uv knows their host."""
    resolve = [find_uv(), "pip", "compile", "--quiet", "--no-header", "--no-deps", "--torch-backend", "cpu"]
    command = [*resolve, *find_source(), "--python", sys.executable, "--format", "pylock.toml", SMALL_LOCK]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    found, tags = [], frozenset(sys_tags())
    for package in tomllib.loads(answer.stdout)["packages"]:
        fitting = [wheel for wheel in package["wheels"] if tags & read_tags(wheel["url"])]
        found += [f"{wheel['url']}#sha256={wheel['hashes']['sha256']}" for wheel in fitting[:1]]
    return found


def read_tags(address: str) -> frozenset[Tag]:
    return parse_wheel_filename(unquote(address.rpartition("/")[2]))[3]


def clone(folder: Path) -> None:
    """Copy what is committed; an update fetches from where this copy's do."""
    run("git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), folder)
    origin = ["git", "config", "--get", "remote.origin.url"]
    address = subprocess.run(origin, cwd=ROOT, capture_output=True, encoding="utf-8").stdout.strip()
    run("git", "-C", folder, "remote", *(("set-url", "origin", address) if address else ("remove", "origin")))


def make_bundle(small: bool) -> Path:
    """Return the finished file; what an earlier call left is replaced."""
    shutil.rmtree(BUNDLES, ignore_errors=True)
    course = BUNDLES / "content" / NAME
    say("1 of 3: what is committed ...")
    clone(course)
    if (ROOT / SITE).is_dir():
        shutil.copytree(ROOT / SITE, course / SITE)
    say("2 of 3: the packages (with CUDA they are some GB) ...")
    fetch_wheels(course / WHEELS.name, small)
    say("3 of 3: packing ...")
    file = pack(course)
    shutil.rmtree(course.parent)
    return file


def pack(course: Path) -> Path:
    """Return the course's folder as one file; wheels are stored as they are, since they are compressed already."""
    file = BUNDLES / f"{name_bundle()}.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(course.rglob("*")):
            kind = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.write(path, path.relative_to(course.parent), kind)
    return file


def main() -> None:
    asked = argparse.ArgumentParser(prog="course.py bundle", description="The whole course in one file.")
    which = asked.add_mutually_exclusive_group()
    which.add_argument("--cpu", dest="small", action="store_true", default=None, help="with PyTorch without CUDA")
    which.add_argument("--cuda", dest="small", action="store_false", help="with the usual PyTorch; else that of .venv")
    small = asked.parse_args().small
    file = make_bundle(is_small_installed() if small is None else small)
    size = file.stat().st_size
    say(f"{file.relative_to(ROOT)}: {size / 1e9:.1f} GB")
    if size > MOST_ON_FAT:
        say("A stick that is formatted as FAT32 cannot hold so large a file; exFAT can.")
    say(f"Unpack it on the other machine, go into its folder {NAME}, and start it as usual: python3 course.py lab")


if __name__ == "__main__":
    main()
