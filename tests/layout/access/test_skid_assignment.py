"""Arrays assigned to inverter skids."""

import numpy as np
import pytest

from pacifico.layout.access.skid_assignment import assign_to_skids
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

SKIDS = np.array([[0.0, 0.0], [300.0, 0.0]])


def test_each_array_gets_the_nearest_skid():
    home = assign_to_skids(np.array([[10.0, 0.0], [290.0, 0.0]]), np.array([400.0, 400.0]), SKIDS, 1000.0)
    assert home.tolist() == [0, 1]


def test_a_full_skid_passes_an_array_on():
    centres = np.array([[10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    home = assign_to_skids(centres, np.full(3, 400.0), SKIDS, 1000.0)
    assert home.tolist() == [0, 0, 1]


def test_another_array_moves_to_make_room():
    """The last array reaches one skid, which those nearer to it have filled."""
    centres = np.array([[10.0, 0.0], [20.0, 0.0], [-400.0, 0.0]])
    home = assign_to_skids(centres, np.full(3, 400.0), SKIDS, 800.0)
    assert home[2] == 0
    assert sorted(home[:2].tolist()) == [0, 1]


def test_what_no_skid_has_capacity_for_stays_without():
    centres = np.array([[10.0, 0.0], [2 * BLOCK_REACH_M + 300.0, 0.0]])
    assert assign_to_skids(centres, np.array([1200.0, 100.0]), SKIDS, 1000.0).tolist() == [-1, -1]


@pytest.mark.parametrize("seed", range(5))
def test_no_skid_exceeds_its_rating(seed):
    rng = np.random.default_rng(seed)
    centres, kw = rng.uniform(-200, 500, (60, 2)), rng.uniform(100, 500, 60)
    home = assign_to_skids(centres, kw, SKIDS, 4200.0)
    loads = [kw[home == s].sum() for s in range(2)]
    assert max(loads) <= 4200.0 + 1e-3
    served = home >= 0
    assert (np.hypot(*(centres[served] - SKIDS[home[served]]).T) <= BLOCK_REACH_M).all()
