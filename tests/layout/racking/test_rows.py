"""Rows of arrays: where they are, their piles, and what lies beside what."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.racking import STRAIGHT, array
from numpy.testing import assert_allclose

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import rotate_item
from pacifico.layout.racking.rows import RowFrame, array_rows, make_rows, pile_places, rows_by_azimuth


@pytest.mark.parametrize(("azimuth", "along", "across"), [(0, (0, 1), (1, 0)), (90, (1, 0), (0, -1))])
def test_axes_at_right_angles_are_exact(azimuth, along, across):
    frame = RowFrame(azimuth)
    assert frame.to_map(np.float64(1), np.float64(0)) == along
    assert frame.to_map(np.float64(0), np.float64(1)) == across


def test_the_frame_turns_back():
    frame = RowFrame(33.0)
    x, y = np.array([3.0, -7.0]), np.array([11.0, 2.0])
    assert_allclose(frame.to_map(*frame.to_rows(x, y)), [x, y], atol=1e-12)


def test_piles_are_spaced_evenly_and_no_farther_than_allowed():
    criteria = replace(STRAIGHT, pile_spacing_m=7.0, end_overhang_m=1.0)
    assert_allclose(pile_places(64.0, criteria), 1 + np.arange(10) * 62 / 9)
    assert_allclose(pile_places(16.0, criteria), [1, 8, 15])
    assert_allclose(pile_places(2.0, criteria), [0.5, 1.5])  # a short row keeps half of its length between piles


def test_rows_lie_a_pitch_apart_about_the_centre():
    rows = make_rows([array((100.0, 50.0), rows=3)], STRAIGHT)
    assert_allclose(rows.ends_xy()[:, 0], [(95, 20), (100, 20), (105, 20)])
    assert_allclose(rows.ends_xy()[:, 1], [(95, 80), (100, 80), (105, 80)])
    assert rows.number.tolist() == [1, 2, 3]
    assert len(rows.pile_along) == 3 * 13


def test_neighbours_are_along_a_row_and_across_rows_of_an_array():
    rows = make_rows([array(along=10.0, rows=2), array((50.0, 0.0), along=10.0, rows=1)], STRAIGHT)
    a, b, along = rows.neighbours()
    pairs = list(zip(a.tolist(), b.tolist(), along.tolist(), strict=True))
    assert pairs == [(0, 1, True), (1, 2, True), (3, 4, True), (4, 5, True), (6, 7, True), (7, 8, True),
                     (0, 3, False), (1, 4, False), (2, 5, False)]  # fmt: skip


def test_tables_of_a_row_are_neighbours_across_only():
    tables = replace(array(along=21.0, rows=2), tables=2, table_m=10.0)
    rows = make_rows([tables], STRAIGHT)
    assert rows.number.tolist() == [1, 2, 3, 4]
    assert_allclose(rows.start - rows.start[0], [0, 11, 0, 11])
    a, b, along = rows.neighbours()
    assert set(zip(rows.row_of[a[~along]].tolist(), rows.row_of[b[~along]].tolist(), strict=True)) == {(0, 2), (1, 3)}


@pytest.fixture(scope="module", params=["tracker", "fixed"])
def plan(make, request):
    dem = make.dem(make.ground(lambda x, y: 100 + 0.01 * x))
    return generate_layout(make.site(), dem, target_capacity_kw=3000, spec={"solar": {"mounting": request.param}})


def test_rows_carry_the_capacity_of_their_array(plan):
    """Length of all rows times collector width and module power is the array's DC capacity."""
    arrays = array_rows(plan.asset_list, plan.spec)
    assets = {a.asset_id: a for a in plan.asset_list}
    assert arrays
    for a in arrays:
        item = assets[a.array_id].item
        kw = a.rows * a.tables * a.table_m * a.collector_m * plan.spec.number("solar", "module_efficiency")
        assert kw == pytest.approx(item.capacity_dc_kw, rel=1e-6)
        assert (a.rows - 1) * a.pitch_m + a.collector_m == pytest.approx(a.across_m, abs=1e-6)


def test_rows_lie_inside_their_array(plan):
    for rows in rows_by_azimuth(array_rows(plan.asset_list, plan.spec), STRAIGHT):
        boxes = {a.asset_id: a.item.rect for a in plan.asset_list}
        for ends, array_of in zip(rows.ends_xy(), rows.array_of.tolist(), strict=True):
            west, south, east, north = boxes[rows.arrays[array_of].array_id]
            assert (ends >= [west - 1e-6, south - 1e-6]).all()
            assert (ends <= [east + 1e-6, north + 1e-6]).all()


def test_a_turned_array_turns_its_rows(plan):
    asset = next(a for a in plan.asset_list if a.item.kind == "solar_array")
    before = array_rows([asset], plan.spec)[0]
    for angle in (30.0, 90.0):
        after = array_rows([replace(asset, item=rotate_item(asset.item, angle))], plan.spec)[0]
        assert after.azimuth_deg == pytest.approx((before.azimuth_deg - angle) % 180.0)
        assert (after.rows, after.tables) == (before.rows, before.tables)
        assert (after.along_m, after.across_m) == pytest.approx((before.along_m, before.across_m))


def test_arrays_are_grouped_by_azimuth():
    groups = rows_by_azimuth([array(), array((80.0, 0.0), azimuth=20.0), array((160.0, 0.0))], STRAIGHT)
    assert [(g.frame.azimuth_deg, len(g.arrays)) for g in groups] == [(0.0, 2), (20.0, 1)]
    assert rows_by_azimuth([], STRAIGHT) == []
    assert array_rows([], make_spec()) == []
