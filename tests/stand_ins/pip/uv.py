"""Stands in for uv: installs small packages named as in the lock, file by file, and writes their records last."""

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
    if arguments[:2] != ["pip", "install"]:
        return  # --version, and cleaning a store that is not there
    (packages,) = ENVIRONMENT.glob("lib/python3*/site-packages")
    if "-e" in arguments:
        write(packages / "_editable_impl_cnngen_course.pth", arguments[-1])
        write(packages / "cnngen_course-0.1.0.dist-info" / "METADATA", "Name: cnngen-course\n")
        relocatable = "relocatable = true" in (ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8")
        first = BESIDE if relocatable else f"#!{ENVIRONMENT}/bin/python"
        write(ENVIRONMENT / "bin" / "cnngen", f"{first}\nprint('cnngen')\n", 0o755)
        return
    again = {argument.partition("=")[2] for argument in arguments if argument.startswith("--reinstall-package=")}
    for name, version in re.findall(r"^(\w+)==(\S+)", Path(arguments[-1]).read_text(encoding="utf-8"), re.MULTILINE):
        if name == "unreachable":
            sys.exit(2)
        record = packages / f"{name}-{version}.dist-info" / "RECORD"
        if name in again or not record.exists():
            install(packages, name, record)


def install(packages: Path, name: str, record: Path) -> None:
    shutil.rmtree(packages / name, ignore_errors=True)
    for folder in packages.glob(f"{name}-*.dist-info"):
        shutil.rmtree(folder)
    texts = {
        "__init__.py": f"from {name}._utils import works\nassert works\n",
        "_utils.py": "value = 1\nworks = True\n",
    }
    lines = []
    for file, text in texts.items():
        write(packages / name / file, text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        lines.append(f"{name}/{file},sha256={digest},{len(text)}\n")
    write(record.with_name("METADATA"), f"Name: {name}\n")
    write(record, "".join(lines))


main(sys.argv[1:])
