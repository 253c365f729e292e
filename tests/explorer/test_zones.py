"""Zones come from the drawing tools and from text; known ones keep what they are."""

from __future__ import annotations

import json

from shapely import box
from shapely.geometry import mapping

from pacifico.crs import LONLAT, reproject, utm
from pacifico.explorer.state.document import DrawnZone
from pacifico.explorer.zones import Zones, free_name, zones_of
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
SITE = Site("Farm", CRS, box(750_000, 4_054_000, 751_000, 4_055_000))
POND = reproject(box(750_100, 4_054_100, 750_200, 4_054_200), CRS, LONLAT)
WOOD = reproject(box(750_300, 4_054_100, 750_400, 4_054_200), CRS, LONLAT)


def feature(area, **properties):
    return {"type": "Feature", "properties": properties, "geometry": mapping(area)}


def rounded(area):
    return mapping(type(area)([(round(x, 6), round(y, 6)) for x, y in area.exterior.coords]))


def test_a_known_zone_keeps_its_exact_shape_and_buffer():
    pond = DrawnZone("Mill pond", POND, 5.0)
    seen = {"type": "Feature", "properties": {"name": "Mill pond"}, "geometry": rounded(POND)}
    assert zones_of([seen, feature(WOOD)], [pond]) == (pond, DrawnZone("drawn 1", WOOD))
    (moved,) = zones_of([feature(WOOD, name="Mill pond")], [pond])
    assert moved == DrawnZone("Mill pond", WOOD, 5.0)
    assert zones_of([], [pond]) == ()


def test_names_are_unique():
    twice = zones_of([feature(POND, name="a"), feature(WOOD, name="a")], [DrawnZone("a", POND)])
    assert [z.name for z in twice] == ["a", "drawn 1"]
    assert free_name("typed", [DrawnZone("typed", POND)]) == "typed 1"
    assert free_name("drawn", []) == "drawn 1"


def test_typed_zones_are_added_and_refusals_shown():
    heard = []
    zones = Zones(SITE, heard.append)
    zones.text.value, zones.buffer_m.value = POND.wkt, 6.0
    zones.add.click()
    ((zone,),) = heard
    assert (zone.name, zone.buffer_m) == ("typed", 6.0)
    assert zones.text.value == ""
    zones.text.value = "<b>nothing"
    zones.add.click()
    assert "&lt;b&gt;nothing" in zones.message.value
    assert len(heard) == 1


def test_zones_that_are_set_are_no_change_of_the_user():
    heard = []
    zones = Zones(SITE, heard.append)
    zones.set((DrawnZone("pond", POND),))
    assert [f["properties"]["name"] for f in zones.drawing.data] == ["pond"]
    assert heard == []
    zones.drawing.data = []
    assert heard == [()]


LINE = {"type": "LineString", "coordinates": [list(p) for p in POND.exterior.coords[:2]]}


def test_a_drawn_line_is_an_existing_road_where_that_is_chosen():
    heard = []
    zones = Zones(SITE, heard.append)
    zones.use.value = "road"
    zones.drawing.data = [{"type": "Feature", "properties": {}, "geometry": LINE}]
    ((road,),) = heard
    assert (road.name, road.use, road.existing) == ("drawn line", "road", True)
    zone = road.zone(CRS)
    assert (zone.zone_type, zone.existing, zone.drivable) == ("road", True, True)
    assert 8 < zone.with_buffer.area / 100 < 12


def test_a_drawn_line_to_keep_free_needs_a_buffer():
    heard = []
    zones = Zones(SITE, heard.append)
    zones.drawing.data = [{"type": "Feature", "properties": {}, "geometry": LINE}]
    assert heard == []
    assert zones.drawing.data == []
    assert "buffer" in zones.message.value
    zones.buffer_m.value = 6.0
    zones.drawing.data = [{"type": "Feature", "properties": {}, "geometry": LINE}]
    ((zone,),) = heard
    assert zone.use is None


def test_a_typed_feature_keeps_what_it_states():
    heard = []
    zones = Zones(SITE, heard.append)
    zones.use.value = "water"
    stated = {"type": "Feature", "properties": {"zone_type": "line", "name": "138 kV"}, "geometry": LINE}
    zones.text.value = json.dumps(stated)
    zones.add.click()
    zones.text.value = json.dumps(LINE)
    zones.add.click()
    assert [z.use for (z,) in heard] == ["line", "water"]
