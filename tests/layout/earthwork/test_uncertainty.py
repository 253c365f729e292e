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
from pacifico.layout.earthwork.criteria import EarthworkCriteria
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


LEVEL_PADS = EarthworkCriteria(max_pad_grade=0.0)


def test_volumes_without_error_are_those_of_the_design():
    ground = ground_of(plane(0.1, 0.05), dx=2.0, dy=2.0)
    pads = balanced_pads(
        ground, [here(SHAPES["rectangle"]), here(translate(SHAPES["ell"], 45, 20))], criteria=LEVEL_PADS
    )
    road = line((-60, -60, 99.0), (-10, -60, 100.0), (60, -40, 101.2))
    lines = [corridor_volumes(ground, road, 6.0).total_m3]
    (found,) = volumes_under_errors(
        ground, pads, [road], [6.0], errors=[np.zeros(ground.grid.shape)], criteria=LEVEL_PADS
    )
    assert_allclose(found, [*(p.total_m3 for p in pads), *lines], rtol=1e-6)


def test_pads_are_balanced_on_the_least_squares_plane_where_no_search_is_asked_for():
    ground = rough(5.0)
    without = EarthworkCriteria(search_rounds=0)
    outlines = [here(SHAPES["rectangle"]), here(translate(SHAPES["ell"], 60, 40))]
    (found,) = volumes_under_errors(
        ground, balanced_pads(ground, outlines), [], [], errors=[np.zeros(ground.grid.shape)], criteria=without
    )
    assert_allclose(found, [p.total_m3 for p in balanced_pads(ground, outlines, criteria=without)], rtol=0.02)
    assert (found > [p.total_m3 * 1.005 for p in balanced_pads(ground, outlines)]).any()


def walk(x, y, z, legs, step_m):
    """Points a step apart along legs, each of a direction [rad] and a number of steps, at a grade of 2 %."""
    points = [(x, y, z)]
    for direction, count in legs:
        for _ in range(count):
            x, y, z = x + step_m * np.cos(direction), y + step_m * np.sin(direction), z + 0.02 * step_m
            points.append((x, y, z))
    return points


def lifted_by(follow_m, points, value):
    """Line whose vertices are raised by the mean of a value, linear between vertices, over a length along it."""
    xy = np.array(points)
    station = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(xy[:, :2], axis=0).T))])
    at_vertices = value(xy[:, 0], xy[:, 1])
    raised = []
    for (x, y, z), s in zip(points, station, strict=True):
        low, high = max(s - follow_m / 2, 0), min(s + follow_m / 2, station[-1])
        steps = np.linspace(low, high, 200_001)
        mean = np.interp(steps, station, at_vertices).mean() if high > low else value(x, y)
        raised.append((x, y, z + mean))
    return line(*raised)


@pytest.mark.parametrize("follow_m", [0.0, 12.0, 30.0, 500.0])
def test_each_vertex_rises_by_the_mean_error_along_its_own_road(follow_m):
    ground = ground_of(plane(0.01, 0.02), dx=2.0, dy=2.0)

    def value(x, y):
        return 0.03 * x + 0.02 * y

    error = ground_of(value, dx=2.0, dy=2.0).z
    # vertices where windows of 12 and 30 m end; the second road starts where the first ends, the last is short
    roads = [
        walk(-60, -20, 98.0, [(0.0, 8), (0.6, 9), (-0.2, 12)], 3.0),
        walk(40, -10, 102.0, [(1.5, 7), (2.0, 30)], 1.5),
        walk(-50, 50, 99.0, [(0.3, 3)], 3.0),
        walk(0, 50, 99.0, [(0.3, 1)], 0.4),
    ]
    widths = [6.0, 5.0, 4.0, 4.0]
    (found,) = volumes_under_errors(
        ground,
        [],
        [line(*r) for r in roads],
        widths,
        errors=[error],
        **({} if follow_m == 30 else {"follow_m": follow_m}),
    )
    disturbed = Ground(ground.grid, ground.z + error)
    expected = [
        corridor_volumes(disturbed, lifted_by(follow_m, r, value), w).total_m3
        for r, w in zip(roads, widths, strict=True)
    ]
    assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("cores", "grids", "at_once"),
    [(4, 100, 4), (4, 3, 3), (3, 2.5, 2), (4, 1, 1), (4, 0.5, 1), (1, 100, 1), (None, 9, 1)],
)
def test_as_many_fields_are_measured_at_once_as_cores_and_memory_allow(monkeypatch, cores, grids, at_once):
    ground = ground_of(plane(0, 0), n=20)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr("pacifico.layout.earthwork.uncertainty.MAX_CELLS_AT_ONCE", int(grids * ground.z.size))
    taken = []

    def errors():
        for k in range(7):
            taken.append(k)
            yield np.full(ground.grid.shape, float(k))

    volumes = volumes_under_errors(ground, [], [line((-20, 0, 101.0), (20, 0, 101.0))], [5.0], errors=errors())
    first = next(volumes)
    assert len(taken) == at_once
    rest = list(volumes)
    assert taken == list(range(7))
    assert_allclose(rest, np.broadcast_to(first, (6, 1)))


def test_the_interval_is_about_the_volume_on_the_model_itself():
    ground = ground_of(plane(0.1, 0.05), dx=2.0, dy=2.0)
    pads = balanced_pads(ground, [here(SHAPES["rectangle"])], criteria=LEVEL_PADS)
    # errors that tilt the ground make it steeper or less steep: they change the volume by about as much as the slope
    x = ground.grid.x_centres() - ground.grid.x_centres().mean()
    errors = [np.broadcast_to(share * 0.1 * x, ground.grid.shape).copy() for share in (-0.2, 0.1, 0.3)]
    found = earthwork_interval(ground, pads, [], [], errors=errors, criteria=LEVEL_PADS)
    totals = [float(v.sum()) for v in volumes_under_errors(ground, pads, [], [], errors=errors, criteria=LEVEL_PADS)]
    half = np.quantile(np.abs(np.array(totals) - pads[0].total_m3), 0.8)
    assert found.p50 == pytest.approx(pads[0].total_m3, rel=1e-6)
    assert (found.p90 - found.p50, found.p50 - found.p10) == pytest.approx((half, half), rel=1e-6)
