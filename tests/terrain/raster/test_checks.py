"""Refusals of rasters."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from pyproj import CRS
from rasterio.control import GroundControlPoint

from pacifico.errors import DEMError
from pacifico.grid import warnings_of
from pacifico.terrain.dem import open_dem
from pacifico.terrain.raster.checks import placement

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


@pytest.mark.parametrize(
    ("cell", "corner", "match"),
    [
        (5e-324, 0.0, "cells of no area"),
        (1e-12, 0.0, "cells of no area"),
        (1e305, 0.0, "nowhere on the earth"),
        (30.0, 1e10, "nowhere on the earth"),
        (30.0, float("nan"), "nowhere on the earth"),
    ],
)
def test_cells_that_lie_nowhere_are_refused(cell, corner, match):
    place = SimpleNamespace(
        transform=(cell, 0.0, corner, 0.0, -cell, 4e6), gcps=([], None), rpcs=None, crs=UTM15, height=24, width=24
    )
    with pytest.raises(DEMError, match=match):
        placement(place, "dem.tif")


def test_a_picture_is_refused_and_a_second_band_is_told(site, tmp_path):
    import rasterio

    transform = Affine(10.0, 0.0, CENTRE[0] - 1100, 0.0, -10.0, CENTRE[1] + 1100)
    for name, bands, options in (("rgb.tif", 3, {"photometric": "RGB"}), ("two.tif", 2, {})):
        with rasterio.open(tmp_path / name, "w", driver="GTiff", height=220, width=220, count=bands, dtype="uint8",
                           crs="EPSG:32615", transform=transform, **options) as out:  # fmt: skip
            out.write(np.full((bands, 220, 220), 9, dtype="uint8"))
    refused(site, tmp_path / "rgb.tif", "picture")
    assert "first is taken" in warnings_of(open_dem(site, tmp_path / "two.tif"))[0]


def two_variables(path):
    lat, lon = np.linspace(42.03, 41.96, 80), np.linspace(-93.7, -93.6, 90)
    grid = np.add.outer(lat, lon) * 10 + 1000
    xr.Dataset(
        {
            "elevation": (("lat", "lon"), grid.astype("float32"), {"units": "m"}),
            "tid": (("lat", "lon"), np.zeros(grid.shape, dtype="int16")),
        },
        coords={
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        attrs={"Conventions": "CF-1.8"},
    ).to_netcdf(path)
    return path


def test_variables_of_a_file_are_named_and_can_be_chosen(site, tmp_path):
    path = two_variables(tmp_path / "two.nc")
    message = refused(site, path, r"2 variables \(elevation, tid\)")
    chosen = re.search(r"--dem '([^']+)'", message)[1]
    assert chosen == f"NETCDF:{path}:elevation"
    dem = open_dem(site, chosen)
    assert float(dem.min()) > 400
    assert dem.attrs["source"] == "two.nc:elevation"
    assert any("WGS 84 is assumed" in w for w in warnings_of(dem))


def test_control_points_without_a_transform_name_gdalwarp(site, make_raster, tmp_path):
    with rasterio.open(make_raster()) as raster:
        z = raster.read(1)
    points = [GroundControlPoint(r, c, 445_000 + 10 * c, 4_651_000 - 10 * r) for r, c in ((0, 0), (0, 219), (219, 0))]
    path = tmp_path / "gcp.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=220, width=220, count=1, dtype="float64", gcps=points, crs="EPSG:32615"
    ) as out:
        out.write(z, 1)
    refused(site, path, "3 ground control points .* gdalwarp")


@pytest.mark.parametrize(
    "wkt",
    [
        'LOCAL_CS["Plant grid",UNIT["metre",1]]',
        'ENGCRS["Plant grid",EDATUM["x"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]',
    ],
)
def test_a_local_crs_is_refused(site, make_raster, wkt):
    refused(site, make_raster(name="local.tif", crs_wkt=wkt), "local coordinate system .*Plant grid")


def test_coordinates_that_do_not_fit_the_crs(site, make_raster):
    refused(
        site,
        make_raster(crs_wkt="EPSG:4326"),
        r"declares WGS 84 \(degrees\), but its coordinates .* are metres or feet",
    )
    degrees = (1e-4, 0.0, -93.7, 0.0, -1e-4, 42.01)
    refused(site, make_raster(transform=degrees, name="deg.tif"), "are degrees")


def test_a_missing_tile_is_named(site, make_raster, tmp_path):
    make_raster(name="west.tif")
    tile = '<SimpleSource><SourceFilename relativeToVRT="1">{}</SourceFilename><SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="110" ySize="220"/><DstRect xOff="{}" yOff="0" xSize="110" ySize="220"/></SimpleSource>'
    path = tmp_path / "mosaic.vrt"
    path.write_text(
        f'<VRTDataset rasterXSize="220" rasterYSize="220"><SRS>EPSG:32615</SRS><GeoTransform>{CENTRE[0] - 1100}, 10, 0, '
        f'{CENTRE[1] + 1100}, 0, -10</GeoTransform><VRTRasterBand dataType="Float64" band="1">'
        f"{tile.format('west.tif', 0)}{tile.format('tiles/east.tif', 110)}</VRTRasterBand></VRTDataset>"
    )
    message = refused(site, path, r"mosaic\.vrt is a mosaic and its tile east\.tif is missing")
    assert str(tmp_path) not in message


def test_errors_of_gdal_itself_are_refusals(site, make_raster, tmp_path):
    # GDAL fails on the file's keys only when it is asked for the colours.
    data = (Path(__file__).parents[2] / "fuzz/crashes/raster_window/gdal-error").read_bytes()
    (tmp_path / "a.tif").write_bytes(data)
    refused(site, tmp_path / "a.tif", "can't be read, it may be cut short or damaged")
