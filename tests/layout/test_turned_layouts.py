"""Layouts whose rows run along an azimuth: turning everything together changes nothing."""

import math

import numpy as np
import pytest
import shapely
from shapely import Polygon
from shapely.affinity import rotate

from pacifico.errors import InputError
from pacifico.layout.add_racking import add_racking
from pacifico.layout.editing.reopen import read_plan
from pacifico.layout.files.geojson import text
from pacifico.layout.generate import generate_layout
from pacifico.layout.racking.rows import array_rows
from pacifico.site.model import Anchor, Zone

MIDDLE = 300.0
"""Middle of the site from its south-western corner [m]."""


def azimuth(degrees, solar=(), **sections):
    return {"solar": {"row_azimuth_deg": degrees, **dict(solar)}, **sections}


@pytest.fixture(scope="module")
def turned(make):
    """Function that turns a site and its ground clockwise about the middle, and lays it out."""
    centre = (make.west + MIDDLE, make.south + MIDDLE)

    def laid_out(surface, clockwise, degrees, **design):
        def shape(geometry):
            return rotate(geometry, -clockwise, origin=centre)

        def height(x, y):
            cos, sin = math.cos(math.radians(clockwise)), math.sin(math.radians(clockwise))
            u, v = x - MIDDLE, y - MIDDLE
            return surface(MIDDLE + u * cos - v * sin, MIDDLE + u * sin + v * cos)

        boundary = Polygon([(10, 40), (580, 20), (595, 570), (30, 560)])
        boundary = shapely.transform(boundary, lambda xy: xy + np.array([make.west, make.south]))
        site = make.site(
            boundary=shape(boundary),
            exclusions=(Zone(shape(make.at(250, 200, 320, 260)), "pond", "buffered", 5.0),),
            anchors=(Anchor(shape(shapely.Point(make.west + 300, make.south + 30)), "gate", is_entry=True),),
        )
        halo = 400.0 if clockwise % 90 == 0 else 700.0
        dem = make.dem(make.ground(height, halo=halo), source="memory")
        return generate_layout(site, dem, spec=azimuth(degrees, **design.pop("spec", {})), **design), dem

    return laid_out


def plane(x, y):
    return 100.0 + 0.023 * x - 0.031 * y


def turned_back(make, shapes, clockwise):
    centre = (make.west + MIDDLE, make.south + MIDDLE)
    return shapely.union_all([rotate(s, clockwise, origin=centre) for s in shapes])


@pytest.mark.parametrize(("clockwise", "mounting"), [(20.0, "tracker"), (-38.3, "fixed")])
def test_turning_site_ground_and_azimuth_changes_nothing_but_rounding(make, turned, clockwise, mounting):
    design = {"profile": "hybrid", "target_capacity_kw": 6000}
    spec = {"solar": {"mounting": mounting}}
    plan, _ = turned(plane, 5.0, 5.0, spec=spec, **design)
    other, _ = turned(plane, 5.0 + clockwise, 5.0 + clockwise, spec=spec, **design)
    assert other.metrics == plan.metrics
    for name, part in (("asset_list", "footprint"), ("road_list", "line"), ("cable_list", "line")):
        a, b = ([getattr(r, part) for r in getattr(p, name)] for p in (plan, other))
        assert shapely.hausdorff_distance(shapely.union_all(a), turned_back(make, b, clockwise)) < 2e-6
    assert [a.slope_deg for a in other.asset_list] == pytest.approx([a.slope_deg for a in plan.asset_list], abs=1e-9)
    heights = [[z for *_, z in r.line.coords] for p in (plan, other) for r in p.road_list]
    assert np.concatenate(heights[: len(plan.road_list)]) == pytest.approx(
        np.concatenate(heights[len(plan.road_list) :])
    )


