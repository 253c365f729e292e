"""Rows in space: heights and neighbours."""

import numpy as np
import pytest
from fixtures.shade import array, field
from numpy.testing import assert_allclose

from pacifico.analysis.shading.row_pairs import row_fields
from pacifico.errors import InputError
from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout


def neighbours(rows, row, side):
    part = slice(rows.first[2 * row + side], rows.first[2 * row + side + 1])
    return rows.neighbour[part].tolist(), rows.line[part].tolist()


def test_rows_know_the_two_nearest_lines_on_either_side():
    rows = field(lambda x, y: 0 * x, array(rows=5))
    assert neighbours(rows, 2, 0) == ([1, 0], [0, 1])
    assert neighbours(rows, 2, 1) == ([3, 4], [0, 1])
    assert neighbours(rows, 0, 0) == ([], [])


def test_neighbours_reach_over_ends_and_into_other_arrays():
    north, east = array((0.0, 63.0), rows=2, name="b"), array((12.0, 0.0), rows=2, name="c")
    rows = field(lambda x, y: 0 * x, array(rows=2, name="a"), north, east)
    assert rows.array_id == ("a", "a", "b", "b", "c", "c")
    assert neighbours(rows, 1, 1) == ([4, 5], [0, 1])
    assert neighbours(rows, 0, 1) == ([1, 3, 4], [0, 0, 1])
    assert neighbours(rows, 0, 0) == ([], [])


def test_heights_are_those_of_the_tube_on_a_plane():
    rows = field(lambda x, y: 100 + 0.03 * x - 0.05 * y, array(rows=3))
    assert_allclose(rows.slope, -0.05, atol=1e-12)
    assert_allclose(np.diff(rows.heights[:, 0]), 0.18, atol=1e-9)


def test_a_plans_rows_stand_on_designed_piles_or_on_natural_ground(make):
    dem = make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 0.8 * np.sin(x / 31.0)))
    plan = add_racking(generate_layout(make.site(), dem, target_capacity_kw=2000), dem)
    designed = row_fields(plan.asset_list, plan.spec, dem, design=plan.racking)
    natural = row_fields(plan.asset_list, plan.spec, dem)
    assert sum(len(f.start) for f in designed) == plan.metrics["row_count"]
    first = designed[0]
    assert_allclose(first.heights[:, [0, -1]], plan.racking.rows.ends[: len(first.start), :, 2], atol=1e-9)
    assert np.abs(first.heights - natural[0].heights).max() < 1.0
    with pytest.raises(InputError, match="no ground under a row"):
        row_fields(plan.asset_list, plan.spec, dem.isel(x=slice(0, 20)))
