"""Rows in columns, in segments with strips of their own."""

import numpy as np
import pytest
import shapely

from pacifico.layout.criteria.asset_types import solar_units
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.rows._column_kernels import cut_run
from pacifico.layout.placement.rows.column_packing import pack_columns
from pacifico.layout.placement.rows.row_runs import RowKinds

SPEC = make_spec()
FULL, HALF, THIRD = solar_units(SPEC)
GAP_M = SPEC.number("solar", "pair_gap_m")
KINDS = RowKinds.of(solar_units(SPEC), GAP_M)
EDGE_M = 0.01


def packed(make, free, near=None, standing=NO_RECTS):
    origin = np.array([make.west, make.south])
    free = shapely.transform(free, lambda xy: xy + origin)
    near = free if near is None else shapely.transform(near, lambda xy: xy + origin)
    shapely.prepare(near)
    field = make.field(make.site(1000, 1000), make.ground(make.level, 1000, 1000, dx=5.0), setback_m=0.0)
    arrays = pack_columns(free, near, field.sieve(10.0), KINDS, standing)
    assert shapely.covers(free, shapely.box(*arrays.rects.T)).all()
    gaps = shapely.box(*(arrays.rects + np.array([-1, -1, 1, 1]) * (GAP_M - EDGE_M) / 2).T)
    first, second = shapely.STRtree(gaps).query(gaps, predicate="intersects")
    assert (first == second).all()
    return arrays


def exact(columns, strips, unit):
    """Ground that holds columns of rows exactly, with a margin for rounding."""
    height = strips * (unit.height_m + GAP_M) - GAP_M
    return shapely.box(10, 10, 10 + columns * unit.pitch_x_m - unit.gap_x_m + EDGE_M, 10 + height + EDGE_M)


@pytest.mark.parametrize("unit", [FULL, HALF, THIRD])
def test_rows_fill_ground_that_is_made_for_them(make, unit):
    arrays = packed(make, exact(30, 1, unit))
    assert arrays.rows.sum() == 30
    assert {KINDS.units[k] for k in arrays.kind} == {unit}


def test_strips_fill_ground_between_roads(make):
    arrays = packed(make, exact(45, 3, FULL))
    assert arrays.rows.sum() == 135
    assert ((arrays.rows >= FULL.least_units) & (arrays.rows <= FULL.most_units)).all()


def test_short_rows_fill_what_full_rows_leave(make):
    height = FULL.height_m + HALF.height_m + GAP_M
    ground = shapely.box(10, 10, 10 + 20 * FULL.pitch_x_m, 10 + height + EDGE_M)
    arrays = packed(make, ground)
    assert arrays.kw(KINDS).sum() == pytest.approx(20 * (FULL.ac_kw + HALF.ac_kw))


def test_segments_have_strips_of_their_own(make):
    """Two parts at different heights: one lattice of strips would serve only one of them."""
    width, height = 12 * FULL.pitch_x_m, FULL.height_m + EDGE_M
    parts = shapely.box(10, 10, 10 + width, 10 + height), shapely.box(10 + width, 40, 10 + 2 * width, 40 + height)
    arrays = packed(make, shapely.union_all(parts))
    assert arrays.rows.sum() == 24
    assert np.ptp(arrays.rects[:, 1]) == pytest.approx(30.0, abs=EDGE_M)


def test_rows_beside_an_obstacle_shift_to_make_room(make):
    """Neither edge of the ground suits the columns between two obstacles."""
    ground = shapely.box(0, 0, 500, FULL.height_m + EDGE_M)
    middle = 200.0, 200.0 + 10 * FULL.pitch_x_m - FULL.gap_x_m + EDGE_M
    walls = [shapely.box(a - 2.0, 0, a, 100) for a in (middle[0], middle[1] + 2.0)]
    free = shapely.difference(ground, shapely.union_all(walls))
    arrays = packed(make, max(free.geoms, key=lambda g: -abs(g.centroid.x - 230)))
    assert arrays.rows.sum() == 10


def test_each_array_touches_ground_near_roads(make):
    near = shapely.box(0, 0, 40, 1000)
    arrays = packed(make, exact(60, 2, FULL), near)
    assert (arrays.rects[:, 0] - make.west <= 40).all()
    # the first array of each strip begins near, and is as long as an array may be
    assert arrays.rows.sum() >= 2 * FULL.most_units


def test_the_lattice_of_standing_arrays_is_kept(make):
    """Ground in the place of an array, larger by less than a step."""
    south = 10.37
    standing = np.array([[10.0, south, 10 + 5 * FULL.pitch_x_m - FULL.gap_x_m, south + FULL.height_m]])
    ground = shapely.box(9.997, south - 0.003, standing[0, 2] + 0.003, standing[0, 3] + 0.003)
    west, grid = make.west, make.south
    arrays = packed(make, ground, standing=standing + np.array([west, grid, west, grid]))
    assert arrays.rows.tolist() == [5]


def test_ground_too_small_for_an_array_stays_empty(make):
    assert packed(make, exact(FULL.least_units - 1, 1, FULL)).rows.size == 0
    assert packed(make, shapely.box(10, 10, 300, 10 + THIRD.height_m - 1)).rows.size == 0


def test_a_run_is_cut_into_arrays_with_a_reached_row_each():
    near = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    first, size = cut_run(near, 2, 6)
    assert size.tolist() == [6]
    assert first[0] <= 3 < first[0] + 6
    first, size = cut_run(np.ones(10, np.int64), 2, 6)
    assert size.sum() == 10
    assert size.size == 2
    assert cut_run(np.zeros(10, np.int64), 2, 6)[0].size == 0
