"""Esri JSON: geometries, spatial references, nested rings."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import Transformer

from pacifico.crs import LONLAT
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.esri import is_esri, nest_rings, read_esri
from pacifico.site.features import to_lonlat


def square(low, high, *, clockwise=True):
    ring = np.array([[low, low], [low, high], [high, high], [high, low], [low, low]], dtype=float)
    return ring if clockwise else ring[::-1]


def lows(polygons):
    """Lower corner of each ring."""
    return [[ring.min() for ring in polygon] for polygon in polygons]


def test_an_island_in_a_lake_is_a_polygon_of_its_own():
    # The hole's middle lies in the island, so only whole containment tells whose hole it is.
    rings = [square(0, 100), square(10, 90, clockwise=False), square(40, 60)]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        found = lows(nest_rings([rings[k] for k in order]))
        assert sorted(found) == [[0, 10], [40]]


def test_a_lake_on_the_island_belongs_to_the_island():
    rings = [square(0, 100), square(10, 90, clockwise=False), square(40, 60), square(45, 55, clockwise=False)]
    assert sorted(lows(nest_rings(rings))) == [[0, 10], [40, 45]]


@pytest.mark.parametrize("outer_clockwise", [True, False])
def test_rings_drawn_the_other_way_alternate_by_depth(outer_clockwise):
    rings = [
        square(0, 100, clockwise=outer_clockwise),
        square(10, 90, clockwise=not outer_clockwise),
        square(40, 60, clockwise=outer_clockwise),
    ]
    assert sorted(lows(nest_rings(rings))) == [[0, 10], [40]]


def test_rings_that_all_run_counter_clockwise_alternate_by_depth():
    rings = [square(low, 100 - low, clockwise=False) for low in (0, 10, 40)]
    assert sorted(lows(nest_rings(rings))) == [[0, 10], [40]]


def test_a_hole_that_touches_its_shell_is_a_hole():
    hole = np.array([[0, 20], [30, 20], [30, 40], [-1e-9, 40], [0, 20]], dtype=float)
    assert lows(nest_rings([square(0, 100), hole])) == [[0, pytest.approx(0, abs=1e-6)]]


def test_a_hole_outside_every_shell_is_ground():
    assert len(nest_rings([square(0, 10), square(20, 30, clockwise=False)])) == 2


def test_a_geometry_may_name_its_own_spatial_reference():
    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(-93.0, 42.0)
    members = [
        {"geometry": {"x": x, "y": y, "spatialReference": {"wkid": 102100, "latestWkid": 3857}}},
        {"geometry": {"x": -93.0, "y": 42.0}},
    ]
    reading = read_esri({"features": members, "spatialReference": {"wkid": 4326}})
    found = [p for layer in reading.layers for f in to_lonlat(layer).features for p in f.points]
    assert_allclose(np.concatenate(found), [[-93, 42], [-93, 42]], atol=1e-9)


def test_without_a_spatial_reference_nothing_is_guessed():
    document = {"features": [{"geometry": {"x": 1.0, "y": 2.0}}]}
    with pytest.raises(CRSMismatchError, match="feature 1 of the Esri JSON has no spatialReference"):
        read_esri(document)
    assert read_esri(document, default_crs=LONLAT).layers[0].crs == LONLAT


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ({"curveRings": []}, "true curves"),
        ({"rings": 3}, "not a list"),
        ({"rings": [[[0, "x"], [1, 1], [1, 0]]]}, "vertex 1 is not a pair of numbers"),
        ({"x": float("inf"), "y": 1.0}, "too large to be a coordinate"),
        ({"x": 10**400, "y": 1.0}, "too large to be a coordinate"),
        ({"x": float("nan"), "y": 1.0}, "holds NaN"),
    ],
)
def test_malformed_geometries(geometry, message):
    with pytest.raises(SiteError, match=message):
        read_esri({"features": [{"geometry": geometry}]}, default_crs=LONLAT)


def test_lines_points_and_empty_features():
    members = [
        {"attributes": {"NAME": "pipe"}, "geometry": {"paths": [[[0, 0], [1, 1]]]}},
        {"geometry": {"points": [[2, 3], [4, 5]]}},
        {"geometry": {"x": "NaN", "y": "NaN"}},
        {"geometry": None},
    ]
    reading = read_esri({"features": members}, default_crs=LONLAT)
    (layer,) = reading.layers
    assert [(f.name, len(f.lines), len(f.points)) for f in layer.features] == [("pipe", 1, 0), ("", 0, 2)]
    assert reading.warnings == ("2 features without geometry skipped",)


def test_esri_json_is_distinguished_from_geojson():
    assert is_esri({"features": []})
    assert is_esri({"rings": []})
    assert is_esri({"attributes": {}, "geometry": {"rings": []}})
    assert not is_esri({"features": [{"type": "Feature"}]})
    assert not is_esri(json.loads('{"type": "FeatureCollection", "features": []}'))
    assert not is_esri({"geometry": {"type": "Point"}})
    assert not is_esri({"features": 3})
