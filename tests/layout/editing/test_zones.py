"""Zones refuse or remove assets, and roads keep off them."""

import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pacifico.errors import EditRefused
from pacifico.site.model import Zone


def test_a_zone_refuses_or_removes_assets(hybrid, open_, dem, plan_tools):
    editor = open_(hybrid)
    array = plan_tools.first(hybrid, "solar_array")
    zone = Zone(array.footprint.centroid.buffer(8), "nest", "buffered", 2.0)
    with pytest.raises(EditRefused, match=rf"zone 'nest' would cover 1 assets \({array.asset_id}\)"):
        editor.add_zone(zone)
    plan = editor.add_zone(zone, assets="remove")
    assert plan.edits[-1].also == (array.asset_id,)
    plan_tools.check_invariants(plan, editor.context, dem)
    back = editor.remove_zone("nest")
    assert back.site.exclusions == hybrid.site.exclusions
    assert back.metrics["buildable_area_ha"] == hybrid.metrics["buildable_area_ha"]


@given(
    st.sampled_from(["hybrid", "gas_bess"]), st.integers(0, 99), st.floats(0, 1), st.floats(1, 12), st.sampled_from([0.0, 5.0]),
    st.tuples(st.floats(-15, 15), st.floats(-15, 15)),
)  # fmt: skip
@example("gas_bess", 2, 0.42578125, 6.0, 5.0, (0.0, 0.0))  # the zone covers 0.005 m² of a pad's corner
@settings(max_examples=12, deadline=None, derandomize=True)
def test_zones_on_roads_keep_the_invariants(plans, open_, dem, plan_tools, which, road, share, radius, buffer_m, by):
    plan = plans[which]
    editor, line = open_(plan), plan.road_list[road % len(plan.road_list)].line
    place = line.interpolate(share, normalized=True)
    zone = Zone(shapely.Point(place.x, place.y).buffer(radius), "drawn", "buffered", buffer_m)
    for act in (
        lambda: editor.add_zone(zone, assets="remove"),
        lambda: editor.move_zone("drawn", by=by, assets="remove"),
    ):
        try:
            now = act()
        except EditRefused as refusal:
            assert "\n" not in str(refusal)  # noqa: PT017 (either outcome is right, and each is looked at)
        else:
            assert plan_tools.clear_of(now, now.site.exclusions[-1])
            plan_tools.check_invariants(now, editor.context, dem)


def test_moving_a_zone_reroutes_roads(hybrid, open_, dem, plan_tools):
    corner = shapely.Point(hybrid.site.boundary.bounds[:2]).buffer(6)
    editor = open_(hybrid)
    editor.add_zone(Zone(corner, "nest"), assets="remove")
    spine = plan_tools.zone_on_road(hybrid).geometry.centroid
    far = (spine.x - corner.centroid.x, spine.y - corner.centroid.y)
    plan = editor.move_zone("nest", by=far, assets="remove")
    assert (plan.edits[-1].kind, plan.edits[-1].subject) == ("move_zone", "nest")
    assert plan_tools.clear_of(plan, plan.site.exclusions[-1])
    assert plan.site.exclusions[-1].geometry.centroid.distance(spine) < 1e-6
    plan_tools.check_invariants(plan, editor.context, dem)
    record = plan.to_geojson()["pacifico"]["edits"][-1]
    assert (record["kind"], record["zone"], record["asset_id"]) == ("move_zone", "nest", None)
    with pytest.raises(EditRefused, match="no pair of numbers"):
        editor.move_zone("nest", by=(float("nan"), 0.0))
    with pytest.raises(EditRefused, match="0 zones are called 'rest'"):
        editor.move_zone("rest", by=(1.0, 1.0))
