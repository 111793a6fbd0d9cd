"""A machine that the packages do not exist for is told so in a sentence, before anything is fetched."""

import platform
import sys

import pytest

from cnngen_course.platforms import find_platform_trouble

FITS = {"system": "Linux", "machine": "x86_64", "libc_ver": ("glibc", "2.36"), "mac_ver": ("14.1", (), "")}


def pretend(monkeypatch: pytest.MonkeyPatch, **facts: object) -> str:
    for name, value in (FITS | facts).items():
        monkeypatch.setattr(platform, name, lambda value=value: value)
    return find_platform_trouble()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"machine": "aarch64"},
        {"system": "Windows", "machine": "AMD64"},
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
        ({"system": "Windows", "machine": "ARM64"}, "Windows on ARM"),
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


def test_a_small_python(monkeypatch) -> None:
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "32-bit" in pretend(monkeypatch)
