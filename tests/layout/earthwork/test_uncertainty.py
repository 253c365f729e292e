"""Intervals of earthwork under errors of the elevation model."""

import numpy as np
import pytest
from fixtures.earthwork import (
    SHAPES,
    ground_of,
    here,
    line,
    plane,
    rough,
)
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter
from shapely.affinity import translate

from pacifico.errors import InputError
from pacifico.layout.earthwork.corridors import corridor_volumes
from pacifico.layout.earthwork.pads import balanced_pad, balanced_pads
from pacifico.layout.earthwork.uncertainty import earthwork_interval


def fields(ground, rmse, n, sigma=3.0, seed=5):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        e = gaussian_filter(rng.standard_normal(ground.grid.shape), sigma, mode="wrap")
        yield e / e.std() * rmse


def test_a_constant_error_changes_no_volume():
    ground = rough(5.0)
    pads = balanced_pads(ground, [here(SHAPES["rectangle"]), here(translate(SHAPES["ell"], 60, 40))])
    road = line((-90, -60, 201.0), (-10, 15, 199.5), (80, 5, 200.7))
    volumes = corridor_volumes(ground, road, 6.1)
    total = sum(p.total_m3 for p in pads) + volumes.total_m3
    lifted = [np.full(ground.grid.shape, c) for c in (-3.0, 0.0, 7.0)]
    interval = earthwork_interval(ground, pads, [road], [6.1], errors=lifted)
    # the interval's search is shorter than the design's
    assert_allclose(interval, total, rtol=0.03)


def test_the_interval_widens_with_the_error_and_is_reproducible():
    ground = rough(5.0)
    pads = balanced_pads(ground, [here(SHAPES["rectangle"]), here(translate(SHAPES["ell"], 60, 40))])
    road = line((-90, -60, 201.0), (-10, 15, 199.5), (80, 5, 200.7))
    small = earthwork_interval(ground, pads, [road], [6.1], errors=fields(ground, 0.2, 24))
    large = earthwork_interval(ground, pads, [road], [6.1], errors=fields(ground, 2.0, 24))
    again = earthwork_interval(ground, pads, [road], [6.1], errors=fields(ground, 2.0, 24))
    assert small.p10 <= small.p50 <= small.p90
    assert large.p90 - large.p10 > small.p90 - small.p10
    assert large == again


def test_missing_or_unfit_error_fields_are_refused():
    ground = ground_of(plane(0, 0))
    pad = balanced_pad(ground, here(SHAPES["rectangle"]))
    with pytest.raises(InputError, match="at least one realization"):
        earthwork_interval(ground, [pad], [], [], errors=[])
    with pytest.raises(InputError, match="same grid"):
        earthwork_interval(ground, [pad], [], [], errors=[np.zeros((3, 3))])
    with pytest.raises(InputError, match="not finite"):
        earthwork_interval(ground, [pad], [], [], errors=[np.full(ground.grid.shape, np.nan)])
