"""What is written as GeoJSON reads as the same site."""

import pytest
from pyproj import CRS
from shapely import LineString, Point, box

from pacifico.site.boundary import read_site_bytes
from pacifico.site.model import Anchor, NamedLine, Site, Zone
from pacifico.site.written import site_geojson


def test_a_site_survives_being_written():
    site = Site(
        "Aá",
        CRS.from_epsg(32615),
        box(440000, 4640000, 441000, 4641000) - box(440200, 4640200, 440300, 4640300),
        exclusions=(Zone(box(440500, 4640500, 440600, 4640600), "creek", "buffered", 15.0),),
        anchors=(Anchor(Point(440000, 4640500), "Site entry", is_entry=True), Anchor(Point(440100, 4640500), "well")),
        lines=(NamedLine(LineString([(440000, 4640000), (440000, 4641000)]), "County road"),),
    )
    again = read_site_bytes(site_geojson(site), "site.geojson")
    assert again.crs == site.crs
    assert again.name == site.name
    assert again.area_ha == pytest.approx(site.area_ha, rel=1e-6)
    assert again.boundary.symmetric_difference(site.boundary).area < 20
    assert [(z.name, z.zone_type, z.buffer_m) for z in again.exclusions] == [("creek", "buffered", 15.0)]
    assert [(a.name, a.is_entry) for a in again.anchors] == [("Site entry", True), ("well", False)]
    assert [n.name for n in again.lines] == ["County road"]
    assert again.lines[0].line.hausdorff_distance(site.lines[0].line) < 0.01


def test_what_may_be_crossed_and_the_grid_are_kept():
    zones = (
        Zone(box(440000, 4640000, 440100, 4640900), "ditch", "water", crossable=False),
        Zone(box(440200, 4640000, 440210, 4640900), "County road", "road", drivable=True),
        Zone(box(440300, 4640000, 440310, 4640900), "track", "road", drivable=True, existing=True),
    )
    site = Site(
        "x", CRS.from_epsg(32615), box(440000, 4640000, 441000, 4641000), zones, (Anchor(Point(440500, 4640500), "tap", is_poi=True),)
    )  # fmt: skip
    read = read_site_bytes(site_geojson(site), "site.geojson")
    assert [(z.name, z.zone_type, z.crossable, z.drivable, z.existing) for z in read.exclusions] == [
        ("ditch", "water", False, False, False),
        ("County road", "road", None, True, False),
        ("track", "road", None, True, True),
    ]
    assert [(a.name, a.is_poi) for a in read.anchors] == [("tap", True)]
