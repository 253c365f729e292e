"""Exclusion files, and the ground that they leave."""

import json
import logging

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.errors import SiteError
from pacifico.site.exclusions import (
    Exclusions,
    free_ground,
    load_exclusions,
    load_roads,
    net_area_ha,
    read_exclusions,
    with_exclusions,
    with_roads,
)
from pacifico.site.model import Zone


def test_net_area_overlaps_once_and_cost_is_free(site):
    square = shapely.box(*site.boundary.bounds).centroid.buffer(100, cap_style="square")
    zones = (Zone(square), Zone(square), Zone(site.boundary, zone_type="cost", cost_multiplier=3.0))
    full = with_exclusions(site, zones)
    assert_allclose(free_ground(full).area, site.boundary.area - 200**2, rtol=1e-9)
    assert site.exclusions == ()
    assert net_area_ha(site) == pytest.approx(site.area_ha, rel=1e-12)
    assert net_area_ha(with_exclusions(site, (Zone(site.boundary),))) == 0.0


def test_read_zones(exclude, area):
    loaded = exclude(
        ({"name": "pond"}, area()),
        ({"name": "line", "buffer_m": 30, "zone_type": "buffered"}, area()),
        ({"name": "forest", "cost_multiplier": "2.5"}, area()),
        ({"Name": "town", "zone_type": "Hard", "buffer_m": ""}, area()),
    )
    assert [(z.name, z.zone_type, z.buffer_m, z.cost_multiplier) for z in loaded.zones] == [
        ("pond", "hard", 0.0, 1.0),
        ("line", "buffered", 30.0, 1.0),
        ("forest", "cost", 0.0, 2.5),
        ("town", "hard", 0.0, 1.0),
    ]
    assert loaded.warnings == ()


BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]


def test_the_sites_boundary_in_an_exclusion_file_is_skipped(exclude, area):
    loaded = exclude(({"name": "Site boundary"}, area(BOX)), ({"name": "pond"}, area()))
    assert [z.name for z in loaded.zones] == ["pond"]
    assert any("1 feature skipped: the site's boundary" in w for w in loaded.warnings)


def test_a_pond_named_boundary_stays_an_exclusion(exclude, area):
    loaded = exclude(({"name": "Boundary Lake"}, area()), ({"name": "pond"}, area()))
    assert [z.name for z in loaded.zones] == ["Boundary Lake", "pond"]
    assert any("1 polygon named boundary ('Boundary Lake') kept free" in w for w in loaded.warnings)


@pytest.mark.parametrize("column", ["kind", "KIND", "Type"])
@pytest.mark.parametrize("value", ["road", "pad", "asset", "farm", "boundary line"])
def test_columns_of_other_programs_drop_no_exclusion(exclude, area, column, value):
    loaded = exclude(({column: value, "name": "a"}, area()), ({column: "cable", "name": "b"}, area()))
    assert [(z.name, z.zone_type) for z in loaded.zones] == [("a", "hard"), ("b", "hard")]


def test_a_countys_zone_type_is_ignored_and_the_zone_kept_free(exclude, area):
    loaded = exclude(({"ZONE_TYPE": "AG-1", "NAME": "Agricultural"}, area()), ({"ZONE_TYPE": "R-2"}, area()))
    assert [z.zone_type for z in loaded.zones] == ["hard", "hard"]
    assert any("zone_type 'AG-1', 'R-2' is not hard, buffered or cost" in w for w in loaded.warnings)


def test_our_own_layout_gives_its_exclusions_alone(exclude, area):
    parts = (
        ({"kind": "boundary"}, area(BOX)),
        ({"kind": "asset"}, area()),
        ({"kind": "exclusion", "name": "pond"}, area()),
    )
    for members in ({}, {"pacifico": {"schema_version": 2}}):
        loaded = exclude(*parts, **members)
        assert [z.name for z in loaded.zones] == ["pond"]
        assert any("2 features skipped" in w for w in loaded.warnings)


def test_an_empty_file_is_refused(exclude):
    with pytest.raises(SiteError, match="no features found"):
        exclude()


def test_warnings_reach_the_log_and_the_site(tmp_path, site, caplog, area):
    path = tmp_path / "free.geojson"
    path.write_text(json.dumps(area([[50, 45], [50.1, 45], [50, 45.1], [50, 45]])), encoding="utf-8")
    with caplog.at_level(logging.WARNING, "pacifico.site.exclusions"):
        assert read_exclusions(path, site) == ()
    assert "1 shape farther than 1 km" in caplog.text
    loaded = load_exclusions(path, site)
    assert isinstance(loaded, Exclusions)
    assert with_exclusions(site, loaded).warnings == loaded.warnings


TRACK = {"type": "LineString", "coordinates": [[9.99, 45.005], [10.01, 45.005]]}


def roads_file(path, *features, **members):
    found = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": found}), encoding="utf-8")
    return path


def test_lines_and_polygons_of_a_file_of_roads_are_existing_roads(site, area, tmp_path):
    file = roads_file(tmp_path / "roads.geojson", ({"name": "track"}, TRACK), ({"zone_type": "hard"}, area()))
    found = load_roads(file, site)
    assert [(z.name, z.zone_type, z.drivable, z.existing) for z in found.zones] == [
        ("track", "road", True, True),
        ("", "road", True, True),
    ]
    assert len(with_roads(site, file).exclusions) == 2


