"""Corridors: exact on planes, and against a fine mesh on rough ground."""

import math

import numpy as np
import pytest
import shapely
from fixtures.earthwork import (
    EAST,
    NORTH,
    ground_of,
    line,
    plane,
    rough,
    seeds,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import LineString

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.layout.earthwork._kernel_types import CORRIDOR_COLUMNS
from pacifico.layout.earthwork.corridors import corridor_rows, corridor_volumes, corridors, road_lines
from pacifico.layout.earthwork.criteria import EarthworkCriteria


def test_corridor_at_a_constant_offset_from_a_plane():
    ground = ground_of(plane(0.05, 0.0))
    road = line((0, -100, 101), (0, 0, 101), (0, 100, 101))  # along the contour, 1 m above it
    volumes = corridor_volumes(ground, road, 6.0)
    assert_allclose((volumes.cut_m3, volumes.fill_m3), (0.0, 200 * 6), rtol=1e-9, atol=1e-9)
    # edges 3 m off: depths 0.85 uphill (east) and 1.15 downhill, sections h^2 / (2 (1/2 +- 0.05))
    section = 0.85**2 / (2 * 0.55) + 1.15**2 / (2 * 0.45)
    assert_allclose((volumes.batter_cut_m3, volumes.batter_fill_m3), (0.0, 200 * section), rtol=1e-6, atol=1e-9)
    assert_allclose(volumes.max_depth_m, 1.15, rtol=1e-9)
    assert volumes.nodata_share == 0.0
    assert volumes.open_edge_m == 0.0


def test_corridor_that_goes_from_cut_to_fill():
    ground = ground_of(plane(0.0, 0.0))
    volumes = corridor_volumes(ground, line((-100, 0, 98), (100, 0, 102)), 5.0)
    assert_allclose((volumes.cut_m3, volumes.fill_m3), (500.0, 500.0), rtol=1e-9)
    # two edges; the section s h^2 / 2 over a depth that falls from 2 m to 0 in 100 m
    batter = 2 * 100 * 2.0**2 * 2 / 2 / 3
    assert_allclose((volumes.batter_cut_m3, volumes.batter_fill_m3), (batter, batter), rtol=1e-6)


def test_corridor_level_across_a_slope_cuts_uphill_and_fills_downhill():
    volumes = corridor_volumes(ground_of(plane(0.1, 0.0)), line((0, -80, 100), (0, 80, 100)), 6.0)
    wedge = 160 * 3 * 0.3 / 2
    assert_allclose((volumes.cut_m3, volumes.fill_m3), (wedge, wedge), rtol=1e-9)


@given(st.floats(-150, 150), st.floats(-150, 150), st.floats(3, 12), seeds)
@settings(max_examples=40, deadline=None)
def test_bends_keep_the_area_of_the_strip(x, y, width, seed):
    level = ground_of(plane(0, 0))
    road = line((-100, -50, 103), (0, 0, 103), (x + 1, y + 30, 103), (120, -120, 103))
    volumes = corridor_volumes(level, road, width)
    assert_allclose(volumes.fill_m3, 3 * width * road.length, rtol=1e-9)
    raised = Ground(level.grid, 206 - level.z)
    assert_allclose(corridor_volumes(raised, road, width).fill_m3, 0.0, atol=1e-9)


def test_corridor_on_rough_ground_against_a_fine_mesh():
    ground = rough(3.0)
    road = line(*[(float(x), 20 * math.sin(x / 40), 200 + 0.02 * x) for x in range(-120, 121, 6)])
    got = corridor_volumes(ground, road, 6.1)
    s = (np.arange(8000) + 0.5) / 8000 * road.length
    points = shapely.get_coordinates(shapely.line_interpolate_point(road, s), include_z=True)
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(road, s + 0.01))
    tangent = ahead - points[:, :2]
    tangent /= np.hypot(*tangent.T)[:, None]
    offsets = ((np.arange(60) + 0.5) / 60 - 0.5) * 6.1
    x = points[:, :1] - tangent[:, 1:] * offsets
    y = points[:, 1:2] + tangent[:, :1] * offsets
    depth = ground.at(x, y) - points[:, 2:]
    share = road.length / 8000 * 6.1 / 60
    expected = np.array([depth[depth > 0].sum(), -depth[depth < 0].sum()]) * share
    assert_allclose((got.cut_m3, got.fill_m3), expected, rtol=0.01)


def test_corridor_swaps_with_the_mirrored_ground():
    ground = rough(5.0)
    road = [(-90, -60, 201.0), (-10, 15, 199.5), (80, 5, 200.7)]
    a = corridor_volumes(ground, line(*road), 6.1)
    b = corridor_volumes(Ground(ground.grid, 400 - ground.z), line(*[(x, y, 400 - z) for x, y, z in road]), 6.1)
    assert_allclose(
        (a.cut_m3, a.fill_m3, a.batter_cut_m3, a.batter_fill_m3),
        (b.fill_m3, b.cut_m3, b.batter_fill_m3, b.batter_cut_m3),
        rtol=1e-9,
    )


