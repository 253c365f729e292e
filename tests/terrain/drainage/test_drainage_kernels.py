"""Filled heights and flow directions, cell by cell."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from pacifico.terrain.drainage._drainage_kernels import drain

STEP = 1e-4
GOLDEN = Path(__file__).parent / "golden" / "pyflwdir-0.5.12.npz"
D8 = {1: (0, 1), 2: (1, 1), 4: (1, 0), 8: (1, -1), 16: (0, -1), 32: (-1, -1), 64: (-1, 0), 128: (-1, 1)}


def test_a_pit_is_filled_to_its_rim_and_drains_over_it():
    z = np.full((5, 5), 10.0)
    z[2, 2], z[2, 4] = 3.0, 9.0
    filled, receiver, through = drain(z, STEP)
    assert filled[2, 2] == pytest.approx(10.0, abs=3 * STEP)
    assert_array_equal(filled >= z, np.ones((5, 5), bool))
    assert receiver[2 * 5 + 2] >= 0
    assert through[receiver.reshape(5, 5) < 0].sum() == 25


def test_a_valley_gathers_what_lies_above_its_mouth():
    y, x = np.mgrid[0:21, 0:21]
    z = 100 + 1.0 * np.abs(x - 10) + 0.1 * (20 - y)
    _, _, through = drain(z.astype(float), STEP)
    # sides drain across to the valley and as far along it; the outermost cells are edge and drain on their own
    sides = (y >= 1) & (y <= 19) & (x >= 1) & (x <= 19) & (y + np.abs(x - 10) <= 20)
    assert through[20, 10] == through.max() == sides.sum() + 1


def test_a_bowl_with_a_notch_drains_through_it_alone():
    y, x = np.mgrid[-10:11, -10:11]
    z = np.hypot(x, y)
    z[z >= 9.5] = 30.0
    inside = z < 30.0
    z[10, 19:] = 8.0
    _, receiver, through = drain(z, STEP)
    assert receiver[10 * 21 + 20] == -1
    assert through[10, 20] >= inside.sum()


def test_nodata_is_an_edge_and_counts_as_no_cell():
    z = np.full((7, 7), 5.0)
    z[3, 3] = np.nan
    _, receiver, through = drain(z, STEP)
    assert receiver[3 * 7 + 3] == -1
    assert through[3, 3] == 0
    assert through.ravel()[receiver < 0].sum() == 48


@given(st.integers(0, 2**32 - 1))
def test_every_cell_drains_downhill_to_an_edge(seed):
    z = np.random.default_rng(seed).normal(100, 3, (12, 9))
    filled, receiver, through = drain(z, STEP)
    some = np.flatnonzero(receiver >= 0)
    assert (filled.ravel()[receiver[some]] < filled.ravel()[some]).all()
    assert through.ravel()[receiver < 0].sum() == z.size
    assert (filled >= z).all()


def test_fills_and_drains_as_pyflwdir_does():
    # pyflwdir 0.5.12: dem.fill_depressions(z, nodata=-9999.0); it lets cells of the edge drain along the edge
    golden = np.load(GOLDEN)
    z, d8 = golden["z"], golden["d8"]
    filled, receiver, _ = drain(z, STEP)
    assert_allclose(filled, golden["filled"], atol=STEP * z.size)
    shift = np.array([dr * z.shape[1] + dc for dr, dc in (D8.get(int(v), (0, 0)) for v in d8.ravel())])
    inner = np.zeros(z.shape, bool)
    inner[1:-1, 1:-1] = True
    own = inner.ravel() & (golden["filled"] == z).ravel()
    # its queue holds float32: a few cells with almost equal neighbours differ
    assert (receiver == np.arange(z.size) + shift)[own].mean() > 0.99
