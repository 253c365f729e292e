"""Where assets may stand: exact areas, exact polygons, exact planes."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import MultiPolygon

from pacifico.grid import Grid, Ground
from pacifico.layout.criteria.racking import ArraySlopes
from pacifico.layout.ground.buildable import (
    Table,
    buildable_area,
    buildable_mask,
    cells_inside,
    make_field,
    no_build_area,
    zonal,
)
from pacifico.site.model import Zone

UTM = CRS.from_epsg(32615)


def rect(make, x0, y0, x1, y1):
    return np.array([[make.west + x0, make.south + y0, make.west + x1, make.south + y1]])


def cells_of(mask, grid):
    rows, columns = np.nonzero(mask)
    west, north = grid.x0 + columns * grid.dx, grid.y0 - rows * grid.dy
    return shapely.union_all(shapely.box(west, north - grid.dy, west + grid.dx, north))


coordinate = st.floats(-15, 75)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([(10.0, 10.0), (7.0, 11.0)]))
def test_share_is_the_exact_share_of_area(data, cell):
    mask = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=4, max_size=4)))
    grid = Grid(UTM, 0.0, 4 * cell[1], cell[0], cell[1], 4, 5)
    x = sorted(data.draw(st.tuples(coordinate, coordinate).filter(lambda p: abs(p[0] - p[1]) > 0.1)))
    y = sorted(data.draw(st.tuples(coordinate, coordinate).filter(lambda p: abs(p[0] - p[1]) > 0.1)))
    got = Table.of(mask, grid).share(np.array([[x[0], y[0], x[1], y[1]]]))[0]
    box = shapely.box(x[0], y[0], x[1], y[1])
    whole = shapely.box(0, 0, 5 * cell[0], 4 * cell[1])
    exact = cells_of(mask, grid).intersection(box).area + box.difference(whole).area
    assert got == pytest.approx(exact / box.area, abs=1e-9)


def test_slope_of_a_plane_is_exact_on_unequal_cells(make):
    field = make.field(make.site(), make.ground(lambda x, y: 0.06 * x - 0.08 * y, dx=8.0, dy=13.0))
    assert_allclose(field.slope, np.degrees(np.arctan(0.1)), rtol=1e-9)


@pytest.mark.parametrize("bearing", range(0, 360, 45))
@pytest.mark.parametrize(("dx", "dy"), [(10.0, 10.0), (6.0, 14.0)])
def test_statistics_of_planes_in_every_direction(make, bearing, dx, dy):
    """Ground that falls by 5 % towards a bearing has that aspect."""
    east, north = np.sin(np.radians(bearing)), np.cos(np.radians(bearing))
    field = make.field(make.site(), make.ground(lambda x, y: 50 - 0.05 * (east * x + north * y), dx=dx, dy=dy))
    found = zonal(field, np.vstack([rect(make, 100, 200, 164, 264), rect(make, 301, 301, 304, 303)]))
    assert_allclose(found.slope_deg, np.degrees(np.arctan(0.05)), rtol=1e-9)
    assert_allclose(found.mean_slope_deg, np.degrees(np.arctan(0.05)), rtol=1e-9)
    assert_allclose((found.aspect_deg - bearing + 180) % 360 - 180, 0, atol=1e-6)
    middle = np.array([[132.0, 232.0], [302.5, 302.0]])
    assert_allclose(found.elevation_m, 50 - 0.05 * (east * middle[:, 0] + north * middle[:, 1]), atol=1e-6)


def test_level_ground_has_no_aspect(make):
    found = zonal(make.field(make.site(), make.ground(make.level)), rect(make, 100, 100, 150, 150))
    assert np.isnan(found.aspect_deg[0])
    assert found.slope_deg[0] == 0


def test_the_slope_percentile_is_weighted_by_area(make):
    """One cell of 100 is cut by the rectangle to 4.9 % or 5.1 % of its area."""
    field = make.field(make.site(), make.ground(make.level))
    g = field.grid
    column, row = round((make.west + 100 - g.x0) / 10), round((g.y0 - make.south - 200) / 10)
    field.slope[row, column] = 20.0
    # cell: x 100..110, y 190..200 (10 x 10); the rectangle takes a strip of its east and west
    for strip, expected in ((4.9, 0.0), (5.1, 20.0)):
        r = rect(make, 110 - strip, 190, 210 - strip, 200)
        assert zonal(field, r).slope_deg[0] == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(3, 70), st.floats(3, 70), st.floats(150, 400), st.floats(150, 400))
def test_rectangles_that_pass_keep_the_limit_in_their_95th_percentile(make, seed, width, height, x, y):
    field = make.field(make.site(), make.ground(make.level))
    field.slope[:] = np.random.default_rng(seed).choice([3.0, 12.0], p=[0.97, 0.03], size=field.slope.shape)
    r = rect(make, x, y, x + width, y + height)
    if field.sieve(10.0).passes(r)[0]:
        assert zonal(field, r).slope_deg[0] <= 10.0


def test_rectangles_on_nodata_off_grid_steep_outside_or_excluded_ground_fail(make):
    ground = make.ground(make.level)
    ground.z[30, 30] = np.nan
    zone = Zone(make.at(400, 400, 450, 450))
    field = make.field(make.site(exclusions=(zone,)), ground, setback_m=10.0)
    field.slope[60, 60] = 20.0
    sieve = field.sieve(10.0)
    g = ground.grid

    def around(row, column, half=20.0):
        x, y = g.x_centres()[column] - make.west, g.y_centres()[row] - make.south
        return rect(make, x - half, y - half, x + half, y + half)

    assert sieve.passes(rect(make, 10, 10, 50, 50))[0]
    assert not sieve.passes(rect(make, 9.9, 10, 50, 50))[0]
    assert not sieve.passes(around(30, 30))[0]
    assert not sieve.passes(around(60, 60, half=20.0))[0]  # 100 of 1600 m2
    assert sieve.passes(around(60, 60, half=26.0))[0]  # 100 of 2704 m2
    assert not sieve.passes(rect(make, 380, 380, 400.5, 400.5))[0]
    assert sieve.passes(rect(make, 380, 380, 400, 400))[0]
    assert not sieve.passes(rect(make, -300, 100, -250, 150))[0]


def test_slope_is_unknown_on_nodata_and_beside_it(make):
    ground = make.ground(make.level)
    ground.z[30, 30] = np.nan
    field = make.field(make.site(), ground)
    assert np.isnan(field.slope[29:32, 29:32]).all()
    assert np.isnan(field.slope).sum() == 9
    assert not buildable_mask(field, 90.0)[29:32, 29:32].any()


def test_setback_and_exclusions_cut_exact_polygons(make):
    hard = Zone(make.at(100, 100, 200, 200))
    buffered = Zone(make.at(300, 300, 400, 400), zone_type="buffered", buffer_m=20.0)
    cost = Zone(make.at(0, 500, 600, 520), zone_type="cost", cost_multiplier=3.0)
    field = make.field(make.site(exclusions=(hard, buffered, cost)), make.ground(make.level), setback_m=10.0)
    buffer = 140 * 140 - (4 - np.pi) * 400  # a square with rounded corners
    assert field.allowed.area == pytest.approx(600**2 - 1e4 - buffer, rel=1e-4)
    assert field.placeable.area == pytest.approx(580**2 - 1e4 - buffer, rel=1e-4)
    assert field.placeable.bounds == (make.west + 10, make.south + 10, make.west + 590, make.south + 590)
    assert not field.placeable.intersects(shapely.buffer(hard.geometry, -0.01))


def test_without_zones_all_ground_may_be_built_on():
    assert no_build_area(()) is None
    assert no_build_area((Zone(shapely.box(0, 0, 1, 1), zone_type="cost"),)) is None


def test_a_setback_wider_than_the_site_leaves_empty_ground(make):
    field = make.field(make.site(50, 50), make.ground(make.level), setback_m=30.0)
    assert field.placeable.is_empty
    assert not field.inside.any()
    assert buildable_area(field, 10.0).is_empty


def test_holes_of_the_boundary_are_not_placeable(make):
    boundary = make.at(0, 0, 600, 600).difference(make.at(200, 200, 400, 400))
    field = make.field(make.site(boundary=boundary), make.ground(make.level), setback_m=10.0)
    assert field.placeable.area == pytest.approx(580**2 - 220**2)
    assert cells_inside(field.placeable, field.grid).sum() * 100 == 580**2 - 220**2


def test_buildable_area_is_the_boundary_minus_steep_cells(make):
    boundary = shapely.Polygon([(0, 0), (590, 13), (577, 601), (-5, 595)])
    boundary = shapely.transform(boundary, lambda xy: xy + np.array([make.west, make.south]))
    field = make.field(make.site(boundary=boundary), make.ground(make.level))
    field.slope[40, 40:43] = 15.0
    area = buildable_area(field, 10.0)
    assert area.area == pytest.approx(boundary.area - 300)
    assert buildable_area(field, 16.0).area == pytest.approx(boundary.area)


def test_coarse_blocks_never_add_buildable_ground(make):
    field = make.field(make.site(), make.ground(make.rolling))
    fine, coarse = buildable_area(field, 8.0), buildable_area(field, 8.0, coarsest_cells=1000)
    assert 0 < coarse.area < fine.area
    assert coarse.difference(fine).area < 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 1500), st.floats(2, 12))
def test_a_larger_setback_never_adds_buildable_ground(make, one, other, limit):
    small, large = sorted((one / 10, other / 10))
    ground, site = make.ground(make.rolling), make.site()
    a, b = (buildable_area(make.field(site, ground, setback_m=s), limit) for s in (small, large))
    assert b.area <= a.area + 1e-6
    assert b.difference(a).area < 1.0


def test_slope_of_a_coarse_source_is_at_least_that_between_its_cells(make):
    """A step of 6 m over 30 m, interpolated smoothly onto 10 m cells, hides no slope."""
    from pacifico.layout.ground.buildable import make_field

    ground = make.ground(lambda x, y: 3 * np.sin(x / 30))
    fine = make_field(make.site(), ground, ground, setback_m=0, source_cell_m=10.0)
    coarse = make_field(make.site(), ground, ground, setback_m=0, source_cell_m=30.0)
    assert (coarse.slope >= fine.slope - 1e-12).all()
    assert (coarse.slope > fine.slope + 0.1).any()


def test_multipolygon_sites_keep_all_parts(make):
    boundary = MultiPolygon([make.at(0, 0, 200, 600), make.at(300, 0, 600, 600)])
    field = make.field(make.site(boundary=boundary), make.ground(make.level), setback_m=10.0)
    assert field.placeable.area == pytest.approx(180 * 580 + 280 * 580)


def test_a_cell_is_too_steep_for_rows_where_a_part_of_it_is(make):
    coarse = make.ground(make.level, 600, 600, dx=30.0)
    g = coarse.grid
    between = Grid(g.crs, g.x0, g.y0, 10.0, 10.0, 3 * g.ny, 3 * g.nx)
    x = between.x0 + (np.arange(between.nx) + 0.5) * between.dx
    fine = Ground(between, np.tile(np.where(x > x[40] + 1.0, 3.0, 0.0), (between.ny, 1)))
    slopes = ArraySlopes(10.0, 0.15, 7.0, 0.2, 7.0)
    fields = [make_field(make.site(600, 600), coarse, h, setback_m=0.0, source_cell_m=30.0) for h in (fine, coarse)]
    found, level = (field.steep_for_arrays(slopes) for field in fields)
    assert np.flatnonzero(found.any(axis=0)).tolist() == [40 // 3]
    assert found[:, 40 // 3].all()
    assert not level.any()
