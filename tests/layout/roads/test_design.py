"""Design of roads: smooth bends, repaired bends, and a legal profile."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.ground import SOUTH, UTM, WEST, at
from shapely import Point

from pacifico.grid import Grid, Ground
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.roads.design import design_roads, repair_bends, smooth_bends
from pacifico.layout.roads.network import search_network
from pacifico.layout.routing.problem import RoadSite

CRITERIA = RoadCriteria()
PLACES = [(60, 500), (480, 520), (520, 80), (300, 300), (120, 260)]


@pytest.fixture(scope="module")
def tree():
    """Tree to five terminals among steep hills."""
    n = 80
    x, y = np.meshgrid(-100 + 10.0 * np.arange(n), 700 - 10.0 * np.arange(n))
    hills = 25.0 * np.sin(x / 60.0) * np.cos(y / 50.0)
    ground = Ground(Grid(UTM, WEST - 105, SOUTH + 705, 10.0, 10.0, n, n), hills)
    goals = [Terminal(k, at(x, y, x + 20, y + 10), 14.0) for k, (x, y) in enumerate(PLACES)]
    site = RoadSite(ground, at(0, 0, 600, 600), Point(WEST + 300, SOUTH + 1))
    return search_network(site, goals, obstacles=[t.footprint for t in goals], criteria=CRITERIA).tree


def is_legal(design):
    """Whether the profile keeps the limits of grade and depth at all stations."""
    stations, z = design.stations, design.profile.z
    rise = np.abs(z[1:] - z[stations.parent[1:]])
    steep = rise > CRITERIA.max_grade * stations.distance[1:] + 1e-6
    return not steep.any() and np.abs(z - stations.ground).max() <= CRITERIA.max_cut_fill_m + 1e-6


def test_smooth_design_has_fewer_tight_bends(tree):
    design = smooth_bends(tree.pulled.problem, tree.branches)
    assert len(design.tight) < len(tree.pulled.tight)
    assert is_legal(design)


def test_repaired_design_has_fewer_tight_bends_and_serves_the_same(tree):
    design = smooth_bends(tree.pulled.problem, tree.branches)
    repaired = repair_bends(design)
    assert len(repaired.tight) < len(design.tight)
    assert set(repaired.alignment.line_of) == set(design.alignment.line_of)
    assert repaired.unserved == design.unserved
    assert is_legal(repaired)


def test_design_without_tight_bends_needs_no_repair(tree):
    straight = replace(tree.pulled.alignment, lines=[x[[0, -1]] for x in tree.pulled.alignment.lines[:1]], parents=[-1])
    straight = replace(straight, line_of={}, straight=straight.lines, crossing=())
    design = design_roads(tree.pulled.problem, straight)
    assert design.tight == []
    assert repair_bends(design) is design


def test_cut_off_terminals_lack_the_radius_of_the_criteria(tree):
    design = design_roads(tree.pulled.problem, tree.pulled.alignment)
    assert design.illegal
    assert set(design.cut_off.values()) == {CRITERIA.min_radius_m + CRITERIA.width_m / 2}
    assert design.constrained == set(design.cut_off)
    assert not design.is_large
