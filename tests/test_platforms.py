"""A machine that the packages do not exist for is told so in a sentence, before anything is fetched."""

import platform
import sys
import sysconfig
from pathlib import Path

import pytest

from cnngen_course import platforms
from cnngen_course.platforms import find_platform_trouble
from tools import environment

FITS = {"system": "Linux", "machine": "x86_64", "libc_ver": ("glibc", "2.36"), "mac_ver": ("14.1", (), "")}


def pretend(monkeypatch: pytest.MonkeyPatch, python: str = "", **facts: object) -> str:
    monkeypatch.setattr(sysconfig, "get_platform", lambda: python)
    for name, value in (FITS | facts).items():
        monkeypatch.setattr(platform, name, lambda value=value: value)
    return find_platform_trouble()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"machine": "aarch64"},
        {"system": "Windows", "machine": "AMD64", "python": "win-amd64"},
        {"system": "Windows", "machine": "ARM64", "python": "win-amd64"},  # emulated
        {"system": "Darwin", "machine": "arm64"},
        {"system": "Darwin", "machine": "arm64", "mac_ver": ("26.0", (), "")},
    ],
)
def test_machines_that_will_do(monkeypatch, facts: dict) -> None:
    assert pretend(monkeypatch, **facts) == ""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"system": "Darwin", "machine": "x86_64"}, "Intel Macs"),
        ({"system": "Darwin", "machine": "arm64", "mac_ver": ("13.6", (), "")}, "macOS 13.6 is too old"),
        ({"system": "Windows", "machine": "ARM64", "python": "win-arm64"}, "Windows on ARM"),
        ({"machine": "riscv64"}, "Linux on riscv64"),
        ({"libc_ver": ("glibc", "2.17")}, "here is glibc 2.17"),
        ({"libc_ver": ("", "")}, "here is another one"),
    ],
)
def test_machines_that_will_not_do(monkeypatch, facts: dict, words: str) -> None:
    assert words in pretend(monkeypatch, **facts)


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_other_pythons(monkeypatch, version: tuple[int, ...]) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert f"Python {version[0]}.{version[1]} does not fit" in pretend(monkeypatch)


def test_a_python_that_was_built_without_a_part(monkeypatch) -> None:
    assert pretend(monkeypatch) == ""
    monkeypatch.setattr(platforms, "PARTS", ("_ctypes", "_no_such_part"))
    assert "without _no_such_part, which" in pretend(monkeypatch)


def test_the_driver_is_looked_for_before_a_part_that_lacks_is_told(monkeypatch) -> None:
    """The plan of the set-up is made first: that must not end in an error of Python's."""
    monkeypatch.setitem(sys.modules, "ctypes", None)  # as if Python had none
    assert platforms.has_nvidia_driver() is False


def test_nothing_is_made_or_fetched_before_it_is_told(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(environment, "find_platform_trouble", lambda: "PyTorch is no longer made for Intel Macs.")
    monkeypatch.setattr(environment, "run", lambda *command, **_: pytest.fail(f"{command} was started"))
    with pytest.raises(SystemExit, match="no longer made for Intel Macs"):
        environment.make_environment(environment.Plan(small=False))
    assert not list(tmp_path.iterdir())


def test_a_small_python(monkeypatch) -> None:
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "32-bit" in pretend(monkeypatch)
