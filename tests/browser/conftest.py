"""A real JupyterLab on loopback and a real headless Chromium, one of each for a test session."""

import ast
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from cnngen_course.desk.store import VARIABLE as DESK
from cnngen_course.paths import ROOT
from tools.execute import METADATA
from tools.servers import find_ports, serve

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
SETTINGS = {  # no pop-ups over the controls, and no saving while a test reads
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "docmanager-extension/plugin": '{"autosave": false}',
}
ARTEFACTS = ROOT / "artefacts"
QUESTIONS = (
    'lesson.predict("whiskers", "max", "average", "both", "neither")',
    'lesson.predict("mid_grey", "those whose weights add up to 0", "those whose weights add up to 1")',
    'lesson.predict("loop_slower", low=1, high=1000, unit=" times", log=True)',
    'lesson.predict("redness", picture=to_pil(galleries.load_photo("animal_scarlet_macaw").pixels))',
    'lesson.predict("arches")',
)
BEGIN = """from cnngen_course import galleries
from cnngen_course.desk.lesson import Lesson
from cnngen_course.images import to_pil

lesson = Lesson("convolution")"""
ASKING = (BEGIN, *QUESTIONS)
TELLING = (  # in a kernel of its own: what was answered is read from the disk
    BEGIN,
    *QUESTIONS,
    'lesson.reveal("whiskers", "max")\nlesson.reveal("mid_grey", "those whose weights add up to 0")',
    'lesson.reveal("loop_slower", 60)\nlesson.reveal("redness", (0.1, 0.3))\nlesson.reveal("arches", "All round.")',
    "lesson.look_back()",
)

RUN_ALL = """async (seconds) => {
  // Run every cell in the real front end and wait until the kernel is idle. Errors are collected from the kernel's
  // own channel, which also carries those raised in the callback of a control.
  const app = window.jupyterapp;
  await app.restored;
  const end = Date.now() + 1000 * seconds;
  const until = async (ready) => {
    while (!ready()) {
      if (Date.now() > end) throw new Error(`the lesson was not done after ${seconds} s`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  };
  await until(() => app.shell.currentWidget?.sessionContext);
  const panel = app.shell.currentWidget, context = panel.sessionContext;
  await panel.revealed;
  await context.ready;
  const ready = (kernel) => kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
  await until(() => ready(context.session?.kernel));
  window.kernelErrors = [];
  context.session.kernel.iopubMessage.connect((_, message) => {
    if (message.header.msg_type === 'error')
      window.kernelErrors.push(message.content.ename + ': ' + message.content.evalue);
  });
  let ran = false;
  app.commands.execute('notebook:run-all-cells').then(() => { ran = true; });
  await until(() => ran && context.session.kernel.status === 'idle');
  return window.kernelErrors;
}"""


def find_browser() -> str | None:
    return os.environ.get("CHROME") or next(filter(None, map(shutil.which, BROWSERS)), None)


def copy_course(folder: Path) -> None:
    """Lay the lessons out with what their explorers need: nbval has run every cell, and would train all a second time.

    It is a copy because a test never saves into the checkout.
    """
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = keep_explorers(notebook.cells)
        nbformat.write(notebook, folder / path.name)
    for name, sources in {"desk_asks": ASKING, "desk_tells": TELLING}.items():
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), folder / f"{name}.ipynb")


def keep_explorers(cells: list) -> list:
    """Return cells of one statement each: those that make an explorer or give a value to what a kept one reads."""
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    kept, needed = [], set()
    for statement in reversed([statement for source in sources for statement in ast.parse(source).body]):
        read, given = find_names(statement)
        source = ast.unparse(statement)
        if "_explorer(" in source or given & needed:
            kept.append(nbformat.v4.new_code_cell(source))
            needed = (needed - given) | read
    return kept[::-1]


def find_names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement reads, and those that it gives a value to."""
    read, given = set(), set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else given).add(node.id)
        elif isinstance(node, ast.alias):
            given.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            given.add(node.name)
    return read, given


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that serves a copy of the lessons."""
    folder = tmp_path_factory.mktemp("lab")
    copy_course(folder)
    for name, text in SETTINGS.items():
        file = folder / ".jupyter" / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    variables = {name: str(folder / ".jupyter" / value) for name, value in own.items()} | {DESK: str(folder / "desk")}
    (port,) = find_ports()
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
    ]
    with serve(command, f"{address}/api/status", folder / "lab.log", 300, variables):
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    chrome = find_browser()
    if chrome is None:
        text = "NO BROWSER FOUND: the explorers were not tried for real. Install Chromium, or set CHROME to one."
        assert not os.environ.get("CI"), text
        warnings.warn(text, pytest.PytestWarning, stacklevel=1)
        pytest.skip(text)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chrome, headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_lesson(lab: str, browser, request: pytest.FixtureRequest) -> Iterator[Callable]:
    """``open_lesson("01_convolution.ipynb")`` opens its explorers in JupyterLab, runs them and returns the page.

    ``lacking`` is an address of files that the page is refused.
    """
    pages = []

    def open_and_run(name: str, timeout: float = 280, lacking: str = ""):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        if lacking:
            context.route(lacking, lambda route: route.abort())
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(30_000)
        page.goto(f"{lab}/doc/tree/{name}?reset")
        page.wait_for_function("() => window.jupyterapp")
        errors = page.evaluate(RUN_ALL, timeout)
        assert not errors, errors
        return page

    yield open_and_run
    late = []
    for number, page in enumerate(pages):
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{request.node.name}-{number}.png".replace("/", "_"))
        late += page.evaluate("() => window.kernelErrors ?? []")
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        page.context.close()
    assert not late, late
