"""The explorer without a browser: its widgets' values are what the page shows."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from pacifico.crs import LONLAT, reproject, transformer, utm
from pacifico.errors import InputError
from pacifico.explorer import explore
from pacifico.explorer.mapview import BACKGROUNDS
from pacifico.explorer.state.overrides import Overrides
from pacifico.grid import Grid
from pacifico.site.model import Site, Zone

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0
FIELD = Polygon([(X, Y), (X + 900, Y - 60), (X + 1000, Y + 800), (X + 300, Y + 950), (X - 80, Y + 600)])


@pytest.fixture(scope="module")
def site():
    return Site("Farm <1>", CRS, FIELD, (Zone(box(X + 300, Y + 300, X + 420, Y + 400), "Wetland"),))


@pytest.fixture(scope="module")
def dem():
    grid = Grid(CRS, X - 200, Y + 1100, 10, 10, 130, 140)
    east, north = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    return grid.data_array(
        300 + 0.02 * east + 8 * np.sin(east / 250) * np.cos(north / 300), name="elevation", units="m"
    )


@pytest.fixture
def explorer(site, dem):
    made = explore(site, dem, target_capacity_kw=10_000)
    made.wait()
    return made


def features(explorer, name):
    return next(layer for layer in explorer.map.layers if layer.name == name).data["features"]


def centre(asset, explorer):
    return transformer(CRS, LONLAT).transform(*asset.item.centre)


def names(explorer):
    return [layer.name for layer in explorer.map.layers]


def test_the_whole_layout_is_on_the_map(explorer):
    assert explorer.error == ""
    assert names(explorer)[:2] == ["Hillshade", "Slope"]
    assert names(explorer)[-1] == "Entry"
    counted = explorer.plan.metrics["assets_by_type"]
    assert len(features(explorer, "Solar array")) == counted["solar_array"]
    assert len(features(explorer, "Substation")) == counted["substation"]
    assert len(features(explorer, "Roads")) == len(explorer.plan.road_list)
    assert len(features(explorer, "Pads")) == len(explorer.plan.pad_list)
    assert [f["properties"]["name"] for f in features(explorer, "Exclusions")] == ["Wetland"]
    assert len(features(explorer, "Boundary")) == len(features(explorer, "Entry")) == 1


def test_the_map_opens_on_the_site_without_network(explorer, site):
    lon, lat = explorer.map.center[1], explorer.map.center[0]
    assert (
        reproject(site.boundary, site.crs, LONLAT).buffer(1e-4).contains(reproject(site.boundary.centroid, CRS, LONLAT))
    )
    west, south, east, north = reproject(site.boundary, site.crs, LONLAT).bounds
    assert west < lon < east
    assert south < lat < north
    assert 13 < explorer.map.zoom < 18
    assert not [layer for layer in explorer.map.layers if type(layer).__name__ == "TileLayer"]
    assert all(layer.url.startswith("data:image/png;base64,") for layer in explorer.map.layers[:2])


def test_headline_figures_are_those_of_the_plan(explorer):
    text = re.sub("<[^>]+>", " ", explorer.figures.value)
    assert all(answer.text in html.unescape(text) for answer in explorer.plan.headline)
    assert "of 10.0 MW AC" in text
    assert explorer.status.value == ""


def test_sliders_change_the_layout(explorer):
    before = explorer.plan
    explorer.capacity_mw.value = 5.0
    assert explorer.plan.target_capacity_kw == 5000.0
    assert explorer.plan.metrics["total_capacity_kw"] < before.metrics["total_capacity_kw"]
    explorer.setback_m.value = 80.0
    assert all(FIELD.buffer(-79.9).contains(a.footprint) for a in explorer.plan.asset_list)
    explorer.max_road_grade_pct.value = 5.0
    assert explorer.plan.metrics["max_road_grade_pct"] <= 5.0


def test_limits_change_the_layout_and_are_undone(explorer):
    before = explorer.plan
    sliders = {slider.description: slider for slider in explorer.controls.limits.widget.children}
    sliders["DC/AC"].value = 1.5
    assert explorer.plan.metrics["total_capacity_dc_kw"] > 1.4 * explorer.plan.metrics["total_capacity_kw"]
    assert explorer.request()["spec"] == {"solar": {"dc_ac_ratio": 1.5}}
    explorer.undo.click()
    assert explorer.plan is before
    assert sliders["DC/AC"].value == 1.3


def test_an_edge_has_a_setback_of_its_own(explorer):
    explorer.edges.edge.value = "south"
    explorer.edges.setback_m.value = 120.0
    south = min(shapely.get_coordinates(a.footprint)[:, 1].min() for a in explorer.plan.asset_list)
    assert south > Y - 60 + 100
    explorer.edges.usual.click()
    assert explorer.plan is not None
    assert explorer.document.overrides == Overrides()


def test_storage_energy_follows_its_slider(explorer):
    explorer.profile.value = "bess"
    explorer.controls.limits.storage_mwh.value = 20.0
    metrics = explorer.plan.metrics
    assert metrics["storage_kw"] == pytest.approx(10_000, rel=0.15)
    assert metrics["storage_kwh"] == pytest.approx(2 * metrics["storage_kw"], rel=0.01)
    explorer.controls.limits.storage_mwh.value = 0.2
    assert explorer.plan is None
    assert "MWh" in explorer.error
    explorer.undo.click()
    assert explorer.plan.metrics == metrics


def test_energy_is_among_the_numbers_of_solar_plants(explorer):
    explorer.energy.wait()
    assert "MWh a year at most, under a clear sky" in explorer.energy.widget.value
    explorer.profile.value = "bess"
    explorer.wait()
    assert explorer.energy.widget.value == ""


def test_rows_and_grading_follow_the_layout(explorer):
    assert "Rows" not in names(explorer)
    explorer.racking.switch.value = True
    explorer.racking.wait()
    assert names(explorer)[-1] == "Rows"
    assert "Piles" in explorer.racking.figures.value
    before, figures = explorer.racking.layers["Rows"], explorer.racking.figures.value
    explorer.capacity_mw.value = 5.0
    assert before.data["features"][0]["properties"]["style"]["opacity"] < 1
    explorer.wait()
    explorer.racking.wait()
    assert before not in explorer.map.layers
    assert explorer.racking.figures.value != figures
    explorer.profile.value = "bess"
    explorer.wait()
    assert explorer.racking.widget.layout.display == "none"
    assert "Rows" not in names(explorer)


def test_stop_leaves_the_rows_of_the_layout_before_dimmed(explorer):
    explorer.racking.switch.value = True
    explorer.racking.wait()
    rows = explorer.racking.layers["Rows"]
    explorer.capacity_mw.value = 5.0
    explorer.run.stop()
    assert rows in explorer.map.layers
    assert rows.data["features"][0]["properties"]["style"]["opacity"] < 1
    explorer.undo.click()
    assert explorer.racking.layers["Rows"].data["features"][0]["properties"]["style"]["opacity"] == 1.0


def test_a_refused_edit_is_offered_what_would_help(explorer):
    arrays = [a for a in explorer.plan.asset_list if a.item.kind == "solar_array"]
    before = explorer.plan
    explorer.editing.clicked(*centre(arrays[-1], explorer))
    lon, lat = centre(arrays[0], explorer)
    explorer.editing.marker.location = (lat, lon)
    explorer.wait()
    assert "overlap" in explorer.editing.refusal
    explorer.offers.wait()
    button = explorer.offers.buttons.children[0]
    assert button.description.startswith("Place it ")
    button.click()
    explorer.wait()
    assert explorer.editing.refusal == ""
    assert explorer.offers.widget.layout.display == "none"
    moved = next(a for a in explorer.plan.asset_list if a.asset_id == arrays[-1].asset_id)
    assert moved.item.centre != arrays[-1].item.centre
    explorer.undo.click()
    assert explorer.plan is before


def test_layers_stay_the_same_objects_when_the_layout_changes(explorer):
    layer = {layer.name: layer for layer in explorer.map.layers}["Solar array"]
    explorer.editing.clicked(*centre(explorer.plan.asset_list[-1], explorer))
    explorer.editing.remove.click()
    explorer.wait()
    assert explorer.editing.refusal == ""
    assert layer in explorer.map.layers  # the same object, with new data


def test_another_profile_has_its_own_layers(explorer):
    explorer.profile.value = "bess"
    explorer.wait()
    assert "Battery" in names(explorer)
    assert "Solar array" not in names(explorer)
    assert "Storage" in explorer.figures.value


def test_as_much_as_fits_has_no_target(explorer):
    asked_for = explorer.plan.metrics["total_capacity_kw"]
    explorer.fill_site.value = True
    assert explorer.capacity_mw.disabled
    assert explorer.plan.target_capacity_kw is None
    assert explorer.plan.metrics["total_capacity_kw"] > asked_for
    assert "asked" not in explorer.figures.value


def test_the_same_request_is_not_laid_out_twice(explorer):
    before = explorer.plan
    explorer.fill_site.value = True
    explorer.fill_site.value = False
    assert explorer.plan.to_geojson() == before.to_geojson()
    assert explorer.plan is before  # it was kept
    explorer.update()
    assert explorer.plan is before


def test_a_site_without_room_shows_one_line_and_no_layout(explorer):
    explorer.capacity_mw.value = 0.1
    assert explorer.plan is None
    assert "\n" not in explorer.error
    assert "No layout:" in explorer.status.value
    assert explorer.figures.value == ""
    assert names(explorer) == ["Hillshade", "Slope", "Exclusions", "Boundary"]
    explorer.capacity_mw.value = 5.0
    assert explorer.plan is not None
    assert (explorer.error, explorer.status.value) == ("", "")


def test_a_drawn_polygon_stays_free(explorer):
    drawn = box(X + 500, Y + 100, X + 800, Y + 500)
    outline = reproject(drawn, CRS, LONLAT)
    explorer.drawing.data = [{"type": "Feature", "properties": {}, "geometry": outline.__geo_interface__}]
    assert [z.name for z in explorer.plan.site.exclusions] == ["Wetland", "drawn 1"]
    assert not [a.asset_id for a in explorer.plan.asset_list if a.footprint.intersection(drawn).area > 1e-3]
    assert not [r.road_id for r in explorer.plan.road_list if r.line.intersection(drawn).length > 1e-3]
    explorer.drawing.data = []
    assert [z.name for z in explorer.plan.site.exclusions] == ["Wetland"]


def test_self_crossing_and_empty_drawings_are_repaired(explorer):
    bow = [[-84.2, 36.6], [-84.19, 36.61], [-84.19, 36.6], [-84.2, 36.61], [-84.2, 36.6]]
    line = [[-84.2, 36.6], [-84.19, 36.61], [-84.2, 36.6], [-84.2, 36.6]]
    shapes = [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}} for ring in (bow, line)]
    explorer.drawing.data = shapes
    explorer.run.stop()
    (zone,) = explorer.drawn()
    assert zone.geometry.is_valid
    assert zone.geometry.area > 0


def test_a_chosen_background_shows_through_the_hillshade(explorer):
    explorer.background.value = "imagery (network)"
    bottom, hillshade, *_ = explorer.map.layers
    assert type(bottom).__name__ == "TileLayer"
    assert bottom.url.startswith("https://")
    assert hillshade.opacity < 0.5
    explorer.background.value = "none"
    assert names(explorer)[0] == "Hillshade"
    assert explorer.map.layers[0].opacity == 1.0
    assert set(BACKGROUNDS) >= {"none"}


def test_pointing_at_a_feature_shows_its_details(explorer):
    layer = next(layer for layer in explorer.map.layers if layer.name == "Solar array")
    layer._handle_mouse_events(None, {"event": "mouseover", "feature": layer.data["features"][0]}, [])
    assert "solar_array-0001" in explorer.details.value


def test_names_from_files_are_escaped(explorer):
    title = explorer.widget.children[1].children[0].value
    assert "Farm &lt;1&gt;" in title


@pytest.mark.parametrize("target", [50, 6_000_000])
def test_a_target_out_of_range_is_refused(site, dem, target):
    with pytest.raises(InputError, match=r"out of range; give 100 to 5,000,000 kW"):
        explore(site, dem, target_capacity_kw=target)


def test_it_shows_itself_with_a_picture_for_readers(explorer, monkeypatch):
    shown, updated = [], []

    class Handle:
        def update(self, html):
            updated.append(html.data)

    def display(what, *, display_id=False):
        shown.append(what)
        return Handle() if display_id else None

    monkeypatch.setattr("IPython.display.display", display)
    explorer._ipython_display_()
    assert shown[0] is explorer.widget
    assert "<img src='data:image/svg+xml;base64," in shown[1].data
    assert "aria-label" in shown[2].data
    explorer.capacity_mw.value = 5.0
    explorer.wait()
    assert "5.00 MW" in updated[-1]
