"""Save, Report, Export, Pin and Compare act on the plan on the map."""

from __future__ import annotations

import html
import json

import numpy as np
import pytest
from shapely import box

from pacifico.crs import utm
from pacifico.explorer import explore
from pacifico.grid import Grid
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0


@pytest.fixture(scope="module")
def explorer():
    grid = Grid(CRS, X - 100, Y + 700, 10, 10, 80, 80)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    dem = grid.data_array(300 + 0.02 * east, name="elevation", units="m")
    made = explore(Site("North <field>", CRS, box(X, Y, X + 600, Y + 600)), dem, target_capacity_kw=4000.0)
    made.wait()
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_save_writes_the_layout(explorer, folder):
    assert explorer.outputs.name.value == "North-field"
    explorer.outputs.save.click()
    written = json.loads((folder / "North-field.layout.geojson").read_text())
    assert written["pacifico"]["metrics"]["asset_count"] == len(explorer.plan.asset_list)
    assert explorer.outputs.message.value.endswith("written: North-field.layout.geojson</div>")


@pytest.mark.parametrize("name", ["", "../up", "/tmp/x", ".hidden"])
def test_a_name_with_a_folder_is_refused(explorer, folder, name):
    explorer.outputs.name.value = name
    explorer.outputs.save.click()
    assert "is no file name" in explorer.outputs.message.value
    explorer.outputs.name.value = "North-field"
    assert list(folder.iterdir()) == []


def test_report_and_export_are_written_aside(explorer, folder):
    explorer.outputs.report.click()
    explorer.outputs.wait()
    assert "report.html" in explorer.outputs.message.value
    assert (folder / "North-field-report" / "layout.geojson").is_file()
    explorer.outputs.format.value = "kmz"
    explorer.outputs.export.click()
    explorer.outputs.wait()
    assert (folder / "North-field.kmz").is_file()
    assert not explorer.run.busy


def test_a_pinned_layout_is_compared(explorer):
    assert explorer.outputs.compare.disabled
    pinned = explorer.plan
    explorer.outputs.pin.click()
    explorer.outputs.compare.click()
    assert "The layouts are the same" in explorer.outputs.comparison.value
    explorer.capacity_mw.value = 3.0
    explorer.wait()
    explorer.outputs.compare.click()
    text = explorer.outputs.comparison.value
    assert "A, pinned" in text
    for plan in (pinned, explorer.plan):
        assert all(html.escape(answer.text, quote=False) in text for answer in plan.headline)


def test_a_layout_under_way_is_not_written(explorer, folder):
    explorer.capacity_mw.value = 2.0
    explorer.outputs.save.click()
    assert "there is no layout to write" in explorer.outputs.message.value
    explorer.wait()
    assert list(folder.iterdir()) == []
