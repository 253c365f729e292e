"""A real server runs the notebook's cells before the browser opens."""

import json
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from pacifico.cli.viewing import lab
from pacifico.explorer.app import AppSource, write_app_notebook

pytest.importorskip("jupyterlab")
SERVER = (
    sys.executable,
    "-m",
    "jupyter_server",
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--port=0",
)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Notebook of `pacifico open` in a folder of its own; the server's files are kept apart."""
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    return write_app_notebook(folder / "explore.ipynb", AppSource("sample", "sample"))


def with_code(notebook, code):
    """The notebook with other code in its cell."""
    content = json.loads(notebook.read_text())
    (cell,) = (c for c in content["cells"] if c["cell_type"] == "code")
    cell["source"] = code
    notebook.write_text(json.dumps(content))
    return notebook


@pytest.fixture
def opened(monkeypatch):
    """Pages that were opened; the server is then asked to end."""
    pages = []

    def open_page(page):
        pages.append(page)
        parts = urlsplit(page)
        token = parse_qs(parts.query)["token"][0]
        headers = {"Authorization": f"token {token}"}
        host = f"{parts.scheme}://{parts.netloc}"
        pool = urllib3.PoolManager(headers=headers, retries=False)
        pages.append(pool.request("GET", f"{host}/api/sessions").json())
        pages.append(pool.request("GET", f"{host}/api/contents/explore.ipynb").json())
        assert pool.request("POST", f"{host}/api/shutdown").status == 200
        return True

    monkeypatch.setattr(lab.webbrowser, "open", open_page)
    return pages


def cell_of(model):
    (cell,) = (c for c in model["content"]["cells"] if c["cell_type"] == "code")
    return cell


def test_the_cell_has_run_in_the_session_that_jupyterlab_joins(notebook, opened, capfd):
    code = "import os\nprint(os.path.basename(os.environ['JPY_SESSION_NAME']))\n'shown'"
    assert (
        lab.show_in_lab([*SERVER, f"--ServerApp.root_dir={notebook.parent}"], with_code(notebook, code), browser=True)
        == 0
    )
    page, sessions, model = opened
    assert urlsplit(page).path == "/doc/tree/explore.ipynb"
    assert [s["path"] for s in sessions] == ["explore.ipynb"]
    cell = cell_of(model)
    assert cell["metadata"]["trusted"] is True  # else JupyterLab shows no widget
    assert [o["output_type"] for o in cell["outputs"]] == ["stream", "execute_result"]
    assert cell["outputs"][0]["text"] == "explore.ipynb\n"
    assert f"the map is at {page}" in capfd.readouterr().out


def test_a_cell_that_fails_is_named_and_still_shown(notebook, opened, capfd):
    code = "raise ValueError('no such\\nfile')"
    lab.show_in_lab([*SERVER, f"--ServerApp.root_dir={notebook.parent}"], with_code(notebook, code), browser=True)
    assert cell_of(opened[2])["outputs"][0]["ename"] == "ValueError"
    said = [line for line in capfd.readouterr().out.splitlines() if line.startswith("the cell failed: ")]
    assert said == ["the cell failed: ValueError: no such file"]


def test_a_kernel_that_ends_is_named_and_the_page_opens(notebook, opened, capfd):
    code = "import os\nos._exit(1)"
    lab.show_in_lab([*SERVER, f"--ServerApp.root_dir={notebook.parent}"], with_code(notebook, code), browser=True)
    assert len(opened) == 3
    assert "press Shift+Enter in it" in capfd.readouterr().out


def test_a_server_that_does_not_start_gives_its_status(notebook, opened):
    assert lab.show_in_lab([sys.executable, "-c", "raise SystemExit(5)"], notebook, browser=True) == 5
    assert opened == []


def test_an_interrupt_ends_the_server(notebook, monkeypatch):
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            started.append(self)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lab.subprocess, "Popen", Interrupted)
    monkeypatch.setattr(lab, "_address_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.show_in_lab([sys.executable, "-c", "import time; time.sleep(60)"], notebook, browser=False)
    assert started[0].poll() is not None
