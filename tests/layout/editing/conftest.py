"""Plans on rolling ground, editors that share a context, and the invariants of every plan."""

import json
from collections import Counter
from dataclasses import astuple
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
import shapely

import pacifico
from pacifico.layout.criteria.request import main_slope_limit
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.pads import graded_pads
from pacifico.layout.files.geojson import schema
from pacifico.layout.generate import generate_layout
from pacifico.layout.metrics import buildable_ground, tally, works_spread
from pacifico.layout.model.assets import outline
from pacifico.site.model import Zone

WIDE, HIGH = 900.0, 700.0
"""Size of the site [m]."""


@pytest.fixture(scope="session")
def ground(make):
    """Rolling ground with a steep bank in the north-east and a hole in the DEM in the north-west."""

    def height(x, y):
        z = 100 + 0.01 * x + 3.0 * np.sin(x / 90.0) * np.cos(y / 110.0)
        z = z + np.where((x > 700) & (y > 500), 0.5 * (x - 700), 0.0)
        return np.where((x < 60) & (y > 620), np.nan, z)

    return make.ground(height, WIDE, HIGH)


@pytest.fixture(scope="session")
def dem(make, ground):
    return make.dem(ground)


@pytest.fixture(scope="session")
def site(make):
    return make.site(WIDE, HIGH, exclusions=(Zone(make.at(380, 300, 430, 350), "pond", "buffered", 5.0),))


@pytest.fixture(scope="session")
def hybrid(site, dem):
    return generate_layout(site, dem, profile="hybrid", target_capacity_kw=9000)


@pytest.fixture(scope="session")
def gas(site, dem):
    return generate_layout(site, dem, profile="gas_bess", target_capacity_kw=20_000)


class Plans(dict):
    """Plans by profile, with a short form for failing properties."""

    def __repr__(self):
        return f"plans of {', '.join(self)}"


@pytest.fixture(scope="session")
def plans(hybrid, gas):
    return Plans(hybrid=hybrid, gas_bess=gas)


@pytest.fixture(scope="session")
def open_(dem):
    """Function that opens an editor; editors of one profile share a context."""
    contexts = {}

    def opened(plan):
        editor = pacifico.edit(plan, dem)
        editor.context = contexts.setdefault(plan.profile, editor.context)
        return editor

    return opened


def first(plan, kind, n=0):
    return [a for a in plan.asset_list if a.item.kind == kind][n]


def check_invariants(plan, context, dem):
    """Check the contract of every layout, independent of the editing code."""
    field, roads = context.field(plan.site), context.roads
    footprints = [a.footprint for a in plan.asset_list]
    pads = {p.asset_ids[0]: p.plane for p in plan.pad_list}
    taken = [pads[a.asset_id].polygon if a.asset_id in pads else a.footprint for a in plan.asset_list]
    assert len({a.asset_id for a in plan.asset_list}) == len(plan.asset_list)
    assert set(pads) == {a.asset_id for a in plan.asset_list if a.item.kind != "solar_array"}
    grown = field.placeable.buffer(1e-6)
    assert all(grown.covers(t) for t in taken)
    tree = shapely.STRtree(taken)
    for i, j in tree.query(taken, predicate="intersects").T.tolist():
        assert i >= j or taken[i].intersection(taken[j]).area < 0.02
    for a, shape in zip(plan.asset_list, footprints, strict=True):
        assert a.slope_deg <= a.item.slope_limit_deg + 1e-6
        assert shape.equals_exact(outline(a.item), 1e-9)
        served = next(r for r in plan.road_list if r.road_id == a.service_road_id)
        reach = context.spec.number("site", "array_reach_m" if a.item.kind == "solar_array" else "road_reach_m")
        assert served.line.distance(shape) <= reach
    lines = [r.line for r in plan.road_list]
    assert shapely.distance(np.array(lines)[:, None], np.array(taken)[None, :]).min() >= roads.width_m / 2
    declared = [c.line.buffer(roads.width_m, cap_style="square") for c in plan.crossing_list]
    drivable = shapely.union_all([field.allowed.buffer(0.01), *declared])
    for r in plan.road_list:
        assert drivable.covers(r.line.buffer(r.width_m / 2, cap_style="flat"))
        xyz = shapely.get_coordinates(r.line, include_z=True)
        run = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
        assert (np.abs(np.diff(xyz[:, 2])) <= roads.max_grade * run + 0.01).all()
    check_network(plan)
    check_measures(plan, context, dem, field)
    blocks = Counter(a.item.block for a in plan.asset_list if a.item.kind == "inverter_skid")
    assert all(blocks[a.item.block] == 1 for a in plan.asset_list if a.item.kind == "solar_array")
    jsonschema.validate(json.loads(json.dumps(plan.to_geojson())), schema())


