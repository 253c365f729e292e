"""Collection cables: exact lengths, legal trenches, feeders within their rating."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import LineString, box

from pacifico.layout.criteria.asset_types import feeder_mva
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.electrical.cables import loads_mva, route_cables
from pacifico.layout.electrical.trenches import CLEARANCE_M
from pacifico.layout.files.geojson import text
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Asset, Item
from pacifico.layout.model.roads import Road
from pacifico.site.model import Zone

SPEC = make_spec()
RATING = math.sqrt(3) * 34.5 * 0.5


def asset(make, name, kind, x, y, size=10.0, **rating):
    """Square asset, its south-west corner `x`, `y` metres from the site's."""
    west, south = make.west + x, make.south + y
    item = Item(kind, (west, south, west + size, south + size), 10.0, **rating)
    return Asset(name, item, box(*item.rect), 0.0, 0.0, 100.0, 1.0, "", "R001")


def battery(make, name, x, y, mw=5.0):
    return asset(make, name, "battery", x, y, storage_kw=1e3 * mw)


def station(make, name, x, y, mva=100.0):
    return asset(make, name, "substation", x, y, rating_kva=1e3 * mva)


def road(make, *points):
    line = LineString([(make.west + x, make.south + y, 100.0) for x, y in points])
    return Road("R001", "spine", line, 6.1, line.length, 0.0, 0.0)


def stretch(make, x0, y0, x1, y1, step=10.0):
    """Road with a vertex every few metres, as the engine draws them."""
    n = int(math.hypot(x1 - x0, y1 - y0) / step) + 1
    return road(make, *zip(np.linspace(x0, x1, n), np.linspace(y0, y1, n), strict=True))


def field(make, width=1000.0, depth=600.0, height=None, **site):
    return make.field(make.site(width, depth, **site), make.ground(height or make.level, width, depth))


def union_m(cables):
    return shapely.union_all([c.line for c in cables]).length


def test_a_cable_along_a_road_has_the_length_of_its_pieces(make):
    assets = [battery(make, "b", 100, 110), station(make, "s", 500, 110)]
    found = route_cables(field(make), assets, [stretch(make, 50, 100, 950, 100)], spec=make_spec({"cable": {"own_trench_factor": 10.0}}))  # fmt: skip
    (cable,) = found.cables
    # 10 m down to the road on either side, from corner to corner of the two squares along it
    assert cable.length_m == pytest.approx(390 + 2 * 10, abs=0.01)
    assert (cable.from_id, cable.to_id, cable.cable_id, cable.voltage_kv) == ("b", "s", "F01-01", 34.5)
    assert cable.in_road_trench
    assert found.trench_length_m == pytest.approx(cable.length_m)
    assert found.road_trench_length_m == pytest.approx(390)
    assert cable.load_mva == pytest.approx(5 / 0.95)


def test_a_shorter_trench_away_from_the_road_is_used(make):
    assets = [battery(make, "b", 100, 110), station(make, "s", 500, 110)]
    detour = road(make, (105, 100), (105, 20), (505, 20), (505, 100))
    (cable,) = route_cables(field(make), assets, [detour], spec=SPEC).cables
    assert not cable.in_road_trench
    assert cable.length_m < 420


def test_trenches_go_around_exclusions(make):
    pond = Zone(make.at(300, 20, 320, 400), name="pond")
    found = route_cables(
        field(make, exclusions=(pond,)), [battery(make, "b", 100, 200), station(make, "s", 500, 200)], [], spec=SPEC
    )
    (cable,) = found.cables
    assert cable.line.distance(pond.geometry) >= CLEARANCE_M - 1e-9
    # shortest: from terminal to terminal round the southern corners, at half a metre; ours bends a little further off
    a, b = (105.0, 199.0), (505.0, 199.0)
    corner = (300.0, 20.0), (320.0, 20.0)
    shortest = math.dist(a, corner[0]) + 20 + math.dist(corner[1], b) + 2
    assert shortest <= cable.length_m <= 1.01 * shortest + 5


