"""A learner can begin with any section of any lesson: its cells run after ``catch_up``.

One process a lesson does all of its sections, each with fresh variables; trainings inside a section take their stored
results, as in a hurry.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnngen_course.claims import STRICT
from cnngen_course.desk.moments import FOLDER
from cnngen_course.desk.store import OFF
from cnngen_course.paths import ROOT
from tools.execute import NOTEBOOKS

SOON = 3.0  # seconds of computing until a section is there; PyTorch is imported before


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_section_runs_after_catching_up(path: Path) -> None:
    if not (FOLDER / f"{path.stem[3:]}.safetensors").exists():
        pytest.skip(f"nothing is stored yet: python3 course.py moments {path.stem[:2]}")
    command = [sys.executable, "-m", "tools.moments", path.stem[:2], "--check"]
    answer = subprocess.run(command, cwd=ROOT, env=os.environ | STRICT | OFF, capture_output=True, encoding="utf-8")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    seconds = [float(found) for found in re.findall(rf"^{path.stem[:2]} +([\d.]+) s", answer.stdout, re.MULTILINE)]
    assert seconds and max(seconds) < SOON, answer.stdout
