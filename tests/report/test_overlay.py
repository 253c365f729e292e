"""Overlay images are at the place of their raster."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
from matplotlib.image import imread
from pyproj import Transformer

from pacifico.crs import utm
from pacifico.grid import Grid
from pacifico.report.overlay import MapOverlay, grey, hillshade_overlay, web_mercator
from pacifico.run.html import OVERLAY, RELIEF

R = 6378137.0


def mercator(lat, lon):
    """Web Mercator by its formula, not by the library under test."""
    return R * math.radians(lon), R * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def mark_only(values):
    """Opaque at marked cells, transparent elsewhere."""
    return np.dstack([np.zeros(values.shape), np.where(values > 10, 255, 0)]).astype(np.uint8)


def grid_at(lon, lat, *, dx=10.0, dy=10.0, ny=300, nx=400):
    crs = utm(lon, lat)
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    return Grid(crs, round(x) - nx * dx / 2, round(y) + ny * dy / 2, dx, dy, ny, nx)


def place_of_pixel(overlay: MapOverlay, row: float, column: float):
    """Longitude and latitude that a web map gives a pixel: even steps between the corners in Web Mercator."""
    (south, west), (north, east) = overlay.bounds
    x0, y0 = mercator(south, west)
    x1, y1 = mercator(north, east)
    rows, columns = overlay.pixels.shape[:2]
    x = x0 + (x1 - x0) * (column + 0.5) / columns
    y = y1 - (y1 - y0) * (row + 0.5) / rows
    return math.degrees(x / R), math.degrees(2 * math.atan(math.exp(y / R)) - math.pi / 2)


@pytest.mark.parametrize(("lon", "lat"), [(-84.2, 36.6), (12.4, 61.0), (-70.5, -33.4), (29.9, 0.01)])
@pytest.mark.parametrize(("dx", "dy"), [(10.0, 10.0), (30.0, 20.0)])
def test_marked_cells_appear_at_their_place(lon, lat, dx, dy):
    grid = grid_at(lon, lat, dx=dx, dy=dy)
    to_grid = Transformer.from_crs(4326, grid.crs, always_xy=True)
    for row, column in [(5, 5), (5, 390), (290, 5), (290, 390), (150, 200)]:
        values = np.zeros(grid.shape)
        values[row - 2 : row + 3, column - 2 : column + 3] = 20.0
        overlay = web_mercator(grid.data_array(values, name="mark"), mark_only, name="mark")
        rows, columns = np.nonzero(overlay.pixels[..., -1])
        assert rows.size > 0
        seen = to_grid.transform(*place_of_pixel(overlay, rows.mean(), columns.mean()))
        true = grid.x_centres()[column], grid.y_centres()[row]
        assert abs(seen[0] - true[0]) < dx / 2
        assert abs(seen[1] - true[1]) < dy / 2


def test_the_whole_raster_is_inside_the_image():
    grid = grid_at(12.4, 61.0)
    overlay = web_mercator(grid.data_array(np.ones(grid.shape), name="ones"), grey, name="z")
    (south, west), (north, east) = overlay.bounds
    to_lonlat = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    w, s, e, n = grid.bounds
    for x, y in [(w, s), (w, n), (e, s), (e, n), ((w + e) / 2, s), ((w + e) / 2, n)]:
        lon, lat = to_lonlat.transform(x, y)
        assert west <= lon <= east
        assert south <= lat <= north
    x0, y0 = mercator(south, west)
    x1, y1 = mercator(north, east)
    rows, columns = overlay.pixels.shape[:2]
    pixel_m2 = (x1 - x0) / columns * (y1 - y0) / rows * math.cos(math.radians((south + north) / 2)) ** 2
    np.testing.assert_allclose((overlay.pixels[..., -1] > 0).sum() * pixel_m2, grid.nx * grid.ny * 100.0, rtol=0.01)


def test_nodata_is_transparent_with_any_paint():
    grid = grid_at(-84.2, 36.6)
    values = np.ones(grid.shape)
    values[:, :200] = np.nan
    overlay = web_mercator(
        grid.data_array(values, name="half"), lambda v: np.full((*v.shape, 4), 200, dtype=np.uint8), name="half"
    )
    share = (overlay.pixels[..., -1] > 0).mean()
    assert 0.4 < share < 0.5  # the image is a little larger than the turned raster
    assert not overlay.pixels[overlay.pixels[..., -1] == 0].any()


def test_large_rasters_are_thinned():
    grid = grid_at(-84.2, 36.6, ny=1500, nx=2000)
    overlay = web_mercator(grid.data_array(np.ones(grid.shape), name="ones"), grey, name="z", max_pixels=100_000)
    assert 90_000 < overlay.pixels.shape[0] * overlay.pixels.shape[1] <= 101_000


def test_the_raster_is_not_changed():
    grid = grid_at(-84.2, 36.6, ny=20, nx=30)
    raster = grid.data_array(np.arange(600.0).reshape(20, 30), name="z")
    before = raster.copy(deep=True)
    web_mercator(raster, grey, name="z")
    assert raster.identical(before)


def test_the_png_holds_the_same_pixels_and_bytes():
    rgba = np.random.default_rng(1).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    overlay = MapOverlay("z", ((0.0, 0.0), (1.0, 1.0)), rgba)
    head, body = overlay.image.split(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.round(imread(io.BytesIO(base64.b64decode(body))) * 255), rgba)
    assert overlay.image == overlay.image


def test_a_smooth_image_has_no_blocks_and_the_same_bounds():
    grid = grid_at(12.4, 61.0, dx=30.0, dy=20.0, ny=60, nx=40)
    raster = grid.data_array(np.linspace(0.2, 0.8, 2400).reshape(60, 40), name="light")
    smooth, sharp = (web_mercator(raster, grey, name="z", smooth=on) for on in (True, False))
    assert smooth.pixels.shape[1] == pytest.approx(4 * sharp.pixels.shape[1], abs=4)
    np.testing.assert_allclose(smooth.bounds, sharp.bounds, atol=4e-4)
    middle = smooth.pixels[:, smooth.pixels.shape[1] // 2, 0].astype(int)
    known = smooth.pixels[:, smooth.pixels.shape[1] // 2, 1] > 0
    assert np.abs(np.diff(middle[known])).max() <= 2


def test_grey_is_stretched_over_the_known_range():
    gentle = np.linspace(0.60, 0.80, 101).reshape(1, -1)
    level = grey(gentle)[0, :, 0]
    assert level[0] == 90
    assert level[-1] == 255
    assert (np.diff(level.astype(int)) >= 0).all()


def test_nearly_level_ground_is_not_exaggerated():
    level = grey(np.linspace(0.700, 0.701, 101).reshape(1, -1))[0, :, 0]
    assert np.ptp(level.astype(int)) <= 165 * 8 * 0.001 + 1


@pytest.mark.parametrize("values", [np.full((2, 3), 0.5), np.full((2, 3), np.nan)])
def test_one_value_gives_one_grey(values):
    assert len(np.unique(grey(values)[..., 0])) == 1


@pytest.fixture
def raster():
    """Light of a plane with a gap in the west."""
    grid = grid_at(-93.0, 42.0, ny=40, nx=60)
    return grid.data_array(np.full(grid.shape, 100.0) + np.arange(60.0), name="elevation", units="m")


def test_the_hillshade_overlay_covers_the_dem(raster):
    bundle = hillshade_overlay(raster)._repr_mimebundle_()[OVERLAY]
    (south, west), (north, east) = bundle["bounds"]
    assert west < -93.0 < east
    assert south < 42.0 < north
    assert bundle["image"].startswith("data:image/png;base64,")
    assert hillshade_overlay(raster)._repr_mimebundle_()[RELIEF]["rows"] > 1


def test_nodata_is_transparent_in_the_hillshade(raster):
    raster.values[:, :30] = np.nan
    pixels = hillshade_overlay(raster).pixels
    alpha = pixels[pixels.shape[0] // 2, :, 1]
    assert alpha[len(alpha) // 4] == 0
    assert alpha[3 * len(alpha) // 4] == 255
