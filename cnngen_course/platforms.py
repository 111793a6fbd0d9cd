"""Which machines the course's packages exist for; for the others, a sentence that says what to do."""

import os
import platform
import sys
import sysconfig
from importlib.util import find_spec

PYTHONS = ((3, 11), (3, 14))  # the oldest and the newest for which every package of the lock has files
PARTS = ("_bz2", "_ctypes", "_lzma", "_sqlite3", "_ssl", "zlib")  # a Python built by hand may lack them
ELSEWHERE = "Another computer, Colab or a workshop's server will do: see README.md."


def find_host() -> str:
    """Return "Colab" or "Kaggle" if this process runs there, or "": they bring their own Jupyter and packages."""
    if "google.colab" in sys.modules:
        return "Colab"
    return "Kaggle" if "KAGGLE_KERNEL_RUN_TYPE" in os.environ else ""


def find_platform_trouble() -> str:
    """Return why this machine or this Python cannot run the course, or "" if it can."""
    system, machine = platform.system(), platform.machine().lower()
    version = ".".join(map(str, sys.version_info[:2]))
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return f"Python {version} does not fit: install Python 3.11, 3.12, 3.13 or 3.14."
    if sys.maxsize < 2**32:
        return "This Python is a 32-bit one: install a 64-bit Python."
    if missing := [name for name in PARTS if find_spec(name) is None]:
        return f"This Python was built without {', '.join(missing)}, which packages need: install a complete one."
    if system == "Darwin":
        return _find_mac_trouble(machine)
    if sysconfig.get_platform() == "win-arm64":  # of this Python; the machine is the same for one that it emulates
        return (
            "PyTorch has no packages for Windows on ARM. The 64-bit Python for x86 (AMD64) may run there, slowly; "
            f"we have not tried it. {ELSEWHERE}"
        )
    if system == "Linux":
        return _find_linux_trouble(machine)
    return ""


def _find_mac_trouble(machine: str) -> str:
    if machine == "x86_64":
        return (
            "PyTorch is no longer made for Intel Macs. On a Mac with Apple's own processor this Python is an Intel "
            f"one: install a Python for arm64. {ELSEWHERE}"
        )
    if int(platform.mac_ver()[0].partition(".")[0] or 0) < 14:
        return f"macOS {platform.mac_ver()[0]} is too old for the packages: they need macOS 14. {ELSEWHERE}"
    return ""


def _find_linux_trouble(machine: str) -> str:
    library, version = platform.libc_ver()
    if machine not in ("x86_64", "aarch64", "arm64"):
        return f"PyTorch has no packages for Linux on {machine}. {ELSEWHERE}"
    if library != "glibc" or tuple(map(int, version.split("."))) < (2, 28):
        found = f"{library} {version}".strip() or "another one"
        return f"The packages need a Linux with glibc 2.28 or newer (Debian 10, Ubuntu 20.04); here is {found}."
    return ""


def has_nvidia_driver() -> bool:
    """Whether this Linux has the driver through which PyTorch computes on a GPU of NVIDIA's."""
    try:
        import ctypes  # not in every Python: find_platform_trouble says so

        ctypes.CDLL("libcuda.so.1")
    except (ImportError, OSError):
        return False
    return True
