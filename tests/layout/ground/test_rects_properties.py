"""Overlap of any rectangles, against shapely."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pacifico.layout.ground.rects import touching

BOXES = st.lists(st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 8)] * 2), max_size=8)


def rects_of(boxes):
    return np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=float).reshape(-1, 4)


@given(BOXES, BOXES)
def test_touching_is_overlap_of_interiors(first, second):
    a, b = rects_of(first), rects_of(second)
    expected = [any(shapely.box(*r).intersection(shapely.box(*s)).area > 0 for s in b) for r in a]
    assert touching(a, b).tolist() == expected
