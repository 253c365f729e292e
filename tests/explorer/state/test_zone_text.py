"""Zones from typed text: WKT, GeoJSON and coordinates mean the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import box
from shapely.geometry import mapping

from pacifico.crs import LONLAT, reproject, utm
from pacifico.errors import InputError
from pacifico.explorer.state.zone_text import parse_place, parse_zones
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
SITE = Site("Farm", CRS, box(750_000, 4_054_000, 751_000, 4_055_000))
POND = reproject(box(750_100, 4_054_100, 750_200, 4_054_200), CRS, LONLAT)
PAIRS = "\n".join(f"{x:.9f}, {y:.9f}" for x, y in POND.exterior.coords[:-1])


@pytest.mark.parametrize(
    "text",
    [
        POND.wkt,
        f"SRID=4326;{POND.wkt}",
        json.dumps(mapping(POND)),
        json.dumps({"type": "Feature", "properties": None, "geometry": mapping(POND)}),
        PAIRS,
        PAIRS.replace("\n", "; ").replace(",", " "),
    ],
)
def test_every_form_gives_the_same_zone(text):
    (zone,) = parse_zones(text, SITE, buffer_m=7.0)
    assert zone.area.symmetric_difference(POND).area < 1e-12
    assert (zone.name, zone.buffer_m) == ("typed", 7.0)


def test_a_feature_keeps_its_own_name_and_buffer():
    feature = {"type": "Feature", "properties": {"name": "Mill pond", "buffer_m": 3}, "geometry": mapping(POND)}
    (zone,) = parse_zones(json.dumps({"type": "FeatureCollection", "features": [feature]}), SITE, buffer_m=9.0)
    assert (zone.name, zone.buffer_m) == ("Mill pond", 3.0)


@pytest.mark.parametrize("pairs", [1, 2])
def test_points_and_lines_need_a_buffer(pairs):
    text = "\n".join(PAIRS.splitlines()[:pairs])
    (zone,) = parse_zones(text, SITE, buffer_m=10.0)
    area_m2 = reproject(zone.area, LONLAT, CRS).area
    assert area_m2 == pytest.approx(314 if pairs == 1 else 2314, rel=0.01)
    with pytest.raises(InputError, match="buffer"):
        parse_zones(text, SITE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no text"),
        ("hello", "is no pair of coordinates"),
        ("36.6", "is no pair of coordinates"),
        ("POLYGON((0 0", "WKT can't be read"),
        ("SRID=3857;POINT(0 0)", "another SRID"),
        ("{", "is no JSON"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        ("200, 10", "is no longitude and latitude"),
        ("POLYGON((10 10, 11 10, 11 11, 10 10))", "no zone was found"),
        ("1 1;" * 300_000, "characters"),
    ],
)
def test_what_is_no_zone_is_refused(text, message):
    with pytest.raises(InputError) as refused:
        parse_zones(text, SITE, buffer_m=1.0)
    assert message in str(refused.value)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy
@given(st.text(max_size=80))
def test_any_text_is_a_zone_or_refused(text):
    try:
        assert parse_zones(text, SITE, buffer_m=1.0)
    except InputError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 (either is right)


def test_a_place_is_longitude_first():
    assert parse_place(" -84.20, 36.60 ") == (-84.2, 36.6)
    assert parse_place("-84.20° 36.60°") == (-84.2, 36.6)
    for bad in ("", "36.6", "north", "36.6, -184", "1, 2, 3"):
        with pytest.raises(InputError):
            parse_place(bad)
