"""Refusals of rasters."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from pacifico.errors import DEMError
from pacifico.grid import warnings_of
from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def refused(site, path, match, error=DEMError):
    with pytest.raises(error, match=match) as caught:
        open_dem(site, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_dem_is_refused(site, make_raster, tmp_path):
    text = tmp_path / "text.tif"
    text.write_text("hello")
    refused(site, text, "not a raster that GDAL reads")
    refused(site, tmp_path / "absent.tif", "no such file")
    refused(
        site,
        make_raster(shape=(1, 1), transform=(3000.0, 0, CENTRE[0] - 1500, 0, -3000.0, CENTRE[1] + 1500)),
        "1 x 1 cells",
    )
    refused(site, make_raster(dtype="complex64"), "complex")
    refused(site, _without_crs(make_raster), "has no CRS")
    refused(site, make_raster(lambda x, y: 0 * x - 9999, nodata=-9999.0), "every one of its")
    refused(
        site,
        make_raster(lambda x, y: np.where(np.hypot(x - CENTRE[0], y - CENTRE[1]) < 760, np.nan, 5.0)),
        "under the site",
    )
    refused(site, make_raster(units="fathom"), "fathom")
    whole = make_raster(name="whole.tif")
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[:200_000])
    refused(site, cut, "cut short or damaged")
    with pytest.raises(DEMError, match=r"0\.1 to 1000 m"):
        open_dem(site, whole, resolution_m=0.01)


def _without_crs(make_raster):
    import rasterio

    path = make_raster(name="bare.tif")
    with rasterio.open(path) as raster:
        z, transform = raster.read(), raster.transform
    with rasterio.open(path, "w", driver="GTiff", height=z.shape[1], width=z.shape[2], count=1, dtype=z.dtype,
                       transform=transform) as out:  # fmt: skip
        out.write(z)
    return path


def test_a_picture_is_refused_and_a_second_band_is_told(site, tmp_path):
    import rasterio

    transform = Affine(10.0, 0.0, CENTRE[0] - 1100, 0.0, -10.0, CENTRE[1] + 1100)
    for name, bands, options in (("rgb.tif", 3, {"photometric": "RGB"}), ("two.tif", 2, {})):
        with rasterio.open(tmp_path / name, "w", driver="GTiff", height=220, width=220, count=bands, dtype="uint8",
                           crs="EPSG:32615", transform=transform, **options) as out:  # fmt: skip
            out.write(np.full((bands, 220, 220), 9, dtype="uint8"))
    refused(site, tmp_path / "rgb.tif", "picture")
    assert "first is taken" in warnings_of(open_dem(site, tmp_path / "two.tif"))[0]
