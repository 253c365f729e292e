"""Layers of the map stay in order; stale ones are dimmed."""

from __future__ import annotations

import ipyleaflet as leaflet
import numpy as np
import pytest
from shapely import box
from shapely.geometry import mapping

from pacifico.crs import utm
from pacifico.explorer.mapview import STALE, SiteMap, site_only
from pacifico.grid import Grid
from pacifico.site.model import Site, Zone

CRS = utm(-84.2, 36.6)
SITE = Site("Farm", CRS, box(750_000, 4_054_000, 750_300, 4_054_300))


@pytest.fixture
def site_map():
    grid = Grid(CRS, 749_900, 4_054_400, 10, 10, 50, 50)
    return SiteMap(SITE, grid.data_array(np.zeros((50, 50)), name="elevation", units="m"), 600)


def names(site_map):
    return [layer.name for layer in site_map.view.layers]


def test_what_others_add_stays_above_the_layout(site_map):
    mark = leaflet.CircleMarker(location=(36.6, -84.2), name="Mark")
    site_map.view.add(mark)
    site_map.draw(site_only(SITE, ()))
    site_map.draw(site_only(SITE, (Zone(box(750_010, 4_054_010, 750_020, 4_054_020), "pond"),)))
    assert names(site_map) == ["Hillshade", "Slope", "Exclusions", "Boundary", "Mark"]
    site_map.background.value = "imagery (network)"
    assert names(site_map)[1:] == ["Hillshade", "Slope", "Exclusions", "Boundary", "Mark"]


def test_a_partial_layout_keeps_all_layers(site_map):
    whole = site_only(SITE, (Zone(box(750_010, 4_054_010, 750_020, 4_054_020), "pond"),))
    site_map.draw(whole)
    before = site_map.view.layers
    site_map.draw(site_only(SITE, ()), partial=True)
    assert site_map.view.layers == before
    assert {layer.name: layer for layer in before}["Exclusions"].data["features"] == []
    site_map.draw(whole)
    assert site_map.view.layers == before


def test_a_stale_map_is_dimmed(site_map):
    site_map.show_stale(stale=True)
    assert STALE in site_map.view._dom_classes
    site_map.show_stale(stale=False)
    assert STALE not in site_map.view._dom_classes


def test_fit_shows_the_plant(site_map):
    asset = box(-84.2, 36.6, -84.199, 36.601)
    feature = {"type": "Feature", "geometry": mapping(asset), "properties": {"kind": "asset", "asset_type": "battery"}}
    layout = site_only(SITE, ())
    home = site_map.view.zoom
    site_map.draw({"features": [*layout["features"], feature]})
    site_map.fit()
    assert tuple(site_map.view.center) == pytest.approx((36.6005, -84.1995))
    assert site_map.view.zoom > home


def test_fit_returns_to_the_site(site_map):
    home = site_map.view.center, site_map.view.zoom
    site_map.view.center, site_map.view.zoom = (0.0, 0.0), 3
    site_map.fit()
    assert (tuple(site_map.view.center), site_map.view.zoom) == (tuple(home[0]), home[1])
