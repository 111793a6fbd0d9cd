"""Stands in for uv: installs small packages named as in the locks, file by file, and writes their records last.

The host of PyTorch's small build is out of reach while ``NO_HOST`` is set.
"""

import base64
import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

from writing import write

ENVIRONMENT = Path(os.environ.get("VIRTUAL_ENV", ""))
BESIDE = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/python "$0" "$@"
'''"""


def main(arguments: list[str]) -> None:
    if arguments[0] != "pip":
        return  # --version, and cleaning a store that is not there
    (packages,) = ENVIRONMENT.glob("lib/python3*/site-packages")
    if arguments[1] == "uninstall":
        for name in arguments[arguments.index("--python") + 2 :]:
            remove(packages, name.replace("-", "_"))
        return
    if "-e" in arguments:
        write(packages / "_editable_impl_cnngen_course.pth", arguments[-1])
        write(packages / "cnngen_course-0.1.0.dist-info" / "METADATA", "Name: cnngen-course\n")
        relocatable = "relocatable = true" in (ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8")
        first = BESIDE if relocatable else f"#!{ENVIRONMENT}/bin/python"
        write(ENVIRONMENT / "bin" / "cnngen", f"{first}\nprint('cnngen')\n", 0o755)
        return
    if "--torch-backend" in arguments and "NO_HOST" in os.environ:
        sys.exit(2)
    again = {argument.partition("=")[2] for argument in arguments if argument.startswith("--reinstall-package=")}
    locks = [arguments[place + 1] for place, argument in enumerate(arguments) if argument == "-r"]
    texts = [sys.stdin.read() if lock == "-" else Path(lock).read_text(encoding="utf-8") for lock in locks]
    again = {name.replace("-", "_") for name in again}
    wanted = re.findall(r"^([\w-]+)==(\S+)", "\n".join(texts), re.MULTILINE)
    for name, version in ((name.replace("-", "_"), version) for name, version in wanted):
        if name == "unreachable":
            sys.exit(2)
        # An installed 1.0+cpu passes for the 1.0 that is asked for.
        there = any((packages / f"{name}-{version}{end}.dist-info" / "RECORD").exists() for end in ("", "+cpu"))
        if name in again or not there:
            install(packages, name, version)


def remove(packages: Path, name: str) -> None:
    shutil.rmtree(packages / name, ignore_errors=True)
    for folder in packages.glob(f"{name}-*.dist-info"):
        shutil.rmtree(folder)


def install(packages: Path, name: str, version: str) -> None:
    remove(packages, name)
    texts = {
        "__init__.py": f"from {name}._utils import works\nassert works\n",
        "_utils.py": "value = 1\nworks = True\n",
        "version.py": f"build = {version!r}\n",
    }
    if name == "torchvision":
        texts["__init__.py"] += "import torch.version, torchvision.version\n"
        texts["__init__.py"] += "assert torch.version.build == torchvision.version.build, 'of another build'\n"
    lines = []
    for file, text in texts.items():
        write(packages / name / file, text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        lines.append(f"{name}/{file},sha256={digest},{len(text)}\n")
    record = packages / f"{name}-{version}.dist-info" / "RECORD"
    write(record.with_name("METADATA"), f"Name: {name}\n")
    write(record, "".join(lines))


main(sys.argv[1:])