def check_network(plan):
    """Check that roads share vertices and heights and are joined to an entry."""
    at = {}
    for k, r in enumerate(plan.road_list):
        for x, y, z in r.line.coords:
            at.setdefault((x, y), []).append((k, z))
    assert all(max(z for _, z in who) - min(z for _, z in who) < 0.01 for who in at.values())
    seen, queue = set(), [k for e in plan.entries for k, _ in at[e.x, e.y]]
    while queue:
        k = queue.pop()
        if k not in seen:
            seen.add(k)
            queue += [o for x, y, _ in plan.road_list[k].line.coords for o, _ in at[x, y]]
    assert len(seen) == len(plan.road_list)


def check_measures(plan, context, dem, field):
    """Check that the metrics equal those of measuring the whole plan."""
    rules = context.earthwork
    volumes = corridors(
        field.ground, [r.line for r in plan.road_list], [r.width_m for r in plan.road_list], criteria=rules
    )
    # places on the map are rounded to a micrometre where the plan is turned
    rounded_m3 = 0.0 if context.turner is None else 1e-3
    assert np.array([astuple(v) for v in plan.road_volumes]) == pytest.approx(
        np.array([astuple(v) for v in volumes]), rel=0.0, abs=rounded_m3
    )
    planes = np.array([[p.plane.elevation_m, p.plane.grade_east, p.plane.grade_north] for p in plan.pad_list])
    again = graded_pads(field.ground, [p.plane.polygon for p in plan.pad_list], planes.reshape(-1, 3), criteria=rules)
    for pad, plane in zip(plan.pad_list, again, strict=True):
        assert (pad.plane.cut_m3, pad.plane.fill_m3) == pytest.approx(
            (plane.cut_m3, plane.fill_m3), abs=max(rounded_m3, 1e-6)
        )
    spread = works_spread(dem, [p.plane for p in plan.pad_list], plan.road_list, rules).sum(axis=1)
    limit = main_slope_limit(plan.profile, plan.spec)
    whole = tally(
        plan.site, plan.asset_list, plan.pad_list, plan.road_list, volumes, unreached=plan.unreached_count,
        spread_m3=spread, buildable=buildable_ground(plan.site, field, dem, limit),
    )  # fmt: skip
    assert {k: plan.metrics[k] for k in whole} == whole
    cables = context.cables(plan.site, plan.asset_list, plan.road_list)
    assert {k: plan.metrics[k] for k in cables.metrics} == cables.metrics


def geometry(plan):
    """All geometry of a plan, rounded to 0.1 mm."""
    shapes = [*(a.footprint for a in plan.asset_list), *(p.plane.polygon for p in plan.pad_list)]
    shapes += [r.line for r in plan.road_list]
    return [np.round(shapely.get_coordinates(s, include_z=s.has_z), 4).tolist() for s in shapes]


def zone_on_road(plan, share=0.5, radius=3.0, **more):
    """Zone on the longest road, at a share of its length."""
    spine = max(plan.road_list, key=lambda r: r.length_m).line
    place = spine.interpolate(share, normalized=True)
    return Zone(shapely.Point(place.x, place.y).buffer(radius), "drawn", **more)


def clear_of(plan, zone):
    strips = [r.line.distance(zone.with_buffer) >= r.width_m / 2 - 1e-9 for r in plan.road_list]
    return all(strips)


@pytest.fixture(scope="session")
def plan_tools():
    """Checks of plans, and shorthands for their parts."""
    return SimpleNamespace(
        check_invariants=check_invariants, clear_of=clear_of, first=first, geometry=geometry, zone_on_road=zone_on_road,
        width_m=WIDE, height_m=HIGH,
    )  # fmt: skip
