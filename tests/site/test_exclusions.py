"""Exclusions: which polygons are, what they state, and the ground they leave."""

import json
import logging

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject
from pacifico.errors import SiteError
from pacifico.site.exclusions import (
    Exclusions,
    free_ground,
    load_exclusions,
    net_area_ha,
    read_exclusions,
    with_exclusions,
)
from pacifico.site.features import Feature
from pacifico.site.model import Zone
from pacifico.site.roles import is_entry, role_of

INNER = "10.005,45.002 10.010,45.002 10.010,45.006 10.005,45.006 10.005,45.002"
RING = [[10.005, 45.002], [10.010, 45.002], [10.010, 45.006], [10.005, 45.006], [10.005, 45.002]]


@pytest.fixture
def site(read, kml):
    return read(kml.document(kml.placemark(kml.polygon(), "A")))


@pytest.fixture
def exclude(tmp_path, site):
    def excluding(*features):
        path = tmp_path / "free.geojson"
        members = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": members}), encoding="utf-8")
        return load_exclusions(path, site)

    return excluding


def area(ring=None):
    return {"type": "Polygon", "coordinates": [ring or RING]}


@pytest.mark.parametrize(
    ("feature", "layer", "role"),
    [
        (Feature("Site Exclusion 9"), "", "exclusion"),
        (Feature("wetland EXCLUDED"), "", "exclusion"),
        (Feature("Zona de exclusión"), "", "exclusion"),
        (Feature("No-build strip"), "", "exclusion"),
        (Feature("no build"), "", "exclusion"),
        (Feature("Keep out"), "", "exclusion"),
        (Feature("No-go area"), "", "exclusion"),
        (Feature("pond", labels=("Wet", "Exclusions")), "", "exclusion"),
        (Feature("pond"), "exclusion_zones", "exclusion"),
        (Feature("pond", properties={"kind": "exclusion"}), "", "exclusion"),
        (Feature("pond", properties={"type": "Exclusion area"}), "", "exclusion"),
        (Feature("pond", properties={"zone_type": "hard"}), "", "exclusion"),
        (Feature("Exclusive option parcel"), "", "parcel"),
        (Feature("Land excluding wetlands"), "", "parcel"),
        (Feature("Wetland"), "", "parcel"),
        (Feature("North"), "Boundary and exclusions", "parcel"),
        (Feature("Site boundary", labels=("Exclusions",)), "", "boundary"),
        (Feature("x", properties={"kind": "boundary"}), "exclusions", "boundary"),
        (Feature("x", properties={"kind": "asset"}), "", "other"),
        (Feature("x", properties={"zone_type": "R1 residential"}), "", "parcel"),
    ],
)
def test_roles(feature, layer, role):
    assert role_of(feature, layer) == role


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Gate", True),
        ("site-entry", True),
        ("ACCESS", True),
        ("aggregate", False),
        ("Investigate", False),
        ("without access", False),
    ],
)
def test_entries(name, entry):
    assert is_entry(Feature(name)) is entry


def test_kml_exclusions_are_zones_not_holes(read, kml):
    text = kml.document(
        kml.placemark(kml.polygon(), "Boundary"),
        "<Folder><name>Exclusions</name>" + kml.placemark(kml.polygon(INNER), "pond", {"buffer_m": "20"}) + "</Folder>",
    )
    site = read(text)
    (zone,) = site.exclusions
    assert (zone.name, zone.zone_type, zone.buffer_m) == ("pond", "buffered", 20.0)
    assert len(site.boundary.interiors) == 0
    assert any("1 feature read as exclusions" in w for w in site.warnings)
    ground = site.boundary.area - zone.geometry.buffer(20).area
    assert_allclose(net_area_ha(site) / site.area_ha, ground / site.boundary.area, rtol=1e-5)


def test_only_exclusions_is_no_site(read, kml):
    with pytest.raises(SiteError, match="its 1 polygon all say exclusion"):
        read(kml.document(kml.placemark(kml.polygon(), "exclusion")))


def test_net_area_overlaps_once_and_cost_is_free(site):
    square = shapely.box(*site.boundary.bounds).centroid.buffer(100, cap_style="square")
    zones = (Zone(square), Zone(square), Zone(site.boundary, zone_type="cost", cost_multiplier=3.0))
    full = with_exclusions(site, zones)
    assert_allclose(free_ground(full).area, site.boundary.area - 200**2, rtol=1e-9)
    assert site.exclusions == ()
    assert net_area_ha(site) == pytest.approx(site.area_ha, rel=1e-12)
    assert net_area_ha(with_exclusions(site, (Zone(site.boundary),))) == 0.0


