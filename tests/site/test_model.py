"""Records of a site."""

import math
from dataclasses import replace

import pytest
import shapely
from pyproj import CRS
from shapely import Point, box

from pacifico.site.model import Anchor, Site, Zone


@pytest.mark.parametrize("buffer_m", [0.0, 3.0, 40.0])
def test_a_zone_with_its_buffer(buffer_m):
    zone = Zone(box(0, 0, 100, 100), buffer_m=buffer_m)
    corners = 4 * 0.5 * buffer_m**2 * 32 * math.sin(math.pi / 64)  # quarter circles of 32 chords
    assert zone.with_buffer.area == pytest.approx(1e4 + 400 * buffer_m + corners, rel=1e-9)
    assert zone.geometry.area == 1e4


@pytest.mark.parametrize("buffer_m", [3.0, 40.0, 500.0])
def test_a_buffer_is_nowhere_short_by_more_than_its_chords(buffer_m):
    """Round a corner, too: 0.03 % of the buffer, 15 mm of 50 m."""
    zone = Zone(box(0, 0, 100, 100), zone_type="buffered", buffer_m=buffer_m)
    rim = shapely.get_coordinates(shapely.segmentize(zone.with_buffer.exterior, buffer_m / 50))
    distances = shapely.distance(zone.geometry, shapely.points(rim))
    assert distances.max() <= buffer_m + 1e-9
    assert distances.min() >= buffer_m * math.cos(math.pi / 128) - 1e-9


def test_a_sites_area_is_geodesic_and_its_entries_are_anchors():
    gate = Anchor(Point(500_000, 4_600_000), "gate", is_entry=True)
    site = Site(
        "x", CRS.from_epsg(32615), box(500_000, 4_600_000, 501_000, 4_601_000), anchors=(gate, Anchor(gate.point))
    )
    assert site.area_ha == pytest.approx(100 / 0.9996**2, rel=1e-6)
    assert site.entries == (gate,)


def test_a_known_area_is_kept_as_the_boundary_moves(make):
    site = make.site(300, 200)
    assert replace(site, true_area_ha=5.0).area_ha == 5.0
    assert replace(site, true_area_ha=5.0, boundary=make.at(0, 0, 10, 10)).area_ha == 5.0
    assert site.area_ha == pytest.approx(6.0, rel=0.01)
