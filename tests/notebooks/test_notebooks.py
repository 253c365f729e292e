"""Rules for every shipped notebook; nbmake checks that they run."""

from pathlib import Path

import nbformat
import pytest

from pacifico.run import notebooks
from pacifico.run.outcome import STAGES

PATHS = sorted(notebooks.folder().glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda p: p.stem)
def notebook(request):
    nb = nbformat.read(request.param, as_version=4)
    nbformat.validate(nb)
    return nb


def test_cells_have_no_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_cells_are_short_and_define_no_functions(notebook):
    """Code that needs a test belongs in the package."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert "def " not in cell.source
            assert len(cell.source.splitlines()) <= 20


def test_stages_are_known_and_in_order(notebook):
    tags = [
        t.removeprefix("stage:") for c in notebook.cells for t in c.metadata.get("tags", []) if t.startswith("stage:")
    ]
    assert set(tags) <= set(STAGES)
    progress = [STAGES[t][0] for t in tags]
    assert progress == sorted(progress)


def test_the_report_goes_through_every_stage_of_a_job():
    nb = nbformat.read(notebooks.find("layout_report").path, as_version=4)
    tags = {t for c in nb.cells for t in c.metadata.get("tags", [])}
    assert {f"stage:{s}" for s in STAGES} - tags == {"stage:queued", "stage:completed"}


def test_the_report_takes_the_design_of_the_command_line():
    names = set(notebooks.find("layout_report").parameters)
    assert names >= {
        "boundary", "dem", "terrain", "resolution_m", "dem_units", "profile", "strategy", "target_capacity_kw", "entry",
        "exclusions", "roads", "setback_m", "max_road_grade_pct", "spec", "rules", "energy", "weather",
    }  # fmt: skip


def test_templates_are_beside_the_package():
    assert Path("layout_report.ipynb") in {Path(p.name) for p in PATHS}
