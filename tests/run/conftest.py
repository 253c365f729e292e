"""Small notebooks to run, made where the test wants them."""

import os
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from pacifico.run import execute as run
from pacifico.run import notebooks


@pytest.fixture
def template(tmp_path):
    """Maker of a template: code cells, each a string or (stage, string)."""

    def make(*cells, parameters="", name="tiny"):
        nb = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
        nb.cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        for cell in cells:
            stage, source = cell if isinstance(cell, tuple) else (None, cell)
            tags = [f"stage:{stage}"] if stage else []
            nb.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(nb, path)
        return notebooks.read(path)

    return make


@pytest.fixture
def execute(tmp_path):
    """Run a template into tmp_path / "report"."""

    def go(template, *, on_stage=None, cancel=None, kernel=None, **fields):
        request = run.RunRequest(notebook=template.name, parameters={}, inputs={}, out_dir=tmp_path / "report")
        return run.execute_template(
            replace(request, **fields), template, on_stage=on_stage, cancel=cancel, kernel=kernel
        )

    return go


def children_of(pid=None):
    """Process ids of the living children of a process, zombies left out."""
    pid = os.getpid() if pid is None else pid
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def no_leftovers():
    """Fails the test when a process it began outlives it."""
    before = set(children_of())
    yield
    assert set(children_of()) <= before
