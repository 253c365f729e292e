"""The engine's record of what ran."""

from __future__ import annotations

import nbformat

from pacifico.run import engine


def notebook(path, *statuses):
    nb = nbformat.v4.new_notebook()
    for status in statuses:
        nb.cells.append(nbformat.v4.new_code_cell("1", metadata={"papermill": {"status": status}}))
    nbformat.write(nb, path)
    return engine.Recording(kernel=None, title="t", on_stage=lambda _: None, stage="placing_assets", cell=1)


def test_a_failed_notebook_says_where_at_its_top(tmp_path):
    path = tmp_path / "r.ipynb"
    recording = notebook(path, "completed", "failed", "pending")
    failing = engine.mark_failed(path, recording, error_name="E", error_message="m\nn", remedy="R.")
    saved = nbformat.read(path, as_version=4)
    assert failing == 2
    assert "failing-cell" in saved.cells[2].metadata.tags
    text = saved.cells[0].source
    assert "placing assets" in text
    assert "E: m" in text
    assert "Cells that did not run: 1" in text


def test_a_failure_before_the_first_cell_has_no_cell(tmp_path):
    path = tmp_path / "r.ipynb"
    recording = notebook(path, "pending")
    recording.cell = None
    assert engine.mark_failed(path, recording, error_name="E", error_message="m", remedy="R.") is None
    assert "before its first cell ran" in nbformat.read(path, as_version=4).cells[0].source
