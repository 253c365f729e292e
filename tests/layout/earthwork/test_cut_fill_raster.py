"""Cut and fill as a GeoTIFF: a pad cut in a plane to the last digit, its place, its bytes."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from fixtures.earthwork import EAST, NORTH, WALLS, ground_of, here, line, plane
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import LineString, MultiPolygon, box

from pacifico.errors import CRSMismatchError
from pacifico.grid import Grid, Ground
from pacifico.layout.earthwork.criteria import EarthworkCriteria
from pacifico.layout.earthwork.cut_fill_raster import cut_fill_raster
from pacifico.layout.earthwork.pads import graded_pads
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Pad
from pacifico.layout.model.earthwork import PadPlane
from pacifico.layout.model.racking import GradedCells


@pytest.fixture(scope="module")
def dem(make):
    """A plane that rises 2 % to the east and 1 % to the north, on cells of 10 x 5 m."""
    return make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 0.01 * y, dx=10.0, dy=5.0))


@pytest.fixture(scope="module")
def plan(make, dem):
    return generate_layout(make.site(), dem, target_capacity_kw=2000)


def only(plan, *pads):
    """The plan with these pads alone, and no road."""
    from dataclasses import replace

    listed = tuple(Pad(f"P{k:04d}", (), p) for k, p in enumerate(pads))
    return replace(plan, pad_list=listed, road_list=(), road_volumes=())


def test_a_pad_cut_in_a_plane_is_the_plane_less_the_pad(make, dem, plan):
    """A level pad of whole cells at 104 m: in each cell the design less the height of its middle, both being planes."""
    pad = graded_pads(Ground.of(dem), [make.at(200, 200, 260, 230)], np.array([[104.0, 0, 0]]))[0]
    raster = only(plan, pad).cut_fill(dem)
    x, y = np.meshgrid(raster.x.values - make.west, raster.y.values - make.south)
    inside = (x > 200) & (x < 260) & (y > 200) & (y < 230)
    assert_allclose(raster.values[inside], (104.0 - (100 + 0.02 * x + 0.01 * y))[inside], atol=1e-5)
    assert raster.values[inside].min() < 0  # cut
    volume = np.sum(raster.values[inside].astype(float)) * 50.0
    assert_allclose(volume, pad.fill_m3 - pad.cut_m3, rtol=1e-6)
    assert inside.sum() == 6 * 6


def test_a_tilted_pad_is_lower_on_its_lower_side(make, dem, plan):
    at = make.at(200, 200, 260, 230)
    pad = graded_pads(Ground.of(dem), [at], np.array([[105.0, 0.01, -0.015]]))[0]
    raster = only(plan, pad).cut_fill(dem)
    x, y = np.meshgrid(raster.x.values - make.west, raster.y.values - make.south)
    inside = (x > 200) & (x < 260) & (y > 200) & (y < 230)
    design = 105.0 + 0.01 * (x - 230) - 0.015 * (y - 215)
    assert_allclose(raster.values[inside], (design - (100 + 0.02 * x + 0.01 * y))[inside], atol=1e-5)


def test_a_road_on_a_fill_is_its_height_above_ground(make, dem, plan):
    from dataclasses import replace

    road = replace(plan.road_list[0], line=LineString([
        (make.west + 100, make.south + 302.5, 100 + 2 + 3.025 + 1.5), (make.west + 400, make.south + 302.5, 100 + 8 + 3.025 + 1.5),
    ]), width_m=5.0)  # fmt: skip
    raster = replace(plan, pad_list=(), road_list=(road,)).cut_fill(dem)
    rows = raster.values[np.isfinite(raster.values).any(axis=1)]
    assert np.isfinite(rows).sum() == 90  # a row of cells as wide as the road, and one of side slopes on either side
    assert_allclose(rows[1][np.isfinite(rows[1])], 1.5, atol=1e-5)
    assert np.nanmin(rows[[0, 2]]) > 0.5
    assert np.nanmax(rows[[0, 2]]) < 1.0


def test_side_slopes_fall_from_the_edge_to_the_ground():
    """A pad 1.5 m above level ground, slopes of 2:1: at a distance d the fill is 1.5 - d / 2, as far as 3 m."""
    ground = ground_of(plane(0, 0), dx=1.0, dy=1.0)
    pads = graded_pads(ground, [here(box(-10, -10, 10, 10))], np.array([[101.5, 0, 0]]))
    raster = cut_fill_raster(ground, pads, [], [])
    x, y = ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH
    east = raster[np.argmin(abs(y - 0.5))]
    for d in (0.5, 1.5, 2.5):
        assert east[np.argmin(abs(x - 10 - d))] == pytest.approx(1.5 - d / 2, abs=0.01)
    assert np.isnan(east[np.argmin(abs(x - 13.5))])


def test_side_slopes_end_at_other_works():
    """A second pad at the foot of the first keeps its own depth."""
    ground = ground_of(plane(0, 0), dx=2.0, dy=2.0)
    outlines = [here(box(-20, -10, 0, 10)), here(box(2, -10, 20, 10))]
    pads = graded_pads(ground, outlines, np.array([[104.0, 0, 0], [99.0, 0, 0]]))
    raster = cut_fill_raster(ground, pads, [], [])
    x, y = np.meshgrid(ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH)
    assert_allclose(raster[(x > 2) & (x < 20) & (abs(y) < 10)], -1.0)


def test_the_file_tells_place_unit_and_nodata(make, dem, plan, tmp_path):
    path = plan.write_cut_fill(dem, tmp_path / "works.tif")
    raster = plan.cut_fill(dem)
    with rasterio.open(path) as file:
        assert CRS.from_wkt(file.crs.to_wkt()) == make.crs
        assert tuple(file.transform)[:6] == Grid.of(dem).transform
        assert (file.count, file.dtypes[0], np.isnan(file.nodata)) == (1, "float32", True)
        assert file.profile["tiled"]
        assert file.compression.name == "deflate"
        assert file.tags()["units"] == "m"
        np.testing.assert_array_equal(file.read(1), raster.values)
    assert np.isfinite(raster.values).any()
    works = [p.plane.polygon for p in plan.pad_list] + [r.line.buffer(r.width_m / 2) for r in plan.road_list]
    west, south, east, north = MultiPolygon([box(*w.bounds) for w in works]).bounds
    there = raster.where(raster.notnull(), drop=True)
    slopes = 8.0  # twice the deepest cut or fill, and more
    assert west - 5 - slopes <= there.x.min()
    assert there.x.max() <= east + 5 + slopes
    assert south - 2.5 - slopes <= there.y.min()
    assert there.y.max() <= north + 2.5 + slopes


def test_the_same_plan_gives_the_same_bytes_in_another_process(tmp_path):
    """The command line writes it; twice, with other settings around it."""
    from pacifico.terrain.sources import sample_site_path

    digests = set()
    for n, threads in enumerate(("1", "2")):
        out, works = tmp_path / f"{n}.geojson", tmp_path / f"{n}.tif"
        run = subprocess.run(
            [sys.executable, "-c", "import sys; from pacifico.cli.main import main; sys.exit(main())", "layout", str(sample_site_path()), "--dem",
             "sample", "--capacity-kw", "10000", "--out", str(out), "--cut-fill", str(works), "--json"],
            check=False, capture_output=True, text=True, env={**os.environ, "GDAL_NUM_THREADS": threads, "TZ": "Asia/Tokyo"},
        )  # fmt: skip
        assert run.returncode in (0, 1), run.stderr
        metrics = json.loads(run.stdout)["metrics"]
        with rasterio.open(works) as file:
            depth = file.read(1)
        assert (np.nanmin(depth) < 0) == (metrics["cut_volume_m3"] > 0)
        digests.add(hashlib.sha256(works.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_another_crs_is_refused(make, dem, plan):
    from dataclasses import replace

    other = replace(plan, site=replace(plan.site, crs=CRS.from_epsg(32616)))
    with pytest.raises(CRSMismatchError, match="give the DEM that the plan was made on"):
        other.cut_fill(dem)


def test_a_finer_ground_is_what_depths_are_taken_from(make):
    """A ridge between the middles of coarse cells: only the finer ground knows it."""
    coarse = make.ground(make.level, dx=30.0)
    g = coarse.grid
    fine = Grid(g.crs, g.x0, g.y0, 10.0, 10.0, 3 * g.ny, 3 * g.nx)
    x = np.arange(fine.nx)
    z = np.full(fine.shape, 100.0)
    z[:, x % 3 == 0] = 103.0
    pad = PadPlane(make.at(200, 200, 260, 260), 100.0, 0.0, 0.0, 0.0, 0.0)
    flat = cut_fill_raster(coarse, [pad], [], [])
    known = cut_fill_raster(coarse, [pad], [], [], heights=Ground(fine, z))
    assert_allclose(flat[np.isfinite(flat)], 0.0, atol=1e-9)
    assert np.nanmean(known) == pytest.approx(-1.0, abs=0.2)


def test_cells_hold_the_depth_of_graded_ground():
    ground = ground_of(plane(0, 0), dx=5.0, dy=5.0)
    pads = graded_pads(ground, [here(box(-20, -20, 20, 20))], np.array([[101.5, 0, 0]]))
    road = line((20, 0, 99.0), (90, 0, 99.0))
    raster = cut_fill_raster(ground, pads, [road], [10.0], criteria=WALLS)
    x, y = np.meshgrid(ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH)
    on_pad = (abs(x) < 20) & (abs(y) < 20)
    on_road = (x > 20) & (x < 90) & (abs(y) < 5)
    assert_allclose(raster[on_pad], 1.5)
    assert_allclose(raster[on_road], -1.0)
    assert np.isnan(raster[~on_pad & ~on_road]).all()
    assert np.isnan(cut_fill_raster(ground, [], [], [])).all()


def test_a_pad_smaller_than_a_cell_is_drawn():
    ground = ground_of(plane(0, 0), dx=30.0, dy=30.0)
    pads = graded_pads(ground, [here(box(9, 9, 21, 12))], np.array([[100.7, 0, 0]]))
    raster = cut_fill_raster(ground, pads, [], [], criteria=WALLS)
    assert_allclose(raster[np.isfinite(raster)], [0.7])


def test_works_on_walls_have_no_side_slopes_and_steep_slopes_are_short():
    """A pad 1.5 m above level ground: slopes of 0.5:1 end 0.75 m from its edge."""
    ground = ground_of(plane(0, 0), dx=0.5, dy=0.5)
    pads = graded_pads(ground, [here(box(-5, -5, 5, 5))], np.array([[101.5, 0, 0]]))
    x, y = np.meshgrid(ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH)
    beside = (abs(y) < 4) & (x > 5)
    walls = cut_fill_raster(ground, pads, [], [], criteria=WALLS)
    assert np.isnan(walls[beside]).all()
    steep = cut_fill_raster(ground, pads, [], [], criteria=EarthworkCriteria(side_slope=0.5))
    assert_allclose(steep[beside & (x < 5.5)], 1.5 - 0.25 / 0.5, atol=1e-6)
    assert np.isnan(steep[beside & (x > 6)]).all()


@pytest.mark.parametrize("width", [1.0, 3.0, 8.0])
def test_each_road_is_drawn_in_its_width_on_coarse_cells(width):
    ground = ground_of(plane(0.02, 0), dx=10.0, dy=10.0)
    roads = [line((-60, 3, 101), (20, 3, 103)), line((-60, -47, 99), (-20, -47, 98), (40, -47, 98))]
    raster = cut_fill_raster(ground, [], roads, [width, width], criteria=WALLS)
    x, y = np.meshgrid(ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH)
    first, second = (y == 5) & (x > -60) & (x < 20), (y == -45) & (x > -60) & (x < 40)
    assert_allclose(raster[first], (1 + 0.025 * (x + 60) + 1.2 - 0.02 * (x + 60))[first], atol=0.05)
    design = np.where(x < -20, 99 - 0.025 * (x + 60), 98)
    assert_allclose(raster[second], (design - 100 - 0.02 * x)[second], atol=0.05)


def test_slopes_of_narrow_roads_begin_at_their_edges():
    ground = ground_of(plane(0, 0), dx=1.0, dy=1.0)
    raster = cut_fill_raster(ground, [], [line((-20, 0, 102), (20, 0, 102))], [6.0])
    x, y = np.meshgrid(ground.grid.x_centres() - EAST, ground.grid.y_centres() - NORTH)
    middle = abs(x) < 15
    assert_allclose(raster[middle & (abs(y) < 3)], 2.0, atol=1e-9)
    for d in (0.5, 1.5, 2.5, 3.5):
        assert_allclose(raster[middle & (abs(abs(y) - 3 - d) < 1e-6)], 2 - d / 2, atol=1e-2)
    assert np.isnan(raster[middle & (abs(y) > 7.5)]).all()


def test_ground_graded_under_arrays_is_corrected_over_its_area():
    ground = ground_of(plane(0.01, 0.02), dx=10.0, dy=10.0)
    x, y = EAST + np.array([5.0, 15.0]), NORTH + np.array([5.0, 5.0])
    large = GradedCells(0.0, 4.0, x, y, np.array([0.5, -0.25]))
    small = GradedCells(30.0, 2.0, x[:1] + 3, y[:1] + 3, np.array([1.5]))
    none = GradedCells(0.0, 4.0, x[:0], y[:0], np.zeros(0))
    raster = cut_fill_raster(ground, [], [], [], graded=[none, large, small])
    assert_allclose(raster[np.isfinite(raster)], [(16 * 0.5 + 4 * 1.5) / 20, -0.25], atol=1e-9)
    alone = GradedCells(0.0, 4.0, x[:1], y[:1], np.array([0.7]))
    raster = cut_fill_raster(ground, [], [], [], graded=[alone])
    assert_allclose(raster[np.isfinite(raster)], [0.7], atol=1e-9)