def test_corridors_report_their_share_of_nodata():
    ground = ground_of(plane(0, 0))
    ground.z[:, 40:] = np.nan  # from 5 m west of the middle on, by bilinear neighbours
    volumes = corridor_volumes(
        ground, line((-105, 0, 101), (95, 0, 101)), 6.0, criteria=EarthworkCriteria(sample_m=1.0)
    )
    assert_allclose(volumes.nodata_share, 0.5, atol=0.01)
    assert_allclose(volumes.fill_m3, 6.0 * 200 * (1 - volumes.nodata_share), rtol=1e-9)


def test_many_corridors_equal_one_by_one():
    ground = rough(5.0)
    roads = [line((-90, y, 200), (0, y + 20, 201), (0, y + 20, 201), (70, y, 200)) for y in (-60, 0, 40)]
    widths = [4.5, 6.1, 5.0]
    assert corridors(ground, roads, widths) == [
        corridor_volumes(ground, r, w) for r, w in zip(roads, widths, strict=True)
    ]
    assert corridors(ground, [], []) == []


def test_roads_without_heights_or_width_are_refused():
    ground = ground_of(plane(0, 0))
    with pytest.raises(InputError, match="has no Z"):
        corridor_volumes(ground, LineString([(EAST, NORTH), (EAST + 5, NORTH)]), 6.0)
    with pytest.raises(InputError, match="width above 0"):
        corridor_volumes(ground, line((0, 0, 1), (5, 0, 1)), 0.0)
    with pytest.raises(InputError, match="one width for each"):
        corridors(ground, [line((0, 0, 1), (5, 0, 1))], [])
    with pytest.raises(InputError, match="not a number"):
        corridor_volumes(ground, line((0, 0, 1), (5, 0, math.nan)), 6.0)


def test_lines_are_kept_about_their_first_points_without_repeated_vertices():
    shapes = [
        line((10, 20, 1), (10, 20, 1), (13, 24, 2)),
        line((0, 0, 5), (0.5, 0, 6), (0.5, 5e-7, 7), (0.5, 0.5, 8)),
        line((10, 20, 3), (11, 20, 4)),
    ]
    found = road_lines(shapes)
    assert_allclose(
        found.xyz,
        [[0, 0, 1], [3, 4, 2], [0, 0, 5], [0.5, 0, 6], [0.5, 0.5, 8], [0, 0, 3], [1, 0, 4]],
        atol=1e-8,
    )
    assert found.starts.tolist() == [0, 2, 5, 7]
    assert_allclose(found.origins, [[EAST + 10, NORTH + 20], [EAST, NORTH], [EAST + 10, NORTH + 20]])


def test_no_lines_have_no_vertices_and_no_rows():
    found = road_lines([])
    assert (found.xyz.shape, found.starts.tolist(), found.origins.shape) == ((0, 3), [0], (0, 2))
    rows = corridor_rows(ground_of(plane(0, 0)), found, [], EarthworkCriteria())
    assert rows.shape == (0, CORRIDOR_COLUMNS)


def test_a_width_under_a_metre_is_a_road_too():
    level = ground_of(plane(0, 0))
    assert corridor_volumes(level, line((0, 0, 101), (50, 0, 101)), 0.8).fill_m3 == pytest.approx(0.8 * 50)
    with pytest.raises(InputError, match=r"road width 0\.0 m"):
        corridor_volumes(level, line((0, 0, 1), (5, 0, 1)), 0.0)


def test_faults_name_the_line_that_has_them():
    level = ground_of(plane(0, 0))
    good = line((0, 0, 100), (50, 0, 100))
    with pytest.raises(InputError, match="line 1 has no Z"):
        corridors(level, [good, LineString([(EAST, NORTH), (EAST + 5, NORTH)])], [5.0, 5.0])
    with pytest.raises(InputError, match="line 2 has a coordinate"):
        corridors(level, [good, good, line((0, 0, math.inf), (5, 0, 1))], [5.0] * 3)


def test_tiles_are_half_a_cell_and_half_a_width_at_most(monkeypatch):
    seen = []

    def kernel(z, grid, lines, widths, steps, side):
        seen.append(steps.tolist())
        return np.zeros((len(widths), CORRIDOR_COLUMNS))

    monkeypatch.setattr("pacifico.layout.earthwork._earthwork_kernels.grade_corridors", kernel)
    roads = [line((0, 0, 100), (50, 0, 100))] * 3
    corridors(ground_of(plane(0, 0), dx=8.0, dy=6.0), roads, [4.0, 6.0, 30.0])
    corridors(ground_of(plane(0, 0)), roads, [4.0, 6.0, 30.0], criteria=EarthworkCriteria(sample_m=2.5))
    assert seen == [[2.0, 3.0, 3.0], [2.0, 2.5, 2.5]]
