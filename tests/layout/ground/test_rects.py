import numpy as np
from numpy.testing import assert_array_equal

from pacifico.layout.ground.rects import NO_RECTS, expand_rects, touching

RECTS = np.array([[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0], [40.0, 0.0, 50.0, 10.0]])


def test_expand_moves_every_side_outwards():
    assert_array_equal(expand_rects(RECTS[:1], 2.0), [[-2.0, -2.0, 12.0, 12.0]])
    assert_array_equal(expand_rects(RECTS, 0.0), RECTS)


def test_overlapping_rectangles_touch():
    assert_array_equal(touching(RECTS, np.array([[5.0, 5.0, 25.0, 6.0]])), [True, True, False])


def test_rectangles_with_a_common_edge_or_corner_do_not_touch():
    assert not touching(RECTS, np.array([[10.0, 0.0, 20.0, 10.0], [30.0, 10.0, 40.0, 20.0]])).any()


def test_nothing_touches_no_rectangles():
    assert not touching(RECTS, NO_RECTS).any()
    assert touching(NO_RECTS, RECTS).shape == (0,)


def test_inputs_are_unchanged():
    before = RECTS.copy()
    expand_rects(RECTS, 3.0)
    touching(RECTS, RECTS)
    assert_array_equal(RECTS, before)
