"""Every test, and every notebook kernel that a test starts, runs with the network cable pulled."""

import os
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel

collect_ignore_glob = ["notebooks/mine/*"]  # a learner's own answers, set aside by an update
OFFLINE = Path(__file__).parent / "tests" / "offline"


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
    # Two workers on two cores: one thread each, or every kernel would wait for the other's.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _execute(kernel: RunningKernel, source: str, allow_stdin: bool | None = None) -> str:
    """nbval 0.11 hides cells from IPython's history, and so IPython ignores the ``;`` that silences a result."""
    return kernel.kc.execute(source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = _execute
