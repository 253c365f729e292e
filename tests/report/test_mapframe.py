"""Pictures, rasters on maps, and stretched hillshade."""

import io

import numpy as np
import pytest
import rioxarray  # noqa: F401 (gives rasters their CRS)
import xarray as xr
from matplotlib import colormaps, rc_context
from PIL import Image

from pacifico.report.mapframe import DPI, SCREEN, Picture, paint, stretched


def test_the_stretch_keeps_order_and_is_bounded():
    light = np.array([0.70, 0.705, 0.71])
    out = stretched(light, np.ones(3, dtype=bool))
    assert (np.diff(out) > 0).all()
    assert np.ptp(out) <= 8 * np.ptp(light) + 1e-12


def test_a_picture_shows_itself_as_opaque_png_at_its_resolution():
    picture = Picture(figsize=(2.0, 1.0), dpi=DPI, facecolor="white")
    picture.text(0.5, 0.5, "ridge", color="#8b0d1e")
    shown = Image.open(io.BytesIO(picture._repr_png_()))
    assert (shown.mode, shown.size) == ("RGB", (2 * DPI, DPI))
    assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert picture._repr_png_() == picture._repr_png_()
    saved = io.BytesIO()
    with rc_context(SCREEN):
        picture.savefig(saved, format="png")
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(Image.open(saved).convert("RGB")))


@pytest.fixture
def ramp():
    """Raster of 3 x 4 cells of 10 m whose value is the column."""
    x, y = 5.0 + 10 * np.arange(4), 25.0 - 10 * np.arange(3)
    raster = xr.DataArray(np.tile(np.arange(4.0), (3, 1)), coords={"y": y, "x": x}, dims=("y", "x"))
    return raster.rio.write_crs(32616)


def shown(raster, view, **style):
    """Colours of a raster on axes of 80 x 60 pixels that show a part of the ground."""
    picture = Picture(figsize=(0.8, 0.6), dpi=100)
    ax = picture.add_axes((0, 0, 1, 1))
    ax.set(xlim=view[:2], ylim=view[2:])
    ax.axis("off")
    paint(ax, raster, raster.values, cmap="viridis", clim=(0, 3), **style)
    return np.asarray(Image.open(io.BytesIO(picture._repr_png_())))


def colour(value):
    return np.array(colormaps["viridis"](value / 3, bytes=True)[:3])


def test_each_cell_is_painted_at_its_place(ramp):
    pixels = shown(ramp, (0, 40, 0, 30))
    for column in range(4):
        assert (pixels[:, 20 * column : 20 * column + 20] == colour(column)).all()


def test_a_part_of_the_ground_is_painted_larger(ramp):
    pixels = shown(ramp, (15, 25, 0, 30))
    assert (pixels[:, :40] == colour(1)).all()
    assert (pixels[:, 40:] == colour(2)).all()


def test_ground_beyond_the_raster_stays_free(ramp):
    pixels = shown(ramp, (-40, 40, 0, 60))
    assert (pixels[:, :40] == 255).all()
    assert (pixels[:30] == 255).all()
    assert (pixels[30:, 41:49] == colour(0)).all()


def test_cells_without_a_value_stay_free(ramp):
    ramp[0, 1] = np.nan
    pixels = shown(ramp, (0, 40, 0, 30))
    assert (pixels[:20, 20:40] == 255).all()
    assert (pixels[20:, 20:40] == colour(1)).all()


def test_a_smooth_image_passes_from_cell_to_cell(ramp):
    pixels = shown(ramp, (0, 40, 0, 30), interpolation="bilinear").astype(int)
    assert np.abs(pixels[30, 50] - colour(2)).max() <= 6  # the centre of a cell keeps its colour
    assert np.abs(np.diff(pixels[30], axis=0)).max() <= 16


def test_a_raster_out_of_sight_draws_nothing(ramp):
    assert (shown(ramp, (500, 540, 0, 30)) == 255).all()
