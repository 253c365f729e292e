"""A JupyterLab on loopback, and a Chromium that can reach nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install one, or name it in CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def asked_outside():
    """Addresses off loopback that the page requested; each was refused."""
    return []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.stash[FAILED] = outcome.get_result().failed


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def page(browser, asked_outside, request, tmp_path):
    """Page that reaches loopback only; a failed test leaves a screenshot and prints its dialogs."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000})

    def guard(route):
        if urlsplit(route.request.url).hostname in {"127.0.0.1", "localhost"}:
            route.continue_()
        else:
            asked_outside.append(route.request.url)
            route.abort()

    context.route(lambda url: url.startswith("http"), guard)
    page = context.new_page()
    yield page
    if request.node.stash.get(FAILED, False):
        picture = tmp_path / "failed.png"
        page.screenshot(path=picture)
        if folder := os.environ.get("PACIFICO_SCREENSHOTS"):
            shutil.copy(picture, folder)
        print(f"the page as it failed: {picture}; dialogs: {page.locator('.jp-Dialog').all_inner_texts()}")
    context.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Address, token and root folder of a running JupyterLab, without news and with `window.jupyterapp`."""
    tmp_path = tmp_path_factory.mktemp("lab")
    config = tmp_path / "config"
    (config / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    root, runtime = tmp_path / "notebooks", tmp_path / "runtime"
    root.mkdir()
    own = {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PACIFICO_STORE": str(tmp_path / "store"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        f"--notebook-dir={root}", "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = (tmp_path / "lab.log").open("wb")
    server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield _address(server, runtime, tmp_path / "lab.log"), root
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


_FAULTS = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]'

# Before a kernel is chosen, JupyterLab asks 'Select Kernel'; before the kernel answers, cells are lost.
_RUN = """async path => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = Array.from(app.shell.widgets('main')).find(widget => widget.context?.path === path);
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  app.shell.activateById(panel.id);
  await app.commands.execute('notebook:run-all-cells');
}"""


@pytest.fixture
def run_notebook(page, lab):
    """Function that opens a notebook and runs all its cells."""

    def run(notebook: Path) -> None:
        (base, token), root = lab
        shutil.copy(notebook, root / notebook.name)
        page.goto(f"{base}/lab/tree/{notebook.name}?token={token}&reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        page.evaluate(_RUN, notebook.name)
        assert page.locator(_FAULTS).all_inner_texts() == []

    return run


@pytest.fixture
def shoot(page):
    """Function that saves a screenshot if `PACIFICO_SCREENSHOTS` names a folder, for people to look at."""

    def take(name: str, element=None) -> None:
        if folder := os.environ.get("PACIFICO_SCREENSHOTS"):
            (element or page).screenshot(path=Path(folder) / f"{name}.png")

    return take


@pytest.fixture
def faults(page):
    """Function that returns all error output of the notebook."""
    return lambda: page.locator(_FAULTS).all_inner_texts()


def _address(server, runtime, log):
    """Address and token from the file that a server writes when it listens."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        for info in runtime.glob("jpserver-*.json"):
            try:
                record = json.loads(info.read_text())
            except json.JSONDecodeError:  # being written
                continue
            return f"http://127.0.0.1:{record['port']}", record["token"]
        if server.poll() is not None:
            break
        time.sleep(0.05)  # there is no event for a new file
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")
