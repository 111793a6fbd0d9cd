"""Fetching source packages with the ordinary clients, each verified by its sha256."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[1]
SOURCES = DATA / "sources"  # ignored by git


@dataclass(frozen=True)
class Source:
    """One package file: where it is published (``debian``, ``npm`` or ``pypi``) and what it must be."""

    registry: str
    package: str
    version: str
    file: str
    sha256: str


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(source: Source) -> Path:
    """Return the verified package file, downloading it into ``data/sources`` the first time."""
    path = SOURCES / source.file
    if not path.exists():
        SOURCES.mkdir(parents=True, exist_ok=True)
        download(source)
    found = sha256_of(path)
    if found != source.sha256:
        raise ValueError(f"{path} is not the file the course was built from: sha256 {found}, expected {source.sha256}")
    return path


def download(source: Source) -> None:
    commands = {
        "debian": ["apt-get", "download", f"{source.package}={source.version}"],
        "npm": ["npm", "pack", "--silent", f"{source.package}@{source.version}"],
        "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{source.package}=={source.version}"],
    }
    before = set(SOURCES.iterdir())
    subprocess.run(commands[source.registry], cwd=SOURCES, check=True)
    (new,) = set(SOURCES.iterdir()) - before
    if new.name != source.file:
        new.rename(SOURCES / source.file)


def unpack(path: Path) -> Path:
    """Unpack a .deb, wheel or tarball next to itself, once, and return the folder."""
    folder = path.with_name(path.name + ".unpacked")
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if path.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(path), str(partial)], check=True)
    elif path.suffix == ".whl":
        shutil.unpack_archive(path, partial, "zip")
    else:
        with tarfile.open(path) as archive:
            archive.extractall(partial, filter="data")
    partial.rename(folder)
    return folder
