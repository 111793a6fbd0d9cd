"""The set-up with the real uv, and small wheels in a folder that stand for PyTorch, CUDA and the rest; no network.

What is interrupted, damaged or moved is tested with a stand-in for uv, which can be stopped at any moment.
"""

import base64
import hashlib
import shutil
import socketserver
import sys
import sysconfig
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_course import Course
from tests.test_small_set_up import READY, SMALL, USUAL, has, list_packages

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one PyTorch")]
PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "cnngen-course"
version = "0.1.0"
"""
BACKEND = """import shutil

def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("cnngen_course-0.1.0-py3-none-any.whl", folder).rpartition("/")[2]
"""
PAIR = """import torch.version, torchvision.version
assert torch.version.build == torchvision.version.build, "of another build"
"""


def pack(folder: Path, name: str, version: str, files: dict[str, str], needs: str = "", commands: str = "") -> Path:
    """Write a wheel; ``files`` by their paths in site-packages."""
    information = f"{name}-{version}.dist-info"
    files = files | {
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if commands:
        files[f"{information}/entry_points.txt"] = commands
    lines = [f"{information}/RECORD,,\n"]
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        lines.append(f"{path},sha256={digest},{len(text.encode())}\n")
    wheel = Path(folder) / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{information}/RECORD": "".join(lines)}).items():
            archive.writestr(path, text)
    return wheel


class RealCourse(Course):
    """A small course whose lock names wheels by their hashes; the folder ``reachable`` is all that uv can reach."""

    def __init__(self, folder: Path, uv: Path) -> None:
        super().__init__(folder, "--cpu")
        self.wheels = folder / "reachable"
        for place in (self.wheels, folder / "programs"):
            place.mkdir()
        (folder / "programs" / "uv").symlink_to(uv)
        (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
        (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
        (folder / "cnngen_course" / "__main__.py").write_text("def main():\n    pass\n", encoding="utf-8")
        commands = "[console_scripts]\ncnngen = cnngen_course.__main__:main\n"
        pack(folder, "cnngen_course", "0.1.0", {"_editable_impl_cnngen_course.pth": str(folder)}, commands=commands)
        usual = {name: self.add(name, "1.0") for name in ("numbers", "nvidia_sums")}
        usual |= {
            "torch": self.add("torch", USUAL, "Requires-Dist: nvidia-sums\n"),
            "torchvision": self.add("torchvision", USUAL, "Requires-Dist: torch==1.0\n"),
        }
        self.write_lock("requirements.lock", *usual.values())
        self.write_lock("requirements.more.lock", self.add("tests", "1.0"))
        self.small = {name: self.add(name, SMALL) for name in ("torch", "torchvision")}
        self.write_lock("requirements.cpu.lock", *self.small.values())

    def add(self, name: str, version: str, needs: str = "") -> Path:
        files = {f"{name}/__init__.py": "", f"{name}/version.py": f"build = {version!r}\n"}
        if name == "torchvision":
            files[f"{name}/__init__.py"] = PAIR
        return pack(self.wheels, name, version, files, needs)

    def write_lock(self, name: str, *wheels: Path) -> None:
        lines = []
        for wheel in wheels:
            package, version, *_ = wheel.name.split("-")
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{package.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest}\n")
        (self.folder / name).write_text("".join(lines), encoding="utf-8")

    def close_host(self) -> None:
        """Let the small PyTorch be out of reach: its wheels are not there."""
        for wheel in self.small.values():
            wheel.unlink(missing_ok=True)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'programs'}:/usr/bin:/bin",
            "UV_CACHE_DIR": str(self.folder / "cache"),
            "UV_FIND_LINKS": self.wheels.name,  # of several, a space would part them
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "1",
        }

    def start(self, stop_at: tuple | None = None, *task: str, **variables: str):
        return super().start(stop_at, *task, **(self.variables | variables))


@pytest.fixture
def course(tmp_path: Path) -> RealCourse:
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    assert uv, "the set-up had one"
    folder = tmp_path / "real, äöü 课程"
    folder.mkdir()
    return RealCourse(folder, Path(uv).resolve())


def test_the_small_one_with_hashes_then_the_usual_one_and_back(course: RealCourse) -> None:
    (cuda,) = course.wheels.glob("nvidia_sums-*")
    aside = cuda.rename(course.folder / cuda.name)
    assert course.set_up().endswith(READY), "CUDA is not even asked for"
    aside.rename(cuda)
    assert list_packages(course) == has(SMALL)
    assert course.set_up("setup").count("\n") == 2, "a second look finds nothing to do"
    small = {wheel: wheel.read_bytes() for wheel in course.small.values()}
    course.close_host()  # in one folder, uv would take a 1.0+cpu for the 1.0 that is asked for
    course.set_up("setup", "--cuda", "--all")
    assert list_packages(course) == has(USUAL, tests="1.0")
    for wheel, content in small.items():
        wheel.write_bytes(content)
    course.set_up("setup", "--cpu")
    assert list_packages(course) == has(SMALL, tests="1.0"), "and CUDA is gone"


def test_without_its_hashes_the_small_one_is_taken_by_its_exact_version(course: RealCourse) -> None:
    lock = course.folder / "requirements.cpu.lock"
    lines = lock.read_text(encoding="utf-8").splitlines()
    lock.write_text("".join(f"{line.split()[0]}\n" for line in lines if "==" in line), encoding="utf-8")
    assert course.set_up().endswith(READY)
    assert list_packages(course) == has(SMALL)


def test_out_of_reach_means_the_usual_one_and_a_sentence(course: RealCourse) -> None:
    course.close_host()
    said = course.set_up()
    assert "PyTorch without CUDA could not be had" in said and said.endswith(READY)
    assert list_packages(course) == has(USUAL)


def test_a_small_one_that_was_tampered_with_is_not_installed(course: RealCourse) -> None:
    course.add("torch", SMALL, "Summary: another file than the lock's\n")
    process = course.start()
    said = process.communicate(timeout=60)[0]
    assert "Hash mismatch for `torch==1.0+cpu`" in said and "could not be had" in said
    assert "torch" not in list_packages(course)


def test_what_changed_in_a_file_is_mended(course: RealCourse) -> None:
    course.set_up()
    file = course.packages / "torch" / "version.py"
    text = file.read_text(encoding="utf-8")
    file.write_text("build = 'mine'\n", encoding="utf-8")
    said = course.set_up("setup")
    assert "installed anew: torch ..." in said and "1 of 4" not in said, "nothing else is"
    assert file.read_text(encoding="utf-8") == text and list_packages(course) == has(SMALL)


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that notes whom it is asked for, and lets nobody through."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: set[str] = set()


class Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        method, _, rest = self.rfile.readline().decode().partition(" ")
        if method == "CONNECT":  # the other connections were opened in advance, and not used
            self.server.asked.add(rest.split(":")[0])
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_everything_is_asked_for_through_the_proxy_and_a_failure_names_it(course: RealCourse, proxy: Proxy) -> None:
    (course.wheels / "numbers-1.0-py3-none-any.whl").unlink()
    course.close_host()
    address = f"http://127.0.0.1:{proxy.server_address[1]}"
    process = course.start(
        HTTPS_PROXY=address, UV_OFFLINE="0", UV_DEFAULT_INDEX="https://packages.invalid/simple", UV_HTTP_RETRIES="0"
    )
    said = process.communicate(timeout=60)[0]
    assert process.returncode != 0 and "Traceback" not in said, said
    assert "    export HTTPS_PROXY=http://NAME:PORT\n" in said
    assert "packages.invalid" in proxy.asked and len(proxy.asked) == 2, "the other one is PyTorch's host"
