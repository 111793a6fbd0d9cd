"""The workshop's hub really starts, several learners log in at once and work, and nothing is left running."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

pytest.importorskip("jupyterhub", reason="the extra 'hub' is not installed")

from cnngen_course.desk.times import load_timings
from tools.workshop import drive
from tools.workshop.names import make_safe

pytestmark = pytest.mark.slow

LEARNERS = 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_learners_log_in_at_once_and_work(tmp_path: Path) -> None:
    with drive.run_hub(tmp_path) as hub:
        learners = drive.work_together(hub, LEARNERS)
        memory = drive.measure_memory(hub)
        stranger = drive.Learner("Ann 小明@example.org")  # an e-mail address, a space, another script
        drive.work(hub, stranger)
        family = psutil.Process(hub.process.pid).children(recursive=True)
        kernels = [process for process in family if "ipykernel" in " ".join(process.cmdline())]
        desks = {process.environ().get("CNNGEN_DESK") for process in kernels}
    for learner in [*learners, stranger]:
        assert not learner.error, f"{learner}\n{hub.log.read_text(encoding='utf-8')[-3000:]}"
        assert learner.said == "drew (10, 1, 28, 28)"
        assert list(learner.seconds) == ["logged in", "server", "drawn"]
        home = tmp_path / "learners" / make_safe(learner.name)
        assert (home / "00_start_here.ipynb").is_file() and list((home / "pictures").glob("*.jpg"))
        assert '"outputs": []' in (home / "07_gan.ipynb").read_text(encoding="utf-8")
        assert "image/png" not in (home / "07_gan.ipynb").read_text(encoding="utf-8")
    homes = {str(tmp_path / "learners" / make_safe(learner.name)) for learner in [*learners, stranger]}
    assert desks == homes, "each learner's progress is kept in their own folder"
    assert {kind: len(values) for kind, values in memory.items()} == {
        "hub": 1,
        "proxy": 1,
        "server": LEARNERS,
        "kernel": LEARNERS,
    }
    assert all(5 < value < 2500 for values in memory.values() for value in values)
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Ann", "ann"),
        (" ann.b_c-d2 ", "ann.b_c-d2"),
        ("ann@example.org", "ann-at-example.org"),
        ("小明", "-5c0f-660e"),
        ("..", "-2e."),
        ("../../etc", "-2e.-2f..-2fetc"),
        ("a/b?c#d%40", "a-2fb-3fc-23d-2540"),
    ],
)
def test_every_name_gets_a_folder_and_an_address(name: str, safe: str) -> None:
    assert make_safe(name) == safe == make_safe(safe), "a name that is safe stays as it is"


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    """The hub asks for its password before it starts, and a short one is not enough."""
    for password in ("", "short"):
        environment = os.environ | {"WORKSHOP_PASSWORD": password, "WORKSHOP_FOLDER": str(tmp_path)}
        command = [sys.executable, "-m", "jupyterhub", "-f", str(drive.FOLDER / "jupyterhub_config.py")]
        ended = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=120
        )
        assert ended.returncode != 0 and "8 characters" in ended.stderr + ended.stdout


def test_what_the_lesson_quotes_was_measured() -> None:
    facts = drive.load_measured()
    assert facts["learners"] == LEARNERS and 30 < facts["memory_mb"]["kernel"] < 2500
    assert 0 < facts["seconds"]["logged in"] <= facts["seconds"]["server"] <= facts["seconds"]["drawn"]


def test_the_values_for_kubernetes_are_whole() -> None:
    values = yaml.safe_load((drive.FOLDER / "values.yaml").read_text(encoding="utf-8"))
    assert values["singleuser"]["extraEnv"] == {"OMP_NUM_THREADS": "1", "CNNGEN_DESK": "~/desk"}
    assert {"hub", "singleuser", "cull", "scheduling", "prePuller"} == set(values)
    memory = values["singleuser"]["memory"]
    lessons = load_timings()
    measured = json.loads((drive.FOLDER / "measured.json").read_text(encoding="utf-8"))["memory_mb"]
    idle = (measured["server"] + measured["kernel"]) / 1000
    assert idle < float(memory["guarantee"].removesuffix("G"))
    # One kernel is left open beside the one that trains.
    assert idle + max(facts["memory_gb"] for facts in lessons.values()) < float(memory["limit"].removesuffix("G"))
