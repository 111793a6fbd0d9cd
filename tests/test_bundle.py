"""The offline bundle: a course as small as it can be is packed, unpacked elsewhere, and set up without a network.

Its packages are real wheels of a few lines, so pip, uv, the hashes and the build of the course work as they always do.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT
from tools.bundle import NAME, name_bundle

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="network namespaces are those of Linux")]
ALONE = ("unshare", "--map-root-user", "--net")  # a machine of its own, with no network at all
COPIED = ["course.py", *(f"tools/{name}.py" for name in ("__init__", "bundle", "environment", "tasks", "update"))]
COPIED += ["cnngen_course/__init__.py", "cnngen_course/platforms.py", "pyproject.toml", ".gitignore"]
BUILD = """
import base64, hashlib, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "cnngen_course-0.1.0-py3-none-any.whl"
    about = "cnngen_course-0.1.0.dist-info"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("_editable_impl_cnngen_course.pth", "/somewhere\\n")
        wheel.writestr(about + "/METADATA", "Metadata-Version: 2.1\\nName: cnngen-course\\nVersion: 0.1.0\\n")
        wheel.writestr(about + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "/entry_points.txt", "[console_scripts]\\ncnngen = cnngen_course.__main__:main\\n")
        wheel.writestr(about + "/RECORD", "")
    return name
"""
PACKAGES = {  # name and version, module, its text
    "torch 1.0": ("torch/__init__.py", ""),
    "torch 1.0+cpu": ("torch/__init__.py", ""),
    "torchvision 1.0": ("torchvision/__init__.py", ""),
    "torchvision 1.0+cpu": ("torchvision/__init__.py", ""),
    "numbers 1.0": ("numbers_.py", ""),
    "tests 1.0": ("tests_.py", ""),
    "hatchling 1.27": ("hatchling/build.py", BUILD),
    "editables 0.5": ("editables.py", ""),
    "uv 0.1": ("not_uv.py", ""),  # the real one is on the PATH
}
KINDS = ("--cuda", "--cpu")
LOCKS = {
    "requirements.lock": ("numbers 1.0", "torch 1.0", "torchvision 1.0"),
    "requirements.cpu.lock": ("torch 1.0+cpu", "torchvision 1.0+cpu"),
    "requirements.more.lock": ("tests 1.0",),
}


def make_wheel(folder: Path, name: str, version: str, module: str, text: str) -> str:
    """Write a package; return its hash as a lock has it."""
    about = f"{name}-{version}.dist-info"
    files = {
        module: text,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(content)}\n"
    files[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small course, with a site and something that is not committed."""
    author = tmp_path_factory.mktemp("an author, äöü 课程")
    hashes = {}
    for package, content in PACKAGES.items():
        for kind in KINDS if not package.startswith("torch") else KINDS["+cpu" in package :][:1]:
            (author / kind).mkdir(exist_ok=True)
            hashes[package] = make_wheel(author / kind, *package.split(), *content)
    for name in COPIED:
        (author / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, author / name)
    (author / "cnngen_course" / "__main__.py").write_text("def main(): print('cnngen')\n", encoding="utf-8")
    for name, packages in LOCKS.items():
        lines = [f"{package.replace(' ', '==')} \\\n    --hash=sha256:{hashes[package]}\n" for package in packages]
        (author / name).write_text("".join(lines), encoding="utf-8")
    git = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *arguments], cwd=author, check=True)
    subprocess.run([*git, "remote", "add", "origin", "https://example.org/course"], cwd=author, check=True)
    (author / "half a thought.txt").write_text("", encoding="utf-8")
    (author / "_build" / "site").mkdir(parents=True)
    (author / "_build" / "site" / "index.html").write_text("a page", encoding="utf-8")
    return author


def make_bundle(author: Path, kind: str) -> Path:
    """Return the file that ``course.py bundle --cuda`` or ``--cpu`` makes, from the packages that there are for it."""
    shutil.rmtree(author / "wheels", ignore_errors=True)
    shutil.copytree(author / kind, author / "wheels")
    variables = os.environ | {"PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))}
    subprocess.run([sys.executable, "-m", "tools.bundle", kind], cwd=author, env=variables, check=True)
    return author / "_build" / "bundle" / f"{name_bundle()}.zip"


@pytest.fixture(scope="module")
def bundle(author: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(make_bundle(author, "--cuda"), tmp_path_factory.mktemp("stick")))


@pytest.fixture(scope="module")
def small_bundle(author: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(make_bundle(author, "--cpu"), tmp_path_factory.mktemp("small stick")))


def unpack(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder / NAME


def set_up_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the set-up in a network namespace of its own, with an empty store of packages."""
    scripts = str(Path(sys.executable).parent)
    variables = {"PATH": os.pathsep.join((scripts, "/usr/bin", "/bin")), "HOME": str(folder.parent)}
    command = [*ALONE, sys.executable, "course.py", "setup", *arguments]
    return subprocess.run(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def isolation() -> None:
    """Without namespaces (in some containers) nothing would be proved."""
    if subprocess.run([*ALONE, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this system gives nobody a network namespace")


def list_wheels(course: Path) -> set[str]:
    return {" ".join(path.name.split("-")[:2]) for path in (course / "wheels").iterdir()}


def test_it_holds_what_is_committed_and_the_site(bundle: Path, tmp_path: Path) -> None:
    course = unpack(bundle, tmp_path)
    assert (course / "_build" / "site" / "index.html").read_text(encoding="utf-8") == "a page"
    assert not (course / "half a thought.txt").exists()
    assert list_wheels(course) == {package for package in PACKAGES if not package.endswith("+cpu")}
    git = ["git", "-C", course]
    remote = subprocess.run([*git, "remote", "get-url", "origin"], capture_output=True, encoding="utf-8", check=True)
    assert remote.stdout.strip() == "https://example.org/course"
    status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, encoding="utf-8", check=True)
    assert status.stdout == ""


@pytest.mark.usefixtures("isolation")
@pytest.mark.parametrize(
    ("kind", "pytorch", "version"), [("bundle", "--cuda", "1.0"), ("small_bundle", "--cpu", "1.0+cpu")]
)
def test_it_is_set_up_with_the_network_off(
    kind: str, pytorch: str, version: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    course = unpack(request.getfixturevalue(kind), tmp_path / "a stick, äöü 课程")
    answer = set_up_alone(course, pytorch, "--all")
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.endswith("Ready. Next: python3 course.py lab\n")
    (packages,) = course.glob(".venv/lib/python3*/site-packages")
    assert (packages / f"torch-{version}.dist-info").exists() and (packages / "tests-1.0.dist-info").exists()


def test_the_small_one_has_no_other_pytorch(small_bundle: Path, tmp_path: Path) -> None:
    wheels = list_wheels(unpack(small_bundle, tmp_path))
    assert wheels == set(PACKAGES) - {"torch 1.0", "torchvision 1.0"}


@pytest.mark.usefixtures("isolation")
def test_a_package_that_the_bundle_lacks_is_named(bundle: Path, tmp_path: Path) -> None:
    course = unpack(bundle, tmp_path)
    (course / "wheels" / "numbers-1.0-py3-none-any.whl").unlink()
    answer = set_up_alone(course, "--cuda")
    assert answer.returncode != 0
    assert "numbers" in answer.stdout and "The set-up stopped" in answer.stdout
