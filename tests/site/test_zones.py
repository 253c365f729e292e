"""Zones of exclusion features."""

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject
from pacifico.errors import SiteError


def test_zone_is_in_the_sites_crs_and_not_clipped(exclude, site, area):
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


def test_far_zones_are_left_out_with_a_warning(exclude, area):
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
    ],
)
def test_rules_out_of_range(exclude, properties, message, area):
    with pytest.raises(SiteError, match=message):
        exclude(({"name": "x", **properties}, area()))


def test_crossing_zone_is_repaired_with_a_warning(exclude, area):
    bowtie = [[10.005, 45.002], [10.010, 45.006], [10.010, 45.002], [10.005, 45.006], [10.005, 45.002]]
    loaded = exclude(({"name": "b"}, area(bowtie)))
    assert loaded.zones[0].geometry.is_valid
    assert any("exclusions: the ring of 'b' crosses" in w for w in loaded.warnings)


def test_a_zone_that_spans_the_world_is_cut_to_the_sites_surroundings(exclude, site, area):
    # An inverse mask: everything but the site is excluded. UTM has no coordinates on the other side of the earth.
    hole = [[10.0, 45.0], [10.02, 45.0], [10.02, 45.02], [10.0, 45.02], [10.0, 45.0]]
    world = {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]], hole]}
    (zone,) = exclude(({}, world)).zones
    lonlat = reproject(zone.geometry, site.crs, LONLAT)
    west, south, east, north = lonlat.bounds
    assert_allclose([west, south, east, north], [8, 43, 12.02, 47.02], atol=0.05)
    assert_allclose(
        shapely.Polygon(lonlat.interiors[0]).symmetric_difference(shapely.Polygon(hole)).area, 0.0, atol=1e-9
    )


def test_a_line_around_the_world_is_cut_to_the_sites_surroundings(exclude, site):
    line = {"type": "LineString", "coordinates": [[-180, 45.005], [180, 45.005]]}
    (strip,) = exclude(({"buffer_m": 10}, line)).zones
    assert strip.geometry.is_valid
    centre = reproject(shapely.Point(10.01, 45.005), LONLAT, site.crs)
    assert strip.geometry.contains(centre)
    assert 300e3 < strip.geometry.length / 2 < 340e3
