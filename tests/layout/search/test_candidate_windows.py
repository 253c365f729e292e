"""Candidate windows: units, extent, and estimates of road and earthwork by hand."""

import numpy as np
import pytest

from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.solar_arrays import solar_grounds
from pacifico.layout.placement.strips import NORTH, SOUTH, Slots
from pacifico.layout.search.candidate_windows import (
    MIN_LANE_M,
    ROAD_FACTOR,
    SAVED_ALONG,
    START_M,
    candidate_windows,
)


def row_of_slots(make, n, width=40.0):
    """Strips south and north of one lane, each with n slots of two units."""
    rects, strips, sides = [], [], []
    for strip, (y, side) in enumerate(((100.0, NORTH), (177.0, SOUTH))):
        for k in range(n):
            rects.append(
                (make.west + 50 + width * k, make.south + y, make.west + 50 + width * (k + 1), make.south + y + 64)
            )
            strips.append(strip)
            sides.append(side)
    zeros = np.zeros(len(rects), dtype=np.int64)
    return Slots(np.array(rects), zeros + 2, np.array(strips), zeros, np.array(sides), zeros)


def test_windows_over_both_strips_by_hand(make):
    """Four slots of 40 m in each strip, 8 units needed: two bins of 40 m over both strips."""
    field = make.field(make.site(), make.ground(make.level))
    windows = candidate_windows(field, row_of_slots(make, 4), 8, width_m=6.0)
    heights = windows.rects[:, 3] - windows.rects[:, 1]
    both = heights > 130
    assert both.any()
    assert heights[both] == pytest.approx(64 + 13 + 64)
    widths = windows.rects[both, 2] - windows.rects[both, 0]
    assert (widths >= 54.0 - 1e-9).all()
    # the lane runs between the strips, shorter than the window and the arrays at its ends
    assert windows.lanes == pytest.approx([make.south + 170.5])
    driven = np.maximum(widths + 40.0 - 27.0 - SAVED_ALONG * 40.0, MIN_LANE_M)
    assert windows.road_m[both] == pytest.approx(ROAD_FACTOR * driven + START_M)
    assert windows.earth_m3 == pytest.approx(0.0)


def test_lanes_in_a_window_are_its_own(make):
    field = make.field(make.site(), make.ground(make.level))
    windows = candidate_windows(field, row_of_slots(make, 4), 16, width_m=6.0)
    west, south, east, north = windows.rects[0]
    assert windows.lanes_in(0).tolist() == [[west, make.south + 170.5, east, make.south + 170.5]]
    assert windows.take(np.array([0])).rects.tolist() == [[west, south, east, north]]


def test_no_window_holds_more_than_there_is(make):
    field = make.field(make.site(), make.ground(make.level))
    assert len(candidate_windows(field, row_of_slots(make, 4), 17, width_m=6.0).area_m2) == 0


@pytest.mark.parametrize("scheme", ["quads", "spines"])
def test_windows_of_a_site_hold_the_units_needed(make, scheme):
    context = make.context(make.site(900, 900), make.ground(make.rolling, 900, 900), setback_m=10.0)
    slots = solar_grounds(context, scheme)[0].slots(NO_RECTS)
    windows = candidate_windows(context.field, slots, 40, width_m=6.1)
    assert windows.upright is (scheme == "spines")
    x, y = (slots.rects[:, 0] + slots.rects[:, 2]) / 2, (slots.rects[:, 1] + slots.rects[:, 3]) / 2
    bin_m = 27.0
    for west, south, east, north in windows.rects[::50]:
        inside = (x > west - bin_m) & (x < east + bin_m) & (y > south - bin_m) & (y < north + bin_m)
        assert slots.units[inside].sum() >= 40


def test_steep_and_unknown_ground_costs_earthwork(make):
    slots = row_of_slots(make, 4)
    moved = []
    for height in (make.level, lambda x, y: 0.05 * y, lambda x, y: 0.2 * x, lambda x, y: np.full_like(x, np.nan)):
        field = make.field(make.site(), make.ground(height))
        moved.append(candidate_windows(field, slots, 16, width_m=6.0).earth_m3.min())
    level, across, too_steep, nodata = moved
    assert level == 0.0 < across < too_steep
    assert nodata > across
