"""Rows and graded ground as the map shows them agree with the design."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from shapely import box
from shapely.geometry import shape

from pacifico.crs import LONLAT, reproject, utm
from pacifico.explorer.engine.racking_view import depth_colours, depth_raster, racking_view, row_classes
from pacifico.explorer.layers import CUT_COLOURS, FILL_COLOURS
from pacifico.grid import Grid
from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.racking import GradedCells
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0
SITE = Site("Field", CRS, box(X, Y, X + 400, Y + 400))


def ground(bumps_m):
    grid = Grid(CRS, X - 100, Y + 500, 10, 10, 60, 60)
    east, north = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    heights = 300 + 0.02 * east + bumps_m * np.sin(east / 50) * np.cos(north / 40)
    return grid.data_array(heights, name="elevation", units="m")


@pytest.fixture(scope="module")
def plan():
    return generate_layout(SITE, ground(0.0), target_capacity_kw=2000.0)


@pytest.fixture(scope="module")
def rolling(plan):
    return racking_view(plan, ground(5.0))


def cells(azimuth_deg, x, y, correction_m):
    return GradedCells(azimuth_deg, 5.0, np.array(x), np.array(y), np.array(correction_m))


def test_the_view_has_the_numbers_and_all_rows(plan, rolling):
    design = add_racking(plan, ground(5.0)).racking
    assert rolling.metrics == design.metrics()
    assert sum(len(shape(f["geometry"]).geoms) for f in rolling.rows) == rolling.metrics["row_count"]
    drawn = [shape(f["geometry"]) for f in rolling.rows]
    outline = reproject(SITE.boundary, CRS, LONLAT).buffer(1e-6)
    assert all(outline.contains(rows) for rows in drawn)


def test_even_ground_has_no_graded_depth(plan):
    view = racking_view(plan, ground(0.0))
    assert view.depth is None
    assert view.metrics["graded_area_ha"] == 0.0
    assert (view.left_out, view.kept_beyond, view.outlines) == (0, 0, ())


def test_the_image_of_depths_lies_on_the_site(rolling):
    assert rolling.metrics["graded_area_ha"] > 0
    (south, west), (north, east) = rolling.depth.bounds
    assert reproject(SITE.boundary, CRS, LONLAT).buffer(2e-3).contains(box(west, south, east, north))
    assert rolling.depth.url.startswith("data:image/png;base64,")


def test_the_raster_keeps_area_and_volume(plan):
    design = add_racking(plan, ground(5.0)).racking
    raster = depth_raster(design.graded, CRS)
    grid = Grid.of(raster)
    pixel = grid.dx * grid.dy
    depth = raster.values
    assert np.isfinite(depth).sum() * pixel / 1e4 == pytest.approx(design.metrics()["graded_area_ha"], rel=1e-3)
    assert depth[depth > 0].sum() * pixel == pytest.approx(design.metrics()["array_fill_m3"], rel=1e-3)
    assert -depth[depth < 0].sum() * pixel == pytest.approx(design.metrics()["array_cut_m3"], rel=1e-3)


def test_turned_cells_are_drawn_along_the_rows():
    along = np.arange(20) * 5.0
    angle = np.radians(30.0)  # clockwise from north
    raster = depth_raster((cells(30.0, X + along * np.sin(angle), Y + along * np.cos(angle), np.full(20, 0.3)),), CRS)
    grid = Grid.of(raster)
    east, north = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    across = np.cos(angle) * east - np.sin(angle) * north
    filled = np.isfinite(raster.values)
    assert np.abs(across[filled]).max() <= 2.5 + 1e-6
    assert filled.sum() * grid.dx * grid.dy == pytest.approx(500.0, rel=0.1)


def test_ground_that_stays_is_not_drawn():
    assert depth_raster((), CRS) is None
    assert depth_raster((cells(0.0, [X], [Y], [0.0]),), CRS) is None


def test_depths_have_the_colour_of_their_class():
    colours = depth_colours(np.array([[-0.6, -0.5, -0.05, 0.05, 0.3, 2.0, np.nan, 0.0]]))[0]
    shown = [f"#{bytes(c[:3]).hex()}" if c[3] else "" for c in colours]
    assert shown == [*CUT_COLOURS[::-1], *FILL_COLOURS, "", ""]


def test_rows_are_classed_by_the_range_of_their_reveal():
    reveal = np.array([1.2, 1.3, 1.2, 1.5, 1.2, 1.8, 1.2, 1.4, 1.9])
    piles = SimpleNamespace(
        row=np.array([0, 0, 1, 1, 2, 2, 3, 3, 3]), reveal_m=reveal, outside=np.array([False] * 8 + [True])
    )
    design = SimpleNamespace(rows=SimpleNamespace(number=np.arange(4)), piles=piles)
    assert row_classes(design, (1.2, 1.8)).tolist() == [0, 1, 2, 3]


def test_a_plant_without_arrays_has_no_view():
    bess = generate_layout(SITE, ground(0.0), profile="bess", target_capacity_kw=5000.0)
    assert racking_view(bess, ground(0.0)) is None
