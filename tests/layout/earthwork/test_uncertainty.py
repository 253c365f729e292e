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
from pacifico.grid import Ground
from pacifico.layout.earthwork.corridors import corridor_volumes
from pacifico.layout.earthwork.pads import balanced_pad, balanced_pads
from pacifico.layout.earthwork.uncertainty import earthwork_interval, volumes_under_errors


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


def test_each_road_follows_the_error_under_itself_alone():
    """Errors that are constant along each road, but not the same, change no volume."""
    ground = ground_of(plane(0.01, 0.02), dx=2.0, dy=2.0)
    roads = [
        line((-60, -20, 99.0), (-10, -20, 100.0), (60, -20, 100.2)),
        line((-60, 30, 100.0), (60, 30, 101.0)),
        line((-50, 60, 101.0), (-45, 60, 101.5), (40, 60, 103.0)),
    ]
    error = ground_of(lambda x, y: np.where(y < 5, 1.0, np.where(y < 45, -2.0, 4.0)), dx=2.0, dy=2.0).z
    still, lifted = volumes_under_errors(ground, [], roads, [6.0, 5.0, 4.0], errors=[0 * error, error])
    assert (still > 10).all()
    assert_allclose(lifted, still, rtol=1e-9)


def test_a_road_follows_the_mean_error_around_each_vertex_as_far_as_its_ends():
    ground = ground_of(plane(0.01, 0.02), dx=2.0, dy=2.0)
    error = ground_of(lambda x, y: 0.02 * x + 0 * y, dx=2.0, dy=2.0).z
    vertices = [np.arange(-60.0, 61.0, 2.0), np.arange(-30.0, 51.0, 4.0)]
    heights = [99.0 + 0.0125 * (vertices[0] + 60), 100.0 + 0.015 * (vertices[1] + 30)]
    expected, roads = [], []
    for k, (x, z) in enumerate(zip(vertices, heights, strict=True)):
        y = np.full(x.size, -20.0 + 50 * k)
        roads.append(line(*zip(x, y, z, strict=True)))
        low, high = np.maximum(x - 20, x[0]), np.minimum(x + 20, x[-1])
        lifted = line(*zip(x, y, z + 0.02 * (low + high) / 2, strict=True))
        expected.append(corridor_volumes(Ground(ground.grid, ground.z + error), lifted, 6.0).total_m3)
    (found,) = volumes_under_errors(ground, [], roads, [6.0, 6.0], errors=[error], follow_m=40.0)
    assert_allclose(found, expected, rtol=0.002)
