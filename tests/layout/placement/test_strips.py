"""Strip patterns by hand, and the selection of slots."""

import numpy as np

from pacifico.layout.placement.strips import NORTH, Slots, StripPattern

PATTERN = StripPattern(pitch_x=27.0, gap_x=4.0, height=64.0, pair_gap=3.0, aisle=13.0, cross_every=12, most_units=4)


def slots_of(n):
    zeros = np.zeros(n, dtype=np.int64)
    rects = np.array([(100.0 * k, 0.0, 100.0 * k + 50.0, 64.0) for k in range(n)])
    return Slots(rects, np.arange(1, n + 1), zeros, zeros, zeros + NORTH, zeros)


def test_cross_aisles_repeat_after_their_units():
    """12 units of 27 m without the last gap of 4 m, and 13 m of aisle."""
    assert PATTERN.period == 12 * 27.0 - 4.0 + 13.0
    assert PATTERN.width == 23.0


def test_units_move_by_a_sixteenth_of_their_pitch():
    shape = PATTERN.shape(1.0)
    assert (shape.step, shape.margin, shape.aisle) == (27.0 / 16, 1.0, 13.0)


def test_slots_are_taken_in_the_order_of_their_indices():
    some = slots_of(3).take(np.array([2, 0]))
    assert some.units.tolist() == [3, 1]
    assert some.rects[:, 0].tolist() == [200.0, 0.0]


def test_resized_slots_without_units_are_left_out():
    slots = slots_of(3)
    left = slots.resized(slots.rects - 1.0, np.array([0, 2, 1]))
    assert left.units.tolist() == [2, 1]
    assert left.rects[:, 0].tolist() == [99.0, 199.0]
