"""Places for skids at the ends of arrays, by hand."""

import numpy as np
import pytest
from fixtures.placement import SKID, SPEC

from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.placement.skid_places import skid_in_row, skid_share, skid_spots
from pacifico.layout.placement.strips import SOUTH, WEST, Slots

UNIT = solar_unit(SPEC)


def slots_of(*units, side=SOUTH):
    """Arrays 200 m apart along one strip."""
    n = np.array(units, dtype=np.int64)
    west = 200.0 * np.arange(n.size)
    rects = np.column_stack([west, 0 * west, west + n * UNIT.pitch_x_m - UNIT.gap_x_m, 0 * west + UNIT.height_m])
    zeros = np.zeros(n.size, dtype=np.int64)
    return Slots(rects, n, zeros, zeros, zeros + side, zeros)


def test_a_skid_turned_along_tracker_rows_replaces_one():
    """3 m, two aprons of 1 m and 1.8 m are 6.8 m of the 6.86 m from row to row; 12 m would take three rows."""
    skid = skid_in_row(SKID, UNIT)
    assert (skid.along_x_m, skid.along_y_m, skid.rotation_deg, skid.units) == (3, 12, 90, 1)


def test_a_skid_between_fixed_rows_stays_unturned():
    skid = skid_in_row(SKID, solar_unit(make_spec({"solar": {"mounting": "fixed"}})))
    assert (skid.along_x_m, skid.rotation_deg, skid.units) == (12, 0, 1)


def test_a_skid_too_long_for_low_rows_stays_unturned():
    low = solar_unit(make_spec({"solar": {"tracker_row_m": 20.0}}), pocket=True)
    assert skid_in_row(SKID, low).rotation_deg == 0


def test_skids_replace_a_small_share_of_arrays():
    assert skid_share(SKID, UNIT) == pytest.approx(25.99 / 4200, rel=1e-3)


def test_spots_stay_within_the_rows_that_are_replaced():
    slots, skid = slots_of(10), skid_in_row(SKID, UNIT)
    spots = skid_spots(slots, UNIT, skid)
    west, south, east, north = slots.rects[0]
    for (x, y), at_west in zip(spots.centres, spots.at_west, strict=True):
        pad = (x - 2.5, y - 7.0, x + 2.5, y + 7.0)
        assert pad[1] >= south - 1e-9
        assert pad[3] <= north + 1e-9
        if at_west:
            assert pad[0] >= west - 1e-9
            assert pad[2] <= west + UNIT.pitch_x_m - 1.8 + 1e-9
        else:
            assert pad[2] <= east + 1e-9
            assert pad[0] >= east - UNIT.pitch_x_m + 1.8 - 1e-9


def test_an_array_that_would_get_too_small_comes_last():
    spots = skid_spots(slots_of(4, 10), UNIT, skid_in_row(SKID, UNIT))
    assert spots.penalty[spots.array == 0].min() > spots.penalty[spots.array == 1].min()


def test_the_end_beside_a_cross_aisle_is_best():
    spots = skid_spots(slots_of(10, side=WEST), UNIT, skid_in_row(SKID, UNIT))
    assert spots.at_west[int(np.argmin(spots.penalty))] == 1
