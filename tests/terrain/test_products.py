"""Terrain of a site as files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import rasterio
import shapely
from numpy.testing import assert_array_equal
from pyproj import CRS, Geod

from pacifico.crs import LONLAT, reproject
from pacifico.errors import DEMError
from pacifico.grid import Grid
from pacifico.site.model import Site, Zone
from pacifico.terrain.products import write_terrain
from pacifico.terrain.surface import PRODUCTS, surface_arrays

UTM15 = CRS.from_epsg(32615)


LIMITS = {"solar_array": 10.0, "battery": 4.0, "substation": 3.0}


def grid_of(ny=60, nx=80, dx=4.0, dy=7.0):
    return Grid(UTM15, 446_000.0, 4_650_000.0, dx, dy, ny, nx)


def centred(grid):
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return x - grid.x0 - grid.nx * grid.dx / 2, y - grid.y0 + grid.ny * grid.dy / 2


@pytest.fixture
def north_site():
    """At 60° N, where an area in degrees would be wrong by a factor of two."""
    x, y = 446_000.0, 6_650_000.0
    creek = Zone(shapely.box(x - 100, y - 500, x, y + 500), name="creek")
    return Site("north", UTM15, shapely.box(x - 500, y - 500, x + 500, y + 500), exclusions=(creek,))


def dem_on(site, surface, **attrs):
    west, south, east, north = site.boundary.bounds
    grid = Grid(
        site.crs, west - 300, north + 300, 10.0, 10.0, int(north - south + 600) // 10, int(east - west + 600) // 10
    )
    x, y = np.meshgrid(grid.x_centres() - (west + east) / 2, grid.y_centres() - (south + north) / 2)
    return grid.data_array(surface(x, y).astype("float32"), name="elevation", units="m", source="made", **attrs)


def waves(x, y):
    return 300 + 20 * np.sin(x / 150) * np.cos(y / 120) + 0.02 * x


def test_what_is_written(north_site, tmp_path):
    dem = dem_on(north_site, waves, source_resolution_m=10.0)
    summary = write_terrain(north_site, dem, tmp_path / "a", slope_limits_deg=LIMITS)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == summary["files"]
    assert json.loads((tmp_path / "a" / "summary.json").read_text()) == summary
    grid = Grid.of(dem)
    arrays = surface_arrays(dem.values, 10, 10, PRODUCTS)
    for name in (*PRODUCTS, "elevation"):
        with rasterio.open(tmp_path / "a" / f"{name}.tif") as raster:
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert tuple(raster.transform)[:6] == grid.transform
            assert raster.crs.to_epsg() == 32615
            assert_array_equal(raster.read(1), arrays[name] if name != "elevation" else dem.values)
    with rasterio.open(tmp_path / "a" / "why_not_buildable.tif") as raster:
        assert raster.tags()["CATEGORY_2"] == "exclusion: creek"
        codes = raster.read(1)
    assert (codes[:30] == 1).all()
    share = (codes[30:-30, 30:-30] == 2).mean()
    assert share == pytest.approx(0.1)
    assert summary["why_not_buildable_ha"]["exclusion: creek"] == pytest.approx(north_site.area_ha / 10, rel=1e-3)
    write_terrain(north_site, dem, tmp_path / "b", slope_limits_deg=LIMITS)
    for name in summary["files"]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_areas_are_of_the_ground(north_site, tmp_path):
    """Geodesic areas of the vectors, the histograms and the shares all come to the site's."""
    summary = write_terrain(north_site, dem_on(north_site, waves), tmp_path, slope_limits_deg=LIMITS)
    geod = Geod(ellps="WGS84")
    features = json.loads((tmp_path / "slope_classes.geojson").read_text())["features"]
    total = 0.0
    for feature in features:
        area = abs(geod.geometry_area_perimeter(shapely.geometry.shape(feature["geometry"]))[0]) / 1e4
        assert feature["properties"]["area_ha"] == pytest.approx(area, rel=1e-4)
        total += area
    assert total == pytest.approx(north_site.area_ha, rel=1e-4)
    for histogram in ("elevation_histogram", "slope_histogram"):
        assert sum(summary[histogram]["area_ha"]) == pytest.approx(north_site.area_ha, rel=1e-3)
    gentle = sum(f["properties"]["area_ha"] for f in features if f["properties"]["to_deg"] <= 4.0)
    on_creek = summary["buildable"]["battery"]
    assert on_creek["area_ha"] == pytest.approx(gentle * 0.9, rel=0.05)
    assert on_creek["p10_ha"] <= on_creek["p50_ha"] <= on_creek["p90_ha"]
    assert on_creek["share"] == pytest.approx(on_creek["area_ha"] / north_site.area_ha, abs=1e-3)
    contour = json.loads((tmp_path / "contours.geojson").read_text())["features"][0]
    assert set(contour["properties"]) == {"elevation_m", "label", "index", "label_at", "label_angle_deg"}
    lines = [
        shapely.geometry.shape(f["geometry"])
        for f in json.loads((tmp_path / "contours.geojson").read_text())["features"]
    ]
    boundary = reproject(north_site.boundary, UTM15, LONLAT).buffer(1e-5)
    assert all(boundary.contains(line) for line in lines)


def test_a_plane_and_no_elevation(north_site, tmp_path):
    summary = write_terrain(
        north_site, dem_on(north_site, lambda x, y: 100 + 0.05 * x), tmp_path, slope_limits_deg=LIMITS
    )
    angle = math.degrees(math.atan(0.05))
    assert summary["slope_deg"]["min"] == summary["slope_deg"]["max"] == pytest.approx(angle, abs=1e-3)
    assert summary["buildable"]["solar_array"]["share"] == pytest.approx(0.9, abs=1e-3)
    assert summary["buildable"]["substation"]["share"] == pytest.approx(0.9, abs=1e-3)
    with pytest.raises(DEMError, match="every cell"):
        write_terrain(north_site, dem_on(north_site, lambda x, y: x * np.nan), tmp_path, slope_limits_deg=LIMITS)