def test_trenches_do_not_cross_nodata(make):
    def gap(x, y):
        return np.where((x > 300) & (x < 330) & (y > 150), np.nan, 100.0)

    found = route_cables(
        field(make, height=gap), [battery(make, "b", 100, 300), station(make, "s", 500, 300)], [stretch(make, 50, 50, 950, 50)],
        spec=SPEC,
    )  # fmt: skip
    (cable,) = found.cables
    assert not cable.line.crosses(make.at(300, 150, 330, 600))
    assert cable.length_m > 500


def test_expensive_ground_is_crossed_only_where_that_is_cheaper(make):
    def length(price):
        zone = Zone(make.at(300, 100, 320, 580), name="wood", zone_type="cost", cost_multiplier=price)
        assets = [battery(make, "b", 100, 200), station(make, "s", 500, 200)]
        site = make.site(1000, 600, exclusions=(zone,))
        ground = make.field(site, make.ground(make.level, 1000, 600))
        # a post beside the wood gives trenches a place to bend at
        assets += [asset(make, "post", "control_center", 305, 80)]
        (cable,) = route_cables(ground, assets, [], spec=SPEC, cost_zones=[zone]).cables
        return cable.length_m

    assert length(1.1) < 410
    assert length(50.0) > 430


def test_sources_without_a_trench_are_named(make):
    wall = Zone(make.at(300, -10, 320, 610), name="canal")
    found = route_cables(
        field(make, exclusions=(wall,)), [battery(make, "b", 100, 200), battery(make, "c", 700, 200), station(make, "s", 500, 200)], [],
        spec=SPEC,
    )  # fmt: skip
    assert [c.from_id for c in found.cables] == ["c"]
    assert found.warnings == ("no legal cable trench joins 1 x battery to a substation: their cables are not in the layout",)  # fmt: skip


def test_without_a_substation_or_sources_there_are_no_cables(make):
    assert "no substation" in route_cables(field(make), [battery(make, "b", 100, 200)], [], spec=SPEC).warnings[0]
    nothing = route_cables(field(make), [station(make, "s", 100, 200)], [], spec=SPEC)
    assert (nothing.cables, nothing.metrics) == ((), {"cable_length_m": 0, "trench_length_m": 0.0})


def test_sources_in_a_row_share_feeders_up_to_the_rating(make):
    assets = [station(make, "s", 20, 110), *(battery(make, f"b{k}", 100 + 60 * k, 110) for k in range(12))]
    along = make_spec({"cable": {"own_trench_factor": 10.0}})
    found = route_cables(field(make), assets, [stretch(make, 10, 100, 950, 100)], spec=along)
    assert sorted(Counter(c.cable_id[:3] for c in found.cables).values()) == [2, 5, 5]  # 5 x 5 MW in 29.9 MVA
    assert max(c.load_mva for c in found.cables) <= RATING
    # twelve blocks beside one trench of 735 m, with 9 m to each
    assert found.trench_length_m == pytest.approx(735 + 13 * 10, abs=15)
    assert found.trench_length_m == pytest.approx(union_m(found.cables), abs=0.01)


def test_a_source_above_a_feeders_rating_has_parallel_circuits(make):
    assets = [station(make, "s", 20, 110), asset(make, "g", "gas_turbine", 300, 110, capacity_kw=47_500.0)]
    found = route_cables(field(make), assets, [stretch(make, 10, 100, 950, 100)], spec=SPEC)
    assert [c.cable_id for c in found.cables] == ["F01-01", "F02-01"]
    assert found.cables[0].line == found.cables[1].line
    assert found.length_m == pytest.approx(2 * found.trench_length_m)
    assert sum(c.load_mva for c in found.cables) == pytest.approx(50.0)


def test_the_feeder_rating_follows_the_spec():
    assert feeder_mva(SPEC) == pytest.approx(RATING)
    assert feeder_mva(make_spec({"cable": {"voltage_kv": 33.0, "feeder_current_a": 400.0}})) == pytest.approx(22.863, abs=1e-3)  # fmt: skip


