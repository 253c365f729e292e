"""Search for the road tree: paths, reach, connected parts and chains."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, WEST, at
from fixtures.routing import flat, road_grid, search, track
from shapely import LineString, Point

from pacifico.grid import Ground
from pacifico.layout.routing import tree_search
from pacifico.layout.routing.routing_grid import Shapes
from pacifico.polyline import length


def test_positions_are_found_in_aisles_narrower_than_a_cell():
    """A 12 m aisle leaves 5.5 m for the centreline: a 12 m cell finds it wherever the grid lies."""
    for shift in np.arange(0.0, 12.0, 1.7):
        blocks = [at(100 + shift, 0, 200 + shift, 1000), at(212 + shift, 0, 300 + shift, 1000)]
        grid = road_grid(flat(), at(0, 0, 1000, 1000), blocks, cell=12.0)
        here = (grid.clear > 0) & (grid.px > WEST + 200 + shift) & (grid.px < WEST + 212 + shift)
        ys = np.sort(grid.py[here])
        assert ys.size > 60
        assert np.diff(ys).max() < 30
        part = tree_search.parts(grid)[here]
        assert (part == part[0]).all()


@pytest.mark.parametrize("angle", [0, 7, 13, 22.5, 31, 45, 63, 90, 117, 160])
def test_paths_over_16_neighbours_are_less_than_3_percent_too_long(angle):
    grid = road_grid(flat(2000, 2000), at(0, 0, 2000, 2000), cell=5.0)
    goal = np.array([1000 + 800 * np.cos(np.radians(angle)), 1000 + 800 * np.sin(np.radians(angle))])
    target = at(goal[0] - 1, goal[1] - 1, goal[0] + 1, goal[1] + 1)
    _, growth = search(grid, (1000, 1000), [target])
    xy = track(grid, growth, int(growth.server[0]))
    straight = float(np.hypot(*(xy[0] - xy[-1])))
    assert length(xy) <= straight * 1.0275 + 1e-6


def test_path_leads_through_the_gap_in_a_wall():
    wall = [at(480, 0, 520, 600), at(480, 620, 520, 1000)]
    grid = road_grid(flat(), at(0, 0, 1000, 1000), wall)
    _, growth = search(grid, (100, 100), [at(900, 90, 920, 110)])
    xy = track(grid, growth, int(growth.server[0]))
    inside = xy[(xy[:, 0] > WEST + 480) & (xy[:, 0] < WEST + 520)]
    assert inside.size
    assert inside[:, 1].min() > SOUTH + 600
    assert inside[:, 1].max() < SOUTH + 620


def test_positions_of_a_terminal_are_those_within_reach():
    goals = [at(300, 300, 310, 310), at(302, 318, 312, 328), at(2000, 2000, 2010, 2010), at(500, 500, 510, 520)]
    grid = road_grid(flat(), at(0, 0, 1000, 1000), goals[:1])
    nodes = np.flatnonzero(grid.clear > 0)
    places = shapely.points(grid.px[nodes], grid.py[nodes])
    found = tree_search.Reach.of(grid, Shapes.of(goals), np.full(4, 14.0)).by_terminal(4)
    assert len(found) == 4
    for goal, own in zip(goals, found, strict=True):
        np.testing.assert_array_equal(own, nodes[shapely.distance(places, goal) <= 14.0])


def test_path_does_not_cross_a_closed_wall():
    grid = road_grid(flat(), at(0, 0, 1000, 1000), [at(480, -10, 520, 1010)])
    node, growth = search(grid, (100, 100), [at(900, 90, 920, 110)])
    assert growth.server[0] == -1
    assert np.nanmax(np.where(np.isfinite(growth.dist), grid.px, np.nan)) < WEST + 480
    parts = tree_search.parts(grid)
    assert len(set(parts[parts >= 0].tolist())) == 2
    assert parts[node] >= 0


def test_path_crosses_a_ridge_at_its_saddle():
    ground = flat()
    x, y = np.meshgrid(ground.grid.x_centres() - WEST, ground.grid.y_centres() - SOUTH)
    crest = np.exp(-(((x - 500) / 60) ** 2)) * np.where(np.abs(y - 800) < 60, 0.0, 60.0)
    grid = road_grid(Ground(ground.grid, crest), at(0, 0, 1000, 1000))
    _, growth = search(grid, (100, 200), [at(890, 190, 910, 210)])
    xy = track(grid, growth, int(growth.server[0]))
    over = xy[np.abs(xy[:, 0] - WEST - 500) < 30]
    assert over.size
    assert (np.abs(over[:, 1] - SOUTH - 800) < 75).all()


def test_path_leads_around_nodata():
    ground = flat()
    ground.z[10:95, 48:52] = np.nan
    grid = road_grid(ground, at(0, 0, 1000, 1000))
    _, growth = search(grid, (100, 500), [at(890, 490, 910, 510)])
    xy = track(grid, growth, int(growth.server[0]))
    dense = shapely.get_coordinates(shapely.segmentize(LineString(xy), 0.5))
    assert np.isfinite(ground.at(dense[:, 0], dense[:, 1])).all()
    strip = shapely.get_coordinates(shapely.segmentize(LineString(xy).buffer(3.0, cap_style="flat"), 0.5))
    assert np.isfinite(ground.at(strip[:, 0], strip[:, 1])).all()


def test_path_keeps_farther_from_nodata_of_a_coarse_source():
    ground = flat()
    ground.z[10:95, 48:52] = np.nan
    unsure = replace(ground, unsure_m=9.0)
    near = []
    for g in (ground, unsure):
        grid = road_grid(g, at(0, 0, 1000, 1000))
        _, growth = search(grid, (100, 500), [at(890, 490, 910, 510)])
        way = LineString(track(grid, growth, int(growth.server[0]))).buffer(3.0, cap_style="flat")
        near.append(way.distance(at(480, 50, 520, 900)))
    assert near[1] > near[0] + 6.0 > 18.0


def test_path_avoids_cost_zones_and_crosses_them_if_it_must():
    zone = at(400, 300, 600, 1000)
    target = [at(890, 690, 910, 710)]
    free = road_grid(flat(), at(0, 0, 1000, 1000))
    priced = road_grid(flat(), at(0, 0, 1000, 1000), cost_zones=[(zone, 10.0)])
    barred = road_grid(flat(), at(0, 0, 1000, 1000), cost_zones=[(at(400, 0, 600, 1000), 10.0)])
    crossed = [
        LineString(track(grid, g, int(g.server[0]))).intersection(zone).length
        for grid, g in ((grid, search(grid, (100, 700), target)[1]) for grid in (free, priced, barred))
    ]
    assert crossed[0] > 190
    assert crossed[1] < 10
    assert crossed[2] > 190


def table(rows):
    """Reach table from the terminals of each position."""
    row = np.cumsum([0, *(len(r) for r in rows)])
    item = np.array([t for r in rows for t in r], dtype=np.int64)
    return tree_search.Reach(row, item, np.arange(item.size, dtype=np.float64))


def test_reach_keeps_entries_of_terminals_that_would_lose_all():
    kept = table([[0], [0, 1], [1], [2]]).kept(np.array([True, False, True, False, False]), 3)
    assert kept.node.tolist() == [0, 1, 3]
    assert kept.item.tolist() == [0, 1, 2]
    assert kept.far.tolist() == [0.0, 2.0, 4.0]


def test_reach_to_some_terminals_numbers_them_in_order():
    some = table([[0], [0, 1], [1], [2]]).to(np.array([2, 0]))
    assert some.node.tolist() == [0, 1, 3]
    assert some.item.tolist() == [1, 1, 0]


def test_chains_lead_from_the_root_to_all_servers():
    """0 - 1 - 2 forks into 3 and 4 - 5."""
    parent = np.array([-1, 0, 1, 2, 2, 4])
    first, *others = tree_search.chains_of(parent, 0, np.array([3, 5]))
    assert first.nodes.tolist() == [0, 1, 2]
    assert first.parent == -1
    assert sorted(c.nodes.tolist() for c in others) == [[2, 3], [2, 4, 5]]
    assert [c.parent for c in others] == [0, 0]


def test_tree_of_a_search_has_no_crossings():
    grid = road_grid(flat(), at(0, 0, 1000, 1000))
    _, growth = search(grid, (100, 100), [at(900, 90, 920, 110), at(500, 800, 510, 810), at(850, 850, 860, 860)])
    parent, left = tree_search.uncrossed(grid, growth)
    assert left == 0
    assert parent.shape == growth.parent.shape


def test_penalty_diverts_a_path():
    grid = road_grid(flat(), at(0, 0, 1000, 1000))
    reach = tree_search.Reach.of(grid, Shapes.of([at(890, 490, 910, 510)]), np.array([15.0]))
    node, growth = search(grid, (100, 500), [at(890, 490, 910, 510)])
    near = np.hypot(grid.px - WEST - 500, grid.py - SOUTH - 500) < 60
    around = tree_search.search(
        grid,
        np.array([node]),
        reach=reach,
        priority=np.ones(1, np.int64),
        max_grade=0.1,
        penalty=np.where(near, 50.0, 1.0),
    )
    place = Point(WEST + 500, SOUTH + 500)
    straight, diverted = (LineString(track(grid, g, int(g.server[0]))) for g in (growth, around))
    assert straight.distance(place) < 10
    assert diverted.distance(place) > 55