def test_read_zones(exclude):
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


def test_zone_is_in_the_sites_crs_and_not_clipped(exclude, site):
    wide = [[10.01, 45.005], [10.5, 45.005], [10.5, 45.1], [10.01, 45.005]]
    (zone,) = exclude(({}, area(wide))).zones
    assert_allclose(shapely.get_coordinates(reproject(zone.geometry, site.crs, LONLAT)), wide, atol=1e-9)


def test_lines_and_points_need_a_buffer(exclude, site):
    line = {"type": "LineString", "coordinates": [[10.001, 45.005], [10.019, 45.005]]}
    point = {"type": "Point", "coordinates": [10.01, 45.005]}
    loaded = exclude(({"buffer_m": 10}, line), ({"buffer_m": 50}, point), ({}, line))
    strip, disc = loaded.zones
    length = reproject(shapely.LineString(line["coordinates"]), LONLAT, site.crs).length
    assert_allclose(strip.geometry.area, 20 * length + 3.14 * 100, rtol=1e-3)
    assert_allclose(disc.geometry.area, 3.1416 * 2500, rtol=1e-2)
    assert (strip.buffer_m, strip.zone_type) == (0.0, "buffered")
    assert any("1 line or point without buffer_m left out" in w for w in loaded.warnings)


def test_far_zones_are_left_out_and_said(exclude):
    def at(lon):
        return area([[lon, 45], [lon + 0.001, 45], [lon, 45.001], [lon, 45]])

    # 0.01° is 788 m here: at 10.03 within 1 km of the site's eastern edge, at 10.04 not, but for its buffer.
    loaded = exclude(
        ({"name": "near"}, at(10.03)),
        ({"name": "far"}, at(10.04)),
        ({"name": "wide", "buffer_m": 2000}, at(10.04)),
        ({}, at(-120)),
    )
    assert [z.name for z in loaded.zones] == ["near", "wide"]
    assert any("2 shapes farther than 1 km" in w for w in loaded.warnings)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"buffer_m": -1}, "buffer_m '-1' of 'x' is not a number from 0 to 10000 m"),
        ({"buffer_m": 10_001}, "buffer_m '10001'"),
        ({"buffer_m": "25 m"}, "buffer_m '25 m'"),
        ({"buffer_m": "nan"}, "buffer_m 'nan'"),
        ({"buffer_m": True}, "buffer_m 'True'"),
        ({"buffer_m": [1]}, "buffer_m"),
        ({"cost_multiplier": 0}, "cost_multiplier '0' of 'x' is not a number from 1 to 1000"),
        ({"zone_type": "soft"}, "zone_type 'soft' of 'x' is not known; write hard, buffered or cost"),
    ],
)
def test_rules_out_of_range(exclude, properties, message):
    with pytest.raises(SiteError, match=message):
        exclude(({"name": "x", **properties}, area()))


def test_boundary_in_an_exclusion_file_is_passed_over(exclude):
    loaded = exclude(({"name": "Site boundary"}, area()), ({"kind": "asset"}, area()), ({"name": "pond"}, area()))
    assert [z.name for z in loaded.zones] == ["pond"]
    assert any("2 features passed over" in w for w in loaded.warnings)


def test_crossing_zone_is_repaired_and_said(exclude):
    bowtie = [[10.005, 45.002], [10.010, 45.006], [10.010, 45.002], [10.005, 45.006], [10.005, 45.002]]
    loaded = exclude(({"name": "b"}, area(bowtie)))
    assert loaded.zones[0].geometry.is_valid
    assert any("exclusions: the ring of 'b' crosses" in w for w in loaded.warnings)


def test_empty_file_says_so(exclude):
    with pytest.raises(SiteError, match="no features found"):
        exclude()


def test_warnings_reach_the_log_and_the_site(tmp_path, site, caplog):
    path = tmp_path / "free.geojson"
    path.write_text(json.dumps(area([[50, 45], [50.1, 45], [50, 45.1], [50, 45]])), encoding="utf-8")
    with caplog.at_level(logging.WARNING, "pacifico.site.exclusions"):
        assert read_exclusions(path, site) == ()
    assert "1 shape farther than 1 km" in caplog.text
    loaded = load_exclusions(path, site)
    assert isinstance(loaded, Exclusions)
    assert with_exclusions(site, loaded).warnings == loaded.warnings
