"""Point of interconnection: from a file, and in place of the site's."""

import json

import pytest
from pyproj import CRS
from shapely import Point, box

from pacifico.errors import InputError
from pacifico.site.model import Anchor, Site, Zone
from pacifico.site.poi import read_poi, with_poi

UTM = CRS.from_epsg(32615)


def points(path, *named):
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, 41.0]}, "properties": {"name": name}}
        for x, name in named
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_the_named_point_of_a_file_is_taken(tmp_path):
    path = points(tmp_path / "grid.geojson", (-93.1, "well"), (-93.2, "POI"))
    assert read_poi(path) == (-93.2, 41.0)


def test_the_only_point_of_a_file_is_taken(tmp_path):
    assert read_poi(points(tmp_path / "p.geojson", (-93.1, "tap"))) == (-93.1, 41.0)


def test_several_points_without_a_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="2 points and none named"):
        read_poi(points(tmp_path / "p.geojson", (-93.1, "a"), (-93.2, "b")))


def test_a_given_point_replaces_the_files_and_the_substation():
    station = Zone(box(0, 0, 10, 10), "Existing substation", "substation")
    site = Site(
        "x", UTM, box(5e5, 4.6e6, 5e5 + 500, 4.6e6 + 500), (station,), (Anchor(Point(1, 1), "POI", is_poi=True),)
    )
    assert site.grid_connections == (Point(1, 1),)
    moved = with_poi(site, (-93.0, 41.0))
    (place,) = moved.grid_connections
    assert place.x == pytest.approx(5e5, abs=1.0)
    bare = Site("x", UTM, site.boundary, (station,))
    assert bare.grid_connections == (station.geometry,)


@pytest.mark.parametrize("lonlat", [(200.0, 41.0), (-93.0, 95.0)])
def test_a_place_off_the_globe_is_refused(lonlat):
    with pytest.raises(InputError, match="is not a longitude and latitude"):
        with_poi(Site("x", UTM, box(5e5, 4.6e6, 5e5 + 500, 4.6e6 + 500)), lonlat)
