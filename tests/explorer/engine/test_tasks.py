"""A process gives what the engine gives, and keeps what it has made."""

from __future__ import annotations

import pytest

from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.explorer.engine.messages import MOST_SITES
from pacifico.explorer.engine.tasks import Desk
from pacifico.explorer.state.document import EditStep
from pacifico.layout.files.geojson import text
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def desk(terrain):
    made = Desk()
    made.add_site(terrain.key, terrain.site, terrain.dem)
    return made


@pytest.fixture(scope="module")
def outcome(desk, request_of):
    return desk.run("layout", ("field", request_of(4)), None)


def test_the_layout_is_that_of_generate_layout(outcome, terrain):
    plan = generate_layout(terrain.site, terrain.dem, target_capacity_kw=4000.0)
    assert outcome.plan == plan
    assert text(outcome.layout) == text(plan.to_geojson())
    assert outcome.picture.startswith("<svg")


def test_stages_are_called_and_a_known_layout_is_kept(desk, outcome, request_of):
    stages = []
    again = desk.run("layout", ("field", request_of(4)), lambda *stage: stages.append(stage))
    assert again.plan is outcome.plan
    assert stages == []
    desk.run("layout", ("field", request_of(3)), lambda *stage: stages.append(stage))
    assert stages[0][0] == "computing_slope"
    assert all(0 <= percent <= 100 for _, percent, _ in stages)


def test_edits_are_made_on_it(desk, outcome, request_of):
    array = [a for a in outcome.plan.asset_list if a.item.kind == "solar_array"][-1]
    at = transformer(outcome.plan.crs, LONLAT).transform(*array.item.centre)
    edited = desk.run("layout", ("field", request_of(4, EditStep("remove", "solar_array", at, array.asset_id))), None)
    assert len(edited.plan.edits) == 1
    assert edited.refused == ()
    assert edited.layout["pacifico"]["edits"][0]["asset_id"] == array.asset_id


def test_a_bad_request_is_refused(desk, request_of):
    with pytest.raises(InputError, match="out of range"):
        desk.run("layout", ("field", request_of(0.001)), None)


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")
def test_first_picture_land_energy_rows_and_files(desk, outcome, request_of, tmp_path):
    assert desk.run("first_picture", ("field", request_of(4)), None).asset_count > 3
    assert desk.run("energy", ("field", outcome.plan), None).annual_mwh > 1000
    assert desk.run("racking", ("field", outcome.plan), None).metrics["pile_count"] > 100
    assert desk.run("land", ("field", outcome.plan), None).site_ha == pytest.approx(36, rel=0.01)
    (written,) = desk.run("export", ("field", outcome.plan, ("kmz", str(tmp_path / "a.kmz"))), None)
    assert written == str(tmp_path / "a.kmz")


def test_the_oldest_site_is_forgotten(terrain, request_of):
    desk = Desk()
    for n in range(MOST_SITES + 1):
        desk.add_site(str(n), terrain.site, terrain.dem)
    with pytest.raises(KeyError):
        desk.run("first_picture", ("0", request_of(4)), None)
