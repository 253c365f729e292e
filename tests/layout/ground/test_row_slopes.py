"""Cells too steep along or across rows: exact on planes, turned with them, bumps within a span don't count."""

import numpy as np
import pytest
from pyproj import CRS

from pacifico.grid import Grid
from pacifico.layout.criteria.racking import ArraySlopes
from pacifico.layout.ground.row_slopes import steep_for_rows


def marked(height, slopes, dx=10.0, dy=10.0, n=12):
    grid = Grid(CRS.from_epsg(32615), 0.0, n * dy, dx, dy, n, n)
    x, y = np.meshgrid((np.arange(n) + 0.5) * dx, n * dy - (np.arange(n) + 0.5) * dy)
    return steep_for_rows(height(x, y), grid, slopes)


LIMITS = ArraySlopes(90.0, 0.15, 7.0, 0.20, 7.0)


@pytest.mark.parametrize(("north", "east", "over"), [
    (0.149, 0.0, False), (0.151, 0.0, True), (-0.151, 0.0, True), (0.0, 0.199, False), (0.0, 0.201, True), (0.149, 0.199, False),
])  # fmt: skip
@pytest.mark.parametrize("cell", [(10.0, 10.0), (1.0, 2.0), (30.0, 7.0)])
def test_a_plane_is_steep_as_a_whole_or_not_at_all(north, east, over, cell):
    found = marked(lambda x, y: east * x + north * y, LIMITS, *cell, n=40)
    inner = found[8:-8, 8:-8]
    assert inner.all() == inner.any() == over


def test_turned_slopes_mark_turned_ground():
    height = np.random.default_rng(1).normal(0, 1.2, (12, 12))
    upright = marked(lambda x, y: height, LIMITS)
    turned = marked(lambda x, y: height.T, LIMITS.turned)
    assert 0 < upright.sum() < upright.size
    assert (turned == upright.T).all()


def test_a_wider_limit_marks_no_more():
    height = np.random.default_rng(2).normal(0, 1.2, (12, 12))
    wider = marked(lambda x, y: height, ArraySlopes(90.0, 0.2, 7.0, 0.25, 7.0))
    assert not (wider & ~marked(lambda x, y: height, LIMITS)).any()


def test_a_step_marks_both_cells_beside_it():
    found = marked(lambda x, y: np.where(x > 60, 3.0, 0.0), LIMITS)
    assert found[:, 5:7].all()
    assert found.sum() == 2 * len(found)


def test_a_bump_within_a_span_does_not_count():
    found = marked(
        lambda x, y: np.where((np.abs(x - 20.5) < 1) & (np.abs(y - 20.5) < 1), 0.9, 0.0), LIMITS, 1.0, 1.0, n=40
    )
    assert not found.any()


def test_ground_without_elevation_is_not_steep():
    assert not marked(lambda x, y: np.full(x.shape, np.nan), LIMITS).any()
