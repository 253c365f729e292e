"""Clicks and drags on the map edit the plan, or are refused with their reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely import Point, Polygon, box

from pacifico.crs import LONLAT, reproject, transformer, utm
from pacifico.explorer import explore
from pacifico.grid import Grid
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0
FIELD = Polygon([(X, Y), (X + 900, Y - 60), (X + 1000, Y + 800), (X + 300, Y + 950), (X - 80, Y + 600)])


@pytest.fixture(scope="module")
def dem():
    grid = Grid(CRS, X - 200, Y + 1100, 10, 10, 130, 140)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    return grid.data_array(300 + 0.02 * east, name="elevation", units="m")


@pytest.fixture
def explorer(dem):
    made = explore(Site("Farm", CRS, FIELD, ()), dem, target_capacity_kw=5_000)
    made.wait()
    return made


def lonlat(x, y):
    return transformer(CRS, LONLAT).transform(x, y)


def click(explorer, place):
    lon, lat = lonlat(*place)
    explorer.editing.clicked(lon, lat)
    explorer.wait()


def drag(explorer, place):
    lon, lat = lonlat(*place)
    explorer.editing.marker.location = (lat, lon)
    explorer.wait()


def asset(explorer, asset_id):
    return next(a for a in explorer.plan.asset_list if a.asset_id == asset_id)


def an_array(explorer):
    """Last solar array of the plan."""
    return [a for a in explorer.plan.asset_list if a.item.kind == "solar_array"][-1]


def test_a_click_on_the_outline_of_an_asset_selects_it(explorer):
    array = min(explorer.plan.asset_list, key=lambda a: a.footprint.bounds[0])
    west, south, _, north = array.footprint.bounds
    pixel_m = 40_075_017 * math.cos(math.radians(explorer.map.center[0])) / 256 / 2**explorer.map.zoom
    click(explorer, (west - 2 * pixel_m, (south + north) / 2))
    assert explorer.editing.selected == array.asset_id
    click(explorer, (west - 5 * pixel_m, (south + north) / 2))
    assert explorer.editing.selected == ""


def test_a_click_selects_an_asset_and_shows_its_marker(explorer):
    array = an_array(explorer)
    click(explorer, array.item.centre)
    editing = explorer.editing
    assert editing.selected == array.asset_id
    assert array.asset_id in editing.title.value
    lat, lon = editing.marker.location
    np.testing.assert_allclose(transformer(LONLAT, CRS).transform(lon, lat), array.item.centre, atol=0.01)
    assert editing.marker in explorer.map.layers
    click(explorer, (X - 150, Y))
    assert editing.selected == ""
    assert editing.marker not in explorer.map.layers
    assert not explorer.document.edits


def test_a_drag_moves_the_asset_and_undo_restores_it(explorer):
    array, before = an_array(explorer), explorer.plan
    click(explorer, array.item.centre)
    x, y = array.item.centre
    drag(explorer, (x + 3.0, y))
    held = explorer.editing.refusal == ""
    if not held:  # a neighbour is there: drag the other way
        drag(explorer, (x - 3.0, y))
    assert explorer.editing.refusal == ""
    moved = asset(explorer, array.asset_id).item.centre
    assert abs(abs(moved[0] - x) - 3.0) < 0.01
    assert explorer.document.edits
    shown = next(layer for layer in explorer.map.layers if layer.name == "Solar array").data["features"]
    assert len(shown) == explorer.plan.metrics["assets_by_type"]["solar_array"]
    explorer.undo.click()
    explorer.wait()
    assert explorer.plan.to_geojson() == before.to_geojson()
    assert explorer.undo.disabled
    assert not explorer.redo.disabled
    explorer.redo.click()
    explorer.wait()
    assert asset(explorer, array.asset_id).item.centre == pytest.approx(moved)


def test_a_refused_drag_shows_its_reason_and_resets_the_marker(explorer):
    array, before = an_array(explorer), explorer.plan
    click(explorer, array.item.centre)
    home = explorer.editing.marker.location
    drag(explorer, (X - 5000, Y))
    assert explorer.plan is before
    assert explorer.editing.refusal
    assert explorer.editing.error.value
    assert explorer.editing.marker.location == home
    click(explorer, (X - 150, Y))
    assert explorer.editing.error.value == ""


def test_the_only_substation_is_not_removed(explorer):
    substation = next(a for a in explorer.plan.asset_list if a.item.kind == "substation")
    click(explorer, substation.item.centre)
    explorer.editing.remove.click()
    explorer.wait()
    assert "only substation" in explorer.editing.error.value


def test_a_removed_array_returns_with_undo(explorer):
    array = an_array(explorer)
    count = explorer.plan.metrics["assets_by_type"]["solar_array"]
    click(explorer, array.item.centre)
    explorer.editing.remove.click()
    explorer.wait()
    assert explorer.plan.metrics["assets_by_type"]["solar_array"] == count - 1
    assert explorer.editing.selected == ""
    explorer.undo.click()
    explorer.wait()
    click(explorer, array.item.centre)
    assert explorer.editing.selected == array.asset_id


def test_a_battery_is_added_at_the_clicked_place(explorer):
    explorer.editing.kind.value = "battery"
    explorer.editing.add.value = True
    click(explorer, (X - 5000, Y))
    assert explorer.editing.refusal
    assert explorer.editing.add.value is False
    ends = [road.line.coords[k][:2] for road in explorer.plan.road_list for k in (0, -1)]
    for x, y in [(x + east, y + north) for x, y in ends for east in (-40, 0, 40) for north in (-30, 30)]:
        explorer.editing.add.value = True
        click(explorer, (x, y))
        if placed := not explorer.editing.refusal:
            break
    assert placed, explorer.editing.refusal
    assert explorer.plan.metrics["assets_by_type"]["battery"] == 1
    assert explorer.editing.selected.startswith("battery-")


def test_rotating_is_an_edit_but_selecting_is_not(explorer):
    substation = next(a for a in explorer.plan.asset_list if a.item.kind == "substation")
    click(explorer, substation.item.centre)
    assert not explorer.document.edits
    explorer.editing.turn.value = explorer.editing.turn.value + 2.0
    turned = asset(explorer, substation.asset_id).item.rotation_deg
    if explorer.editing.refusal:
        assert turned == pytest.approx(substation.item.rotation_deg)
    else:
        assert (turned - substation.item.rotation_deg) % 180 == pytest.approx(2.0, abs=1e-3)
    assert explorer.editing.turn.value == pytest.approx(turned, abs=1e-3)


def remove_an_array(explorer):
    """Remove the last array, and return it."""
    gone = an_array(explorer)
    click(explorer, gone.item.centre)
    explorer.editing.remove.click()
    explorer.wait()
    assert explorer.editing.refusal == ""
    return gone


def stands_on(explorer, place):
    return any(a.footprint.covers(Point(place)) for a in explorer.plan.asset_list if a.item.kind == "solar_array")


def test_a_zone_means_the_same_on_an_edited_plan(explorer):
    gone = remove_an_array(explorer)
    zone = box(*an_array(explorer).footprint.buffer(-5).bounds)
    outline = reproject(zone, CRS, LONLAT)
    explorer.drawing.data = [{"type": "Feature", "properties": {}, "geometry": outline.__geo_interface__}]
    explorer.wait()
    assert explorer.editing.refusal == ""
    assert not [a.asset_id for a in explorer.plan.asset_list if a.footprint.intersection(zone).area > 1e-3]
    assert [z.name for z in explorer.plan.site.exclusions] == ["drawn 1"]
    assert len(explorer.document.edits) == 1
    assert not stands_on(explorer, gone.item.centre) or "refuses" in explorer.status.value
    explorer.undo.click()
    assert explorer.drawing.data == []  # an undone zone stays gone
    assert explorer.plan.site.exclusions == ()
    assert not stands_on(explorer, gone.item.centre)
    explorer.redo.click()
    assert [f["properties"]["name"] for f in explorer.drawing.data] == ["drawn 1"]


def test_a_slider_keeps_the_edits(explorer):
    gone = remove_an_array(explorer)
    explorer.setback_m.value = explorer.setback_m.value + 1
    assert len(explorer.document.edits) == 1
    assert not stands_on(explorer, gone.item.centre)
    assert explorer.editing.selected == ""
    explorer.undo.click()
    explorer.undo.click()
    assert stands_on(explorer, gone.item.centre)
    assert explorer.undo.disabled


def test_edits_that_another_layout_refuses_are_named_and_can_be_dropped(explorer):
    explorer.editing.kind.value = "battery"
    ends = [road.line.coords[k][:2] for road in explorer.plan.road_list for k in (0, -1)]
    for x, y in [(x + east, y + north) for x, y in ends for east in (-40, 0, 40) for north in (-30, 30)]:
        explorer.editing.add.value = True
        click(explorer, (x, y))
        if not explorer.editing.refusal:
            break
    zone = reproject(box(x - 30, y - 30, x + 30, y + 30), CRS, LONLAT)
    explorer.drawing.data = [{"type": "Feature", "properties": {}, "geometry": zone.__geo_interface__}]
    explorer.wait()
    assert "Edits that this layout refuses" in explorer.status.value
    assert "add battery: " in explorer.status.value
    assert len(explorer.document.edits) == 1
    explorer.forget.click()
    explorer.wait()
    assert explorer.document.edits == ()
    assert explorer.status.value == ""


def test_without_a_layout_clicks_do_nothing(explorer):
    explorer.capacity_mw.value = 0.1
    assert explorer.plan is None
    click(explorer, (X + 300, Y + 300))
    explorer.editing.remove.click()
    explorer.wait()
    assert explorer.editing.refusal == ""
