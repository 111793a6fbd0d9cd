"""Every test, and every notebook kernel that a test starts, runs with the network cable pulled.

Of a lesson's cells, every text is compared with the stored one, numbers masked; ``--lesson-seed today`` runs them with
other random numbers every day instead, so that a claim which holds by luck is found.
"""

import os
from collections.abc import Generator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from cnngen_course.claims import STRICT
from cnngen_course.desk.store import OFF
from tools.claims import shift_seeds
from tools.outputs import find_difference

collect_ignore_glob = ["notebooks/mine/*"]  # a learner's own answers, set aside by an update
OFFLINE = Path(__file__).parent / "tests" / "offline"
PATCHED = "0.11."  # of nbval; see _execute
SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "add 1000 x SEED to every seed of the lessons; 'today' is another number every day of the year"
    parser.addoption("--lesson-seed", default="0", metavar="SEED", help=words)
    parser.addoption(
        "--nightly", action="store_true", help="also what takes an hour: every lesson stopped and repeated"
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
    # Two workers on two cores: one thread each, or every kernel would wait for the other's.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.update(STRICT | OFF)  # a claim of a lesson that fails is an error, and nothing is kept of a learner
    if not version("nbval").startswith(PATCHED):
        raise pytest.UsageError(
            f"conftest.py patches nbval {PATCHED}x, this is {version('nbval')}: does it still hide cells from "
            "IPython's history, and do its cells still have test_outputs? Then raise PATCHED."
        )
    config.addinivalue_line("markers", "nightly: takes minutes a test; runs with --nightly")
    asked = config.getoption("--lesson-seed")
    config.stash[SEED] = date.today().timetuple().tm_yday if asked == "today" else int(asked)
    RunningKernel.execute_cell_input = _execute


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--nightly"):
        for item in items:
            if item.get_closest_marker("nightly"):
                item.add_marker(pytest.mark.skip(reason="runs with --nightly"))


def _execute(kernel: RunningKernel, source: str, allow_stdin: bool | None = None) -> str:
    """nbval 0.11 hides cells from IPython's history, and so IPython ignores the ``;`` that silences a result."""
    return kernel.kc.execute(source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run a cell with its seeds moved as asked; compare its words with the stored ones if they were not moved."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    seed, source = item.config.stash[SEED], item.cell.source
    item.cell.source = shift_seeds(source, seed)
    yield
    compared = seed == 0 and "nbval-ignore-output" not in item.cell.metadata.get("tags", [])
    if compared and (difference := find_difference(item.cell.outputs, item.test_outputs)):
        item.raise_cell_error("Its words are not the stored ones; run: python3 course.py execute", difference)
    return None