@pytest.mark.parametrize("degrees", [90.0, -90.0])
def test_at_right_angles_any_ground_gives_the_layout_of_azimuth_0(make, turned, degrees):
    plan, _ = turned(make.rolling, 0.0, 0.0, target_capacity_kw=6000)
    other, _ = turned(make.rolling, degrees, degrees, target_capacity_kw=6000)
    # intervals of the DEM's error are drawn on each grid anew
    same, again = ({k: v for k, v in p.metrics.items() if "p10_p90" not in k} for p in (plan, other))
    numbers = [k for k, v in same.items() if isinstance(v, float)]
    assert again | {k: same[k] for k in numbers} == same
    assert [again[k] for k in numbers] == pytest.approx([same[k] for k in numbers], rel=1e-4)
    footprints = [a.footprint for a in other.asset_list]
    whole = shapely.union_all([a.footprint for a in plan.asset_list])
    assert shapely.hausdorff_distance(whole, turned_back(make, footprints, degrees)) < 2e-6


@pytest.mark.parametrize(("mounting", "along"), [("tracker", 20.0), ("fixed", 110.0)])
def test_rows_follow_from_the_layout(turned, mounting, along):
    spec = {"solar": {"mounting": mounting}}
    plan, _ = turned(plane, 0.0, 20.0, target_capacity_kw=3000, spec=spec)
    rows = array_rows(plan.asset_list, plan.spec)
    assert {a.azimuth_deg for a in rows} == {along}
    assert len({a.item.rotation_deg for a in plan.asset_list} - {160.0, 70.0}) == 0


def test_a_turned_layout_is_read_back_as_it_was_written(turned, tmp_path):
    plan, dem = turned(plane, 0.0, -35.0, target_capacity_kw=4000)
    again = read_plan(plan.write(tmp_path / "layout.geojson"), dem=dem)
    assert again == plan
    assert again.spec.number("solar", "row_azimuth_deg") == -35.0
    assert {a.azimuth_deg for a in array_rows(again.asset_list, again.spec)} == {145.0}


def test_rows_and_piles_of_a_turned_layout_need_no_grading_on_a_plane(turned):
    plan, dem = turned(plane, 0.0, 20.0, target_capacity_kw=3000)
    whole = add_racking(plan, dem)
    assert whole.metrics["array_cut_m3"] == whole.metrics["array_fill_m3"] == 0.0
    assert whole.metrics["piles_outside_window"] == 0
    inside = shapely.union_all([a.footprint for a in plan.asset_list]).buffer(0.01)
    assert shapely.contains_xy(inside, whole.racking.piles.x, whole.racking.piles.y).all()


def test_grades_of_pads_and_aspects_are_those_of_the_map(turned):
    plan, _ = turned(plane, 0.0, 20.0, profile="bess", target_capacity_kw=30_000)
    aspects = [a.aspect_deg for a in plan.asset_list]
    assert aspects == pytest.approx([math.degrees(math.atan2(-0.023, 0.031)) % 360] * len(aspects), abs=0.01)
    assert all(p.plane.grade_east >= 0 >= p.plane.grade_north for p in plan.pad_list)
    assert any(p.plane.grade_east > 0.001 for p in plan.pad_list)


def test_the_wind_and_setbacks_keep_their_directions(make, turned):
    spec = {"site": {"setbacks": [{"edges": "north", "setback_m": 120.0}]}}
    plan, _ = turned(plane, 0.0, 20.0, target_capacity_kw=4000, spec=spec)
    north = max(a.footprint.bounds[3] for a in plan.asset_list)
    assert north <= make.south + 570 - 120
    assert plan.spec.overrides["site"]["setbacks"][0]["edges"] == "north"
    assert not plan.spec.overrides.get("wind_turbine")


def test_the_same_request_gives_the_same_bytes(turned):
    one, two = (turned(plane, 0.0, 20.0, target_capacity_kw=3000)[0] for _ in range(2))
    assert text(one.to_geojson()) == text(two.to_geojson())


def test_a_requested_entry_is_kept(make, turned):
    from pacifico.crs import LONLAT, transformer

    lon, lat = transformer(make.crs, LONLAT).transform(make.west + 20, make.south + 300)
    plan, _ = turned(plane, 0.0, 20.0, target_capacity_kw=3000, entry=(lon, lat))
    assert plan.entry.distance(shapely.Point(make.west + 20, make.south + 300)) < 60


@pytest.mark.parametrize("degrees", [91.0, -90.5, 180.0])
def test_an_azimuth_out_of_range_is_refused(turned, degrees):
    with pytest.raises(InputError, match=r"row_azimuth_deg.*between -90(.0)? and 90"):
        turned(plane, 0.0, degrees, target_capacity_kw=3000)
