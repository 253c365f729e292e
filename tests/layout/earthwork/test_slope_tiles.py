"""Tiles of side slopes: their volume is that of the compiled side slopes."""

import numpy as np
import pytest
from fixtures.earthwork import ground_of, here, line, plane, rough
from shapely import Polygon, box

from pacifico.layout.earthwork.corridors import corridor_volumes, road_lines
from pacifico.layout.earthwork.criteria import EarthworkCriteria
from pacifico.layout.earthwork.pads import graded_pads
from pacifico.layout.earthwork.slope_tiles import pad_slope_tiles, road_slope_tiles

CRITERIA = EarthworkCriteria(side_slope=2.0)


def volumes(ground, groups):
    """Cut and fill of tiles [m³]."""
    cut = fill = 0.0
    for tiles in groups:
        depth = tiles.design - ground.at(tiles.px[:, 4], tiles.py[:, 4])
        x, y = tiles.px[:, :4], tiles.py[:, :4]
        following = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
        area = np.abs((x * following[1] - y * following[0]).sum(axis=1)) / 2
        cut += float(-(np.minimum(depth, 0) * area).sum())
        fill += float((np.maximum(depth, 0) * area).sum())
    return cut, fill


@pytest.mark.parametrize("height", [3.0, -2.0])
def test_a_pad_above_level_ground_has_wedges_and_cones(height):
    """A slope of 2:1 from h: wedges of h² a metre of edge, and cones of 4/3 pi h³ in all at the corners."""
    ground = ground_of(plane(0, 0), dx=2.0, dy=2.0)
    pad = graded_pads(ground, [here(box(-20, -10, 20, 10))], np.array([[100.0 + height, 0, 0]]))[0]
    cut, fill = volumes(ground, pad_slope_tiles(ground, pad, CRITERIA))
    h = abs(height)
    expected = 120 * h**2 + 4 / 3 * np.pi * h**3
    assert (fill if height > 0 else cut) == pytest.approx(expected, rel=0.02)
    assert (cut if height > 0 else fill) == pytest.approx(0.0, abs=0.01 * expected)


def test_pads_on_rough_ground_agree_with_the_volumes_of_their_side_slopes():
    ground = rough(4.0)
    pads = graded_pads(ground, [here(box(-60, -40, -20, -5)), here(box(10, 10, 50, 60))], np.full((2, 3), np.nan))
    for pad in pads:
        cut, fill = volumes(ground, pad_slope_tiles(ground, pad, CRITERIA))
        assert cut + fill == pytest.approx(pad.batter_cut_m3 + pad.batter_fill_m3, rel=0.1)


def test_roads_agree_with_the_volumes_of_their_side_slopes():
    ground = rough(4.0)
    road = line((-90, -60, 201.0), (-10, 15, 199.5), (80, 5, 200.7))
    found = corridor_volumes(ground, road, 6.0, criteria=CRITERIA)
    xyz, _, origins = road_lines([road])
    tiles = road_slope_tiles(ground, xyz + np.append(origins[0], 0.0), 6.0, CRITERIA)
    cut, fill = volumes(ground, tiles)
    assert cut == pytest.approx(found.batter_cut_m3, rel=0.1)
    assert fill == pytest.approx(found.batter_fill_m3, rel=0.1)


def test_a_pad_on_the_ground_has_no_slopes():
    ground = ground_of(plane(0.01, 0), dx=5.0, dy=5.0)
    triangle = here(Polygon([(-15, -10), (22, -3), (1, 19)]))
    pad = graded_pads(ground, [triangle], np.array([[ground.at(*triangle.centroid.coords[0]), 0.01, 0.0]]))[0]
    cut, fill = volumes(ground, pad_slope_tiles(ground, pad, CRITERIA))
    assert cut + fill == pytest.approx(0.0, abs=0.1)
