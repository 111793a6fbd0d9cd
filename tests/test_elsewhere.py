"""A lesson's first cell on Colab and Kaggle: run as it stands, on a small course, with this machine's packages."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from cnngen_course.paths import ROOT
from tools.elsewhere import HOSTED, list_installed, list_needs, make_cell, read_address
from tools.versions import COLAB

COLAB_MODULE = """
import sys, types
module = types.ModuleType("google.colab.output")
module.enable_custom_widget_manager = lambda: print("widgets on")
sys.modules |= {"google.colab": types.ModuleType("google.colab"), "google.colab.output": module}
"""
QUESTION = "import cnngen_course, subprocess, sys; print('here:', cnngen_course.__file__)\n"
QUESTION += "print(subprocess.check_output([sys.executable, '-c', 'import cnngen_course'], text=True), end='')\n"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A repository with what the cell needs of the course, and two packages to install that are here already."""
    folder = tmp_path / "published"
    for name in ("tools/elsewhere.py", "cnngen_course/__init__.py", "cnngen_course/platforms.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    write_needs(folder, "numpy>=1", "jupyterlab>=99", "pillow")
    return folder


def write_needs(folder: Path, *needs: str) -> None:
    text = f"[project]\ndependencies = {list(needs)}\n"
    (folder / "pyproject.toml").write_text(text.replace("'", '"'), encoding="utf-8")


def run_cell(course: Path, tmp_path: Path, before: str = "") -> str:
    """Run the cell, twice, where the repository is the small one; return what is said."""
    git = ("git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *arguments], cwd=course, check=True)
    lesson = tmp_path / "lesson.ipy"
    cell = make_cell().replace(read_address(), course.as_uri())
    lesson.write_text(f"{before}{cell}{cell}{QUESTION}", encoding="utf-8")
    command = [sys.executable, "-P", "-m", "IPython", "--no-banner", "--colors=NoColor", str(lesson)]
    variables = os.environ | {"PIP_NO_INDEX": "1", "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONSAFEPATH": "1"}
    variables.pop("PYTHONPATH", None)
    answer = subprocess.run(
        command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    return answer.stdout


@pytest.mark.slow
def test_the_cell_fetches_the_course_and_makes_it_importable(course: Path, tmp_path: Path) -> None:
    said = run_cell(course, tmp_path)
    assert said.count("Ready. Run the lesson's cells from the top.") == 2
    assert f"here: {tmp_path / 'cnngen-course' / 'cnngen_course' / '__init__.py'}" in said
    assert "Error" not in said and "widgets on" not in said


@pytest.mark.slow
def test_colab_is_asked_to_show_other_widgets(course: Path, tmp_path: Path) -> None:
    assert run_cell(course, tmp_path, COLAB_MODULE).count("widgets on") == 2


@pytest.mark.slow
def test_a_package_that_is_here_is_never_changed(course: Path, tmp_path: Path) -> None:
    write_needs(course, f"numpy>{version('numpy')}")
    said = run_cell(course, tmp_path)
    assert "do not fit to those of this machine" in said and "Ready" not in said
    assert f"(constraint) numpy=={version('numpy')}" in said


def test_of_a_package_that_is_here_twice_the_one_that_is_imported_counts(tmp_path: Path, monkeypatch) -> None:
    """As where a platform's own packages lie beside those of its Linux."""
    for place, name, number in (("own", "Typing_Thing", "4.0"), ("system", "typing-thing", "3.0")):
        record = tmp_path / place / f"{name}-{number}.dist-info" / "METADATA"
        record.parent.mkdir(parents=True)
        record.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "own"), str(tmp_path / "system")])
    assert list_installed() == ["Typing_Thing==4.0"]


def test_the_platform_brings_its_jupyter_and_nothing_else_is_left_out() -> None:
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split("[>=]", need)[0] for need in set(needs) - set(list_needs())} == set(HOSTED)


def test_colab_s_versions_are_within_the_bounds() -> None:
    """`course.py versions colab --resolve` asks the same of all packages that come with them."""
    held = dict(re.findall(r"^([\w-]+)==(\S+)", COLAB.read_text(encoding="utf-8"), re.MULTILINE))
    compared = [need.split(">=") for need in list_needs() if need.split(">=")[0] in held]
    assert {"torch", "numpy", "psutil"} <= {name for name, _ in compared}
    for name, bound in compared:
        assert read_numbers(held[name]) >= read_numbers(bound), f"Colab has {name} {held[name]}"


def read_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))
