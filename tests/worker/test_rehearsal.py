from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from pacifico import compiling
from pacifico.run import html, notebooks
from worker import rehearsal

THREADS = """
import importlib, os, sys
from pacifico.jobs.runner.child import PRELOAD
for name in PRELOAD:
    importlib.import_module(name)
before = len(os.listdir("/proc/self/task"))
from worker.forkserver import KERNEL_MODULES
for name in KERNEL_MODULES:
    importlib.import_module(name)
from pacifico import compiling
from worker.rehearsal import rehearse_all
compiling.is_compiled = lambda: True
rehearse_all()
sys.exit(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Function that makes a shipped notebook of some cells, in an empty working folder."""
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path / "scratch")

    def write(*sources):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "short.ipynb")

    return write


def test_cells_run_with_the_parameters_of_the_rehearsal(template):
    template("size: int = 1", "from pathlib import Path", "Path('size').write_text(str(size))")
    rehearsal.rehearse("short", {"size": 7})
    assert Path("size").read_text() == "7"


def test_what_a_cell_shows_is_drawn(template):
    template(
        "size: int = 1",
        "class Shown:\n    drawn = []\n    def _repr_png_(self): self.drawn.append(1)",
        "display(Shown())\nShown()",
        "assert Shown.drawn == [1, 1]",
    )
    rehearsal.rehearse("short", {})


def test_after_a_rehearsal_the_html_of_cells_is_at_hand(template, tmp_path, monkeypatch):
    template("size: int = 1", "at_hand = size + 40")
    rehearsal.rehearse("short", {})

    class Highlighter:
        def __call__(self, source):
            raise AssertionError(source)

    monkeypatch.setattr("nbconvert.filters.highlight.Highlight2HTML", Highlighter)
    page = html.render(nbformat.read(tmp_path / "short.ipynb", as_version=4), None, title="t")
    assert "at_hand" in page


def test_a_rehearsal_prints_nothing(template, capsys):
    template("size: int = 1", "print('noise')")
    rehearsal.rehearse("short", {})
    assert capsys.readouterr().out == ""


def test_nothing_is_rehearsed_where_kernels_would_be_compiled_first(template, monkeypatch, capsys):
    template("size: int = 1", "raise AssertionError")
    monkeypatch.setattr(rehearsal, "REHEARSED", {"short": {}})
    monkeypatch.setattr(compiling, "is_compiled", lambda: False)
    rehearsal.rehearse_all()
    assert "kernels are not compiled" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_the_report_leaves_no_thread_that_a_fork_would_lose(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", THREADS], cwd=tmp_path, env=env, check=False).returncode == 0
