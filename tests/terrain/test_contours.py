"""Contours and slope classes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.terrain.contours import coarsened, contours, sensible_interval_m, slope_classes
from pacifico.terrain.surface import slope_deg

UTM15 = CRS.from_epsg(32615)


def grid_of(ny=60, nx=80, dx=4.0, dy=7.0):
    return Grid(UTM15, 446_000.0, 4_650_000.0, dx, dy, ny, nx)


def centred(grid):
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return x - grid.x0 - grid.nx * grid.dx / 2, y - grid.y0 + grid.ny * grid.dy / 2


def test_contours_of_a_plane_lie_where_its_equation_says():
    """A shift by half a cell, the old defect, would be 2 m east and 3.5 m north here."""
    grid = grid_of()
    x, y = centred(grid)
    dem = grid.data_array(100 + 0.05 * x + 0.02 * y, name="elevation")
    lines = contours(dem, interval_m=2.0)
    assert {c.elevation_m for c in lines} == set(range(88, 114, 2))
    for c in lines:
        xy = shapely.get_coordinates(c.line)
        east = xy[:, 0] - grid.x0 - grid.nx * grid.dx / 2
        north = xy[:, 1] - grid.y0 + grid.ny * grid.dy / 2
        assert_allclose(100 + 0.05 * east + 0.02 * north, c.elevation_m, atol=1e-9)
        assert c.is_index == (round(c.elevation_m / 2) % 5 == 0)


def test_contours_of_a_cone_are_circles_around_its_top():
    grid = grid_of(100, 100, 5.0, 5.0)
    x, y = centred(grid)
    dem = grid.data_array(100 - 0.1 * np.hypot(x, y), name="elevation")
    ring = next(c for c in contours(dem, interval_m=5.0) if c.elevation_m == 90)
    centre = shapely.Point(grid.x0 + 250, grid.y0 - 250)
    distances = shapely.distance(shapely.points(shapely.get_coordinates(ring.line)), centre)
    assert_allclose(distances, 100, atol=0.1)
    assert ring.line.is_closed
    assert ring.line.centroid.distance(centre) < 0.05
    assert ring.label == "90 m"
    assert -90 <= ring.label_angle_deg < 90


def test_contours_stop_at_nodata_and_at_the_limits():
    grid = grid_of()
    x, _ = centred(grid)
    z = 100 + 0.05 * x
    z[20:30, 30:50] = np.nan
    dem = grid.data_array(z, name="elevation")
    west, south, east, north = grid.bounds
    hole = shapely.box(grid.x0 + 30 * 4 - 2, grid.y0 - 30 * 7 - 3.5, grid.x0 + 50 * 4 + 2, grid.y0 - 20 * 7 + 3.5)
    lines = shapely.MultiLineString([c.line for c in contours(dem, interval_m=1.0)])
    assert lines.intersection(hole).length == 0
    assert lines.length > 0
    half = shapely.box(west, south, (west + east) / 2, north)
    assert all(half.buffer(1e-6).contains(c.line) for c in contours(dem, interval_m=1.0, within=half))
    empty = grid.data_array(np.full(grid.shape, np.nan), name="elevation")
    assert contours(empty) == []


@pytest.mark.parametrize(
    ("relief", "interval"), [(15, 1.0), (30, 2.0), (80, 5.0), (1.6, 0.1), (0.2, 0.1), (1500, 100.0), (0, 1.0)]
)
def test_sensible_intervals(relief, interval):
    assert sensible_interval_m(relief) == interval


def test_senseless_intervals_are_refused():
    dem = grid_of().data_array(centred(grid_of())[0], name="elevation")
    with pytest.raises(InputError, match="over 0"):
        contours(dem, interval_m=0)
    with pytest.raises(InputError, match="larger one"):
        contours(dem, interval_m=0.01)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), hole=st.booleans())
def test_slope_classes_tile_the_site(seed, hole):
    grid = grid_of(30, 40)
    z = np.random.default_rng(seed).normal(size=grid.shape).cumsum(axis=0) * 0.5
    if hole:
        z[10:12, 10:14] = np.nan
    steep = slope_deg(z, grid.dx, grid.dy)
    west, south, east, north = grid.bounds
    site = shapely.Polygon(
        [(west + 11, south + 13), (east - 9, south + 31), (east - 35, north - 5), (west + 30, north - 20)]
    )
    classes = slope_classes(steep, grid, [3.0, 4.0, 10.0], site)
    assert [(c.over_deg, c.to_deg) for c in classes] == [(0.0, 3.0), (3.0, 4.0), (4.0, 10.0), (10.0, 90.0)]
    blind = np.isnan(steep)
    cells = [
        shapely.box(west + j * 4, north - (i + 1) * 7, west + (j + 1) * 4, north - i * 7) for i, j in np.argwhere(blind)
    ]
    known = site.difference(shapely.unary_union(cells))
    assert sum(c.ground.area for c in classes) == pytest.approx(known.area)
    for c in classes:
        inner = np.argwhere((steep > c.over_deg) & (steep <= c.to_deg))
        for i, j in inner[:: max(len(inner) // 5, 1)]:
            point = shapely.Point(west + (j + 0.5) * 4, north - (i + 0.5) * 7)
            assert c.ground.contains(point) == site.contains(point)


def test_large_grids_are_averaged_before_they_become_vectors(monkeypatch):
    from pacifico.grid import Ground

    monkeypatch.setattr("pacifico.terrain.contours.MOST_CELLS", 400)
    grid = grid_of(61, 83)
    x, y = centred(grid)
    small = coarsened(Ground(grid, 0.05 * x + 0.02 * y))
    assert small.grid.ny * small.grid.nx <= 400
    dem = grid.data_array(0.05 * x + 0.02 * y, name="elevation")
    for c in contours(dem, interval_m=2.0):  # means of a plane are the plane at their centres
        xy = shapely.get_coordinates(c.line)
        east, north = xy[:, 0] - grid.x0 - grid.nx * 2, xy[:, 1] - grid.y0 + grid.ny * 3.5
        assert_allclose(0.05 * east + 0.02 * north, c.elevation_m, atol=1e-9)