def test_the_load_of_a_skid_is_that_of_its_arrays_within_its_rating(make):
    skid = replace(asset(make, "i", "inverter_skid", 0, 0, rating_kva=4200.0).item, block=3)
    arrays = [Item("solar_array", (k, 0.0, k + 1, 1.0), 10.0, capacity_kw=1500.0, block=3) for k in range(2)]
    assert loads_mva([skid, *arrays]) == {skid: pytest.approx(3.0 / 0.95)}
    assert loads_mva([skid, *arrays, replace(arrays[0], rect=(9.0, 9.0, 10.0, 10.0))]) == {skid: 4.2}


def waves(x, y):
    return 100.0 + 0.015 * x + 4.0 * np.sin(x / 95.0) * np.cos(y / 115.0)


@pytest.fixture(scope="module")
def plans(make):
    """Plans of three profiles on rolling ground with a pond."""
    made = {}
    for profile, target in (("solar_farm", 22_000), ("hybrid", 14_000), ("wind_hybrid", 25_000), ("gas_bess", 60_000)):
        site = make.site(1200, 1200, exclusions=(Zone(make.at(500, 300, 560, 800), name="pond"),))
        made[profile] = generate_layout(
            site, make.dem(make.ground(waves, 1200, 1200)), profile=profile, target_capacity_kw=target
        )
    return made


@pytest.mark.parametrize("profile", ["solar_farm", "hybrid", "wind_hybrid", "gas_bess"])
def test_whole_plans_have_legal_cables(plans, profile):
    plan = plans[profile]
    lines = [c.line for c in plan.cable_list]
    footprints = shapely.union_all([a.footprint for a in plan.asset_list])
    allowed = shapely.difference(plan.site.boundary, shapely.union_all([z.geometry for z in plan.site.exclusions]))
    assert sum(line.intersection(footprints.buffer(-0.01)).length for line in lines) == 0
    assert sum(line.difference(allowed).length for line in lines) == 0
    sources = {a.asset_id for a in plan.asset_list if a.item.kind in ("inverter_skid", "battery", "generator", "gas_turbine", "wind_turbine")}  # fmt: skip
    assert {c.from_id for c in plan.cable_list} == sources
    fed = Counter(c.to_id for c in plan.cable_list if not c.to_id.startswith("substation"))
    assert max(fed.values(), default=1) == 1  # strings, not trees
    assert max(c.load_mva for c in plan.cable_list) <= RATING + 1e-9
    by_id = {a.asset_id: a.footprint for a in plan.asset_list}
    for cable in plan.cable_list:
        first, last = shapely.points(shapely.get_coordinates(cable.line)[[0, -1]])
        assert first.distance(by_id[cable.from_id]) < 1e-6
        assert last.distance(by_id[cable.to_id]) < 1e-6
    m = plan.metrics
    assert m["cable_length_m"] == pytest.approx(sum(line.length for line in lines), abs=0.01)
    assert m["trench_length_m"] == pytest.approx(union_m(plan.cable_list), abs=0.5)


def test_cables_are_in_the_layout_and_in_the_table(plans):
    plan = plans["hybrid"]
    layout = plan.to_geojson()
    found = [f for f in layout["features"] if f["properties"]["kind"] == "cable"]
    assert [f["properties"]["cable_id"] for f in found] == [c.cable_id for c in plan.cable_list]
    assert list(found[0]["properties"]) == ["kind", "cable_id", "from_id", "to_id", "voltage_kv", "length_m", "in_road_trench"]  # fmt: skip
    assert len(plan.cables) == len(plan.cable_list)
    assert plan.cables.crs == plan.crs


def test_the_same_request_gives_the_same_cables(make, plans):
    site = plans["hybrid"].site
    again = generate_layout(site, make.dem(make.ground(waves, 1200, 1200)), profile="hybrid", target_capacity_kw=14_000)
    assert text(again.to_geojson()) == text(plans["hybrid"].to_geojson())
