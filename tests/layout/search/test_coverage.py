"""Covered area on a raster against exact areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pacifico.layout.search.coverage import CELL_M, Coverage

# on whole cells, where the raster is exact
RECTS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 20), st.integers(1, 20)).map(
        lambda r: (r[0] * CELL_M, r[1] * CELL_M, (r[0] + r[2]) * CELL_M, (r[1] + r[3]) * CELL_M)
    ),
    min_size=2,
    max_size=9,
)


def surroundings(rects):
    """Squares around rectangles; the true surroundings have round corners."""
    return shapely.buffer(shapely.box(*np.array(rects).T), 25.0, join_style="mitre")


@settings(max_examples=60, deadline=None)
@given(RECTS)
def test_counts_are_the_areas_of_unions_and_differences(rects):
    coverage = Coverage(np.array(rects))
    for rect in rects[1:]:
        coverage.add(rect)
    around = surroundings(rects)
    rest = shapely.union_all(around[1:])
    assert coverage.cells() * CELL_M**2 == pytest.approx(rest.area)
    spans = coverage.spans(np.array(rects))
    assert coverage.added(spans)[0] * CELL_M**2 == pytest.approx(around[0].difference(rest).area)
    for k in range(1, len(rects)):
        others = shapely.union_all(np.delete(around, [0, k]))
        assert coverage.covered_alone(spans)[k] * CELL_M**2 == pytest.approx(around[k].difference(others).area)


def test_a_removed_rectangle_covers_nothing():
    rects = np.array([(0.0, 0.0, 50.0, 20.0), (300.0, 0.0, 350.0, 20.0)])
    coverage = Coverage(rects)
    coverage.add(rects[0])
    coverage.add(rects[1])
    coverage.add(rects[1], -1)
    assert coverage.cells() * CELL_M**2 == 100.0 * 70.0
    assert coverage.added(coverage.spans(rects)).tolist() == [0, coverage.cells()]
