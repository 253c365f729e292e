"""Runs of joined rows."""

import numpy as np
import pytest
import shapely

from pacifico.layout.criteria.asset_types import solar_units
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.placement.rows.row_runs import RowKinds, RowRuns, cut_runs, shift_runs

SPEC = make_spec()
FULL = solar_units(SPEC)[0]
KINDS = RowKinds.of(solar_units(SPEC), SPEC.number("solar", "pair_gap_m"))


def runs_at(make, *places):
    """Runs of full rows: western and southern edge, and number of rows."""
    rects = [(x, y, x + n * FULL.pitch_x_m - FULL.gap_x_m, y + FULL.height_m) for x, y, n in places]
    rects = np.array(rects) + np.array([make.west, make.south, make.west, make.south])
    return RowRuns(rects, np.array([n for _, _, n in places]), np.zeros(len(places), np.int64))


def box_at(make, west, south, east, north):
    area = shapely.box(make.west + west, make.south + south, make.west + east, make.south + north)
    shapely.prepare(area)
    return area


@pytest.fixture
def sieve(make):
    return make.field(make.site(600, 600), make.ground(make.level, 600, 600, dx=5.0), setback_m=0.0).sieve(10.0)


def test_a_run_moves_west_and_grows(make, sieve):
    free = box_at(make, 10, 10, 10 + 9 * FULL.pitch_x_m, 100)
    runs = shift_runs(runs_at(make, (15, 20, 8)), KINDS, free, free, sieve)
    assert runs.rows.tolist() == [9]
    assert runs.rects[0, 0] == pytest.approx(make.west + 10, abs=0.01)


def test_runs_keep_their_gaps(make, sieve):
    free = box_at(make, 10, 10, 10 + 20 * FULL.pitch_x_m, 100)
    runs = shift_runs(runs_at(make, (12, 20, 8), (80, 24, 8)), KINDS, free, free, sieve)
    assert runs.rows.sum() > 16
    gap = FULL.gap_x_m
    assert runs.rects[1, 0] - runs.rects[0, 2] >= gap - 1e-6


def test_a_run_stays_where_the_move_takes_it_away_from_roads(make, sieve):
    free = box_at(make, 10, 10, 10 + 9 * FULL.pitch_x_m, 100)
    last = make.west + 15 + 8 * FULL.pitch_x_m - FULL.gap_x_m
    near = box_at(make, last - make.west - 0.1, 0, 300, 300)
    before = runs_at(make, (15, 20, 4), (15 + 4 * FULL.pitch_x_m, 20, 4))
    after = shift_runs(before, KINDS, free, near, sieve)
    kw = [cut_runs(r, KINDS, near).rows.sum() for r in (before, after)]
    assert kw[1] >= kw[0]


def test_arrays_of_a_run_have_whole_units(make):
    near = box_at(make, 0, 0, 600, 600)
    arrays = cut_runs(runs_at(make, (10, 10, 45)), KINDS, near)
    assert arrays.rows.sum() == 45
    assert arrays.rows.max() <= FULL.most_units
    widths = arrays.rects[:, 2] - arrays.rects[:, 0]
    assert widths == pytest.approx(arrays.rows * FULL.pitch_x_m - FULL.gap_x_m)
    assert arrays.kw(KINDS) == pytest.approx(arrays.rows * FULL.ac_kw)


def test_fixed_tables_of_other_columns_are_left_out():
    units = solar_units(make_spec({"solar": {"mounting": "fixed", "fixed_unit_rows": 8.0}}))
    same = tuple(unit for unit in units if unit.pitch_x_m == units[0].pitch_x_m)
    assert len(same) < len(units)
    assert RowKinds.of(units, 3.0).units == same
