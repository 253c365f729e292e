"""Roads are led around a zone; the rest of the network stays."""

import pytest
import shapely

from pacifico.errors import EditRefused


def test_a_road_is_led_around_a_zone_and_the_rest_stays(hybrid, open_, dem, plan_tools):
    editor, zone = open_(hybrid), plan_tools.zone_on_road(hybrid)
    with pytest.raises(EditRefused, match=r"would cover \d+ roads that are needed \(R\d+"):
        editor.add_zone(zone, assets="remove", roads="refuse")
    plan = editor.add_zone(zone, assets="remove")
    plan_tools.check_invariants(plan, editor.context, dem)
    assert plan_tools.clear_of(plan, zone)
    done = plan.edits[-1]
    was, now = {r.road_id: r for r in hybrid.road_list}, {r.road_id: r for r in plan.road_list}
    gone = {r.road_id for r in done.roads_removed}
    assert gone
    assert set(done.roads_added) == set(now) - set(was)
    assert all(now[i] is was[i] for i in set(was) & set(now))
    assert len(gone) <= 2
    added = shapely.union_all([now[i].line for i in done.roads_added])
    assert added.distance(zone.geometry) < 60
    kept = {a.asset_id: a for a in plan.asset_list}
    assert all(kept[a.asset_id].footprint == a.footprint for a in hybrid.asset_list if a.asset_id in kept)
    assert done.note == ""
    assert plan_tools.geometry(editor.undo()) == plan_tools.geometry(hybrid)
