"""Files of the plan on the map hold its edits."""

from __future__ import annotations

import json

import pytest

from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.explorer.engine.files import write_export, write_report
from pacifico.explorer.engine.replay import Replay
from pacifico.explorer.state.document import EditStep
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def plan(terrain):
    """Edited plan."""
    made = generate_layout(terrain.site, terrain.dem, target_capacity_kw=3000)
    array = [a for a in made.asset_list if a.item.kind == "solar_array"][-1]
    at = transformer(made.crs, LONLAT).transform(*array.item.centre)
    return Replay(made, terrain.dem).run((EditStep("remove", "solar_array", at, array.asset_id),)).plan


def test_the_report_is_that_of_the_edited_plan(plan, terrain, tmp_path):
    stages = []
    files = write_report(plan, terrain.dem, str(tmp_path / "report"), lambda *stage: stages.append(stage[1]))
    names = {path.rpartition("/")[2] for path in files}
    assert {"report.html", "layout.geojson", "costs.csv", "layout.kmz", "site-plan.pdf", "assets.csv"} <= names
    page = (tmp_path / "report" / "report.html").read_text()
    assert all(heading in page for heading in ("Why not more", "Costs", "Risks", "Edits"))
    gone = plan.edits[0].subject
    assert gone in page
    written = json.loads((tmp_path / "report" / "layout.geojson").read_text())
    assert written["pacifico"]["edits"][0]["asset_id"] == gone
    assert stages == sorted(stages)


@pytest.mark.parametrize("fmt", ["csv", "gpkg"])
def test_exports_are_written(plan, terrain, tmp_path, fmt):
    files = write_export(plan, terrain.dem, fmt, str(tmp_path / "out"))
    assert files
    assert all((tmp_path / path).exists() for path in files)


def test_a_folder_that_can_not_be_made_is_refused(plan, terrain, tmp_path):
    with pytest.raises(InputError, match="can't be made"):
        write_report(plan, terrain.dem, str(tmp_path / "no" / "report"), None)
