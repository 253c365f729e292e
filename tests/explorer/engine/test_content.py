"""The content of an edited plan passes the checks of stored layouts."""

from __future__ import annotations

from pacifico.crs import LONLAT, transformer
from pacifico.explorer.engine.content import stored_content
from pacifico.explorer.engine.replay import Replay
from pacifico.explorer.state.document import EditStep
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout


def test_an_edited_plan_is_a_stored_layout(terrain):
    plan = generate_layout(terrain.site, terrain.dem, target_capacity_kw=3000.0)
    array = [a for a in plan.asset_list if a.item.kind == "solar_array"][-1]
    at = transformer(plan.crs, LONLAT).transform(*array.item.centre)
    edited = Replay(plan, terrain.dem).run((EditStep("remove", "solar_array", at, array.asset_id),)).plan
    assert StoredLayout.of(stored_content(edited)).about["edits"][0]["kind"] == "remove"
