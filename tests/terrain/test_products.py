from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS, Geod
from rasterio.windows import Window

from pacifico.crs import LONLAT, reproject
from pacifico.errors import DEMError, InputError
from pacifico.grid import Grid
from pacifico.site.model import Site, Zone
from pacifico.terrain import stream
from pacifico.terrain.contours import coarsened, contours, sensible_interval_m, slope_classes
from pacifico.terrain.dem import open_dem
from pacifico.terrain.products import write_terrain
from pacifico.terrain.stream import surface_blocks, surface_files, write_raster
from pacifico.terrain.surface import PRODUCTS, slope_deg, surface_arrays

UTM15 = CRS.from_epsg(32615)
LIMITS = {"solar_array": 10.0, "battery": 4.0, "substation": 3.0}


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


@pytest.mark.parametrize("block_rows", [1, 7, 64, 1000])
def test_blocks_give_the_bytes_of_the_whole(block_rows):
    grid = grid_of(150, 90)
    z = np.random.default_rng(5).normal(size=grid.shape).astype("float32")
    z[40:44, 10:20] = np.nan
    whole = surface_arrays(z, grid.dx, grid.dy, PRODUCTS)
    seen = {name: [] for name in PRODUCTS}
    for _, block in surface_blocks(lambda a, b: z[a:b], grid, PRODUCTS, block_rows=block_rows):
        for name, values in block.items():
            seen[name].append(values)
    if block_rows == 1:
        with pytest.raises(DEMError):
            surface_arrays(z[:1], grid.dx, grid.dy, ["slope"])
    for name in PRODUCTS:
        assert np.concatenate(seen[name]).tobytes() == whole[name].tobytes()


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_does_not_change_a_file(tmp_path, monkeypatch, threads):
    """Many tiles of noise, each of another size once compressed."""
    z = np.random.default_rng(5).normal(size=(1500, 2100)).cumsum(0).astype("float32")
    grid = Grid(UTM15, 446_000.0, 4_650_000.0, 1.0, 1.0, *z.shape)
    usual = write_raster(tmp_path / "usual.tif", z, grid, nodata=np.nan, averaged=True)
    monkeypatch.setitem(stream.COG, "num_threads", threads)
    other = write_raster(tmp_path / "other.tif", z, grid, nodata=np.nan, averaged=True)
    assert usual.read_bytes() == other.read_bytes()


def test_files_by_blocks_are_those_of_the_whole(site, make_raster, tmp_path):
    path = make_raster(dtype="float32")
    surface_files(path, tmp_path / "out", ["slope", "tri"], block_rows=50)
    z = open_dem(site, path, halo_m=600).values
    with rasterio.open(path) as raster:
        z = raster.read(1)
    for name, values in surface_arrays(z, 10, 10, ["slope", "tri"]).items():
        with rasterio.open(tmp_path / "out" / f"{name}.tif") as raster:
            assert_array_equal(raster.read(1), values)
            assert raster.read(1, window=Window(0, 0, 5, 5)).shape == (5, 5)
    with pytest.raises(DEMError, match="open_dem"):
        surface_files(
            make_raster(crs=LONLAT, transform=(1e-4, 0, -93, 0, -1e-4, 42), name="deg.tif"), tmp_path, ["slope"]
        )


HUGE = """
import resource, sys
import numpy as np, rasterio
from affine import Affine
from pathlib import Path
from pacifico.terrain.stream import surface_files
folder, n = Path(sys.argv[1]), 10_000
path = folder / "dem.tif"
with rasterio.Env(GDAL_CACHEMAX=64), rasterio.open(path, "w", driver="GTiff", height=n, width=n, count=1, dtype="float32",
        crs="EPSG:32615", transform=Affine(1, 0, 446000, 0, -1, 4650000), tiled=True, blockxsize=512, blockysize=512) as out:
    x = np.arange(n, dtype="float32")
    for r in range(0, n, 512):
        y = np.arange(r, min(r + 512, n), dtype="float32")[:, None]
        out.write(300 + 20 * np.sin(x / 170) * np.cos(y / 210) + 0.01 * x, 1, window=((r, r + len(y)), (0, n)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
surface_files(path, folder / "out", ["slope", "aspect", "hillshade", "profile_curvature"], cog=False)
print(before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_a_hundred_million_cells_in_bounded_memory(tmp_path):
    done = subprocess.run([sys.executable, "-c", HUGE, str(tmp_path)], check=True, capture_output=True, text=True)
    peak_mb = float(done.stdout.split()[1])
    print(f"peak {peak_mb:.0f} MB")
    assert peak_mb < 1500, done.stdout
    with rasterio.open(tmp_path / "dem.tif") as dem:
        z = dem.read(1)
    for name in ("slope", "aspect", "hillshade", "profile_curvature"):
        whole = surface_arrays(z, 1, 1, [name])[name]
        with rasterio.open(tmp_path / "out" / f"{name}.tif") as file:
            assert file.read(1).tobytes() == whole.tobytes(), name