def test_a_narrow_track_keeps_room_for_a_site_road(site, tmp_path):
    file = roads_file(tmp_path / "roads.geojson", ({"width_m": 3}, TRACK), ({"width_m": 16}, TRACK))
    narrow, wide = load_roads(file, site).zones
    length_m = narrow.geometry.area / 10.0
    assert wide.geometry.area / length_m == pytest.approx(16.0, rel=0.01)


def test_roads_of_an_earlier_layout_are_read_and_the_rest_is_not(site, area, tmp_path):
    own = (
        ({"kind": "boundary", "name": "A"}, area(BOX)),
        ({"kind": "road", "road_id": "R001", "width_m": 6.1}, TRACK),
        ({"kind": "cable"}, TRACK),
        ({"kind": "pad"}, area()),
    )
    found = load_roads(roads_file(tmp_path / "layout.geojson", *own), site)
    assert len(found.zones) == 1


def test_points_are_no_roads(site, tmp_path):
    gate = {"type": "Point", "coordinates": [10.01, 45.005]}
    with pytest.raises(SiteError, match=r"roads\.geojson: no road found"):
        load_roads(roads_file(tmp_path / "roads.geojson", ({}, gate)), site)
    found = load_roads(roads_file(tmp_path / "roads.geojson", ({}, gate), ({"name": "track"}, TRACK)), site)
    assert any("1 point left out" in w for w in found.warnings)


def test_roads_far_from_the_site_are_left_out_and_said(site, tmp_path):
    far = {"type": "LineString", "coordinates": [[11.0, 46.0], [11.1, 46.0]]}
    found = load_roads(roads_file(tmp_path / "roads.geojson", ({}, far)), site)
    assert found.zones == ()
    assert any("none lies near the site" in w for w in found.warnings)


def test_a_role_in_an_exclusion_file_is_an_existing_road_and_a_name_is_not(exclude):
    stated, named = exclude(({"name": "track", "role": "road"}, TRACK), ({"name": "County Road 5"}, TRACK)).zones
    assert (stated.existing, stated.drivable) == (True, True)
    assert (named.existing, named.drivable) == (False, True)


@pytest.mark.parametrize(
    "properties",
    [
        {"role": "water"},
        {"role": "river"},
        {"role": "transmission line"},
        {"zone_type": "wetland"},
        {"kind": "exclusion"},
        {"role": "boundary"},
        {"name": "Mill Creek"},
        {"name": "138 kV line"},
        {"name": "wetland"},
    ],
)
def test_shapes_that_are_no_roads_are_left_out_by_name(site, tmp_path, properties):
    file = roads_file(tmp_path / "roads.geojson", ({"name": "Mill Creek Road"}, TRACK), (properties, TRACK))
    found = load_roads(file, site)
    assert [z.name for z in found.zones] == ["Mill Creek Road"]
    assert any("1 shape that is no road left out" in w and "role road" in w for w in found.warnings)


def test_the_role_road_keeps_a_shape_whatever_its_name(site, tmp_path):
    found = load_roads(roads_file(tmp_path / "roads.geojson", ({"name": "Mill Creek", "role": "road"}, TRACK)), site)
    assert [z.name for z in found.zones] == ["Mill Creek"]


@pytest.mark.parametrize("line", [[[10.0, 45.0]] * 2, [[10.0, 45.0]], []])
def test_lines_without_length_are_no_roads(site, tmp_path, line):
    bare = ({}, {"type": "LineString", "coordinates": line})
    with pytest.raises(SiteError, match=r"no road found .*without length"):
        load_roads(roads_file(tmp_path / "roads.geojson", bare), site)
    found = load_roads(roads_file(tmp_path / "roads.geojson", bare, ({}, TRACK)), site)
    assert len(found.zones) == 1
    assert any("1 line without length left out" in w for w in found.warnings)


@pytest.mark.parametrize("width", [-3, 0, "wide", True, 5000])
def test_a_width_that_is_none_is_said(site, tmp_path, width):
    found = load_roads(roads_file(tmp_path / "roads.geojson", ({"width_m": width}, TRACK)), site)
    assert any("width_m of 1 line is no number" in w for w in found.warnings)


def test_roads_over_most_of_the_site_are_refused(site, area, tmp_path):
    with pytest.raises(SiteError, match=r"roads\.geojson: the roads cover 100% of the site, more than 50%"):
        load_roads(roads_file(tmp_path / "roads.geojson", ({}, area(BOX))), site)


def test_a_road_beside_the_site_is_no_zone_without_effect(site, tmp_path):
    beside = {"type": "LineString", "coordinates": [[10.0, 44.9995], [10.02, 44.9995]]}
    found = load_roads(roads_file(tmp_path / "roads.geojson", ({}, beside)), site)
    assert len(found.zones) == 1
    assert not any("outside" in w for w in found.warnings)


@pytest.mark.parametrize("noise_deg", [0.0, 5e-5])
def test_a_track_of_a_hundred_thousand_points_is_as_wide_as_one_of_two(site, tmp_path, noise_deg):
    x = np.linspace(9.99, 10.01, 100_000)
    y = 45.005 + noise_deg * np.random.default_rng(1).uniform(-1, 1, len(x))
    dense = {"type": "LineString", "coordinates": np.column_stack([x, y]).tolist()}
    (found,) = load_roads(roads_file(tmp_path / "dense.geojson", ({}, dense)), site).zones
    (plain,) = load_roads(
        roads_file(tmp_path / "plain.geojson", ({"width_m": 10 + 2 * noise_deg * 111_000}, TRACK)), site
    ).zones
    assert shapely.get_num_coordinates(found.geometry) < 10_000
    assert found.geometry.is_valid
    assert found.geometry.area == pytest.approx(plain.geometry.area, rel=0.02)
