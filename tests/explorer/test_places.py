"""Entry and grid connection are placed by a click; the pointer reads the ground."""

from __future__ import annotations

import ipyleaflet as leaflet
import numpy as np
import pytest

from pacifico.crs import LONLAT, transformer, utm
from pacifico.explorer.places import Places, PointerReading
from pacifico.grid import Grid
from pacifico.layout.criteria.design import Design

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0


@pytest.fixture(scope="module")
def dem():
    grid = Grid(CRS, X, Y + 500, 10, 10, 50, 50)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    heights = 300 + 0.1 * east
    heights[0, 0] = np.nan
    return grid.data_array(heights, name="elevation", units="m")


@pytest.fixture
def placed(dem):
    designs = [Design()]
    calls = []
    places = Places(leaflet.Map(), dem, lambda change: designs.append(change(designs[-1])), lambda: calls.append("fit"))
    return places, designs, calls


def lonlat(x, y):
    return transformer(CRS, LONLAT).transform(x, y)


def test_the_pointer_reads_height_and_slope(dem):
    reading = PointerReading(dem)
    assert reading.text(*lonlat(X + 255, Y + 255)).endswith(": 325.5 m, slope 5.7°")
    assert reading.text(*lonlat(X + 2, Y + 498)).endswith(": no elevation")
    assert reading.text(0.0, 0.0) == "0.00000, 0.00000: outside the elevation model"


def test_entry_and_grid_connection_are_placed_once(placed):
    places, designs, _ = placed
    assert not places.clicked(1.0, 2.0)
    places.entry.value = True
    places.poi.value = True
    assert not places.entry.value  # one at a time
    assert places.clicked(3.0, 4.0)
    assert not places.poi.value
    places.entry.value = True
    assert places.clicked(1.0, 2.0)
    assert (designs[-1].entry, designs[-1].poi) == ((1.0, 2.0), (3.0, 4.0))
    places.clear.click()
    assert designs[-1] == Design()


def test_a_place_is_searched(placed, dem):
    places, _, calls = placed
    lon, lat = lonlat(X + 255, Y + 255)
    places.search.value = f"{lon:.7f}, {lat:.7f}"
    assert places._view.center == pytest.approx((lat, lon), abs=1e-6)
    assert "325.5 m" in places.message.value
    assert [layer.name for layer in places._view.layers if isinstance(layer, leaflet.CircleMarker)] == [
        "Searched place"
    ]
    places.search.value = "<i>north"
    assert "&lt;i&gt;north" in places.message.value
    places.fit.click()
    assert calls == ["fit"]


def test_the_grid_connection_is_marked(placed):
    places, _, _ = placed
    places.show(Design(poi=(1.0, 2.0)))
    places.show(Design(poi=(3.0, 4.0)))
    marks = [layer for layer in places._view.layers if isinstance(layer, leaflet.CircleMarker)]
    assert [mark.location for mark in marks] == [[4.0, 3.0]]
    places.show(Design())
    assert not [layer for layer in places._view.layers if isinstance(layer, leaflet.CircleMarker)]
