"""A course as small as it can be, which is really set up.

Small stand-ins for ensurepip, pip, uv and PyTorch write real files in a real environment (tests/stand_ins).
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from cnngen_course.paths import ROOT

STAND_INS = ROOT / "tests" / "stand_ins"


class Course:
    """A course as small as it can be, in a folder of its own, that is really set up; ``pytorch`` chooses which one."""

    def __init__(self, folder: Path, pytorch: str = "--cuda") -> None:
        self.folder = folder
        self.environment = folder / ".venv"
        self.pytorch = pytorch
        for name in ("course.py", "tools/__init__.py", "tools/tasks.py", "tools/environment.py", "tools/update.py"):
            self.copy(name)
        for name in ("cnngen_course/__init__.py", "cnngen_course/platforms.py", "pyproject.toml"):
            self.copy(name)
        self.lock = folder / "requirements.lock"
        self.lock.write_text("numbers==1.0\nnvidia-sums==1.0\ntorch==1.0\ntorchvision==1.0\n", encoding="utf-8")
        small = "torch==1.0+cpu\ntorchvision==1.0+cpu\n"
        (folder / "requirements.cpu.lock").write_text(small, encoding="utf-8")
        (folder / "requirements.more.lock").write_text("tests==1.0\n", encoding="utf-8")

    def copy(self, name: str) -> None:
        if (ROOT / name).exists():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, self.folder / name)

    def start(self, stop_at: tuple | None = None, *task: str, **variables: str) -> subprocess.Popen:
        names = {"PATH": os.pathsep.join(("/usr/bin", "/bin")), "PYTHONPATH": str(STAND_INS), "HOME": str(self.folder)}
        if stop_at:
            names |= {"STOP_AT": json.dumps(stop_at), "STOP_FOLDER": str(self.folder)}
        return subprocess.Popen(
            [sys.executable, "course.py", *(task or ("setup", self.pytorch))],
            cwd=self.folder,
            env=names | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def set_up(self, *task: str, **variables: str) -> str:
        process = self.start(None, *task, **variables)
        said = process.communicate(timeout=60)[0]
        assert process.returncode == 0, said
        return said

    def interrupt(self, stop_at: tuple, number: signal.Signals, let_go: bool = True) -> str:
        """Start a set-up, stop it at that moment, and send the signal: Ctrl-C reaches all, the others one process."""
        signs = [self.folder / "reached", self.folder / "let go"]
        process = self.start(stop_at)
        end = time.monotonic() + 30
        while not signs[0].exists():
            assert process.poll() is None and time.monotonic() < end, f"{stop_at} was not met: {process.communicate()}"
            time.sleep(0.01)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.wait(timeout=30)
        if number == signal.SIGKILL:
            # What the killed one had started works on for a while, and the next set-up must wait for it.
            said = ""
            process.stdout.close()
            if let_go:
                signs[1].touch()
        else:
            said = process.communicate(timeout=30)[0]
        assert process.returncode != 0
        signs[0].unlink()
        return said

    def list_files(self) -> dict[str, str]:
        """Return the content of every file of the environment, but for what Python compiled and what is unused."""
        kept = (path for path in sorted(self.environment.rglob("*")) if path.is_file() and path.suffix != ".pyc")
        return {
            path.relative_to(self.environment).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in kept
        }

    @property
    def packages(self) -> Path:
        (folder,) = self.environment.glob("lib/python3*/site-packages")
        return folder
