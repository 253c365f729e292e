"""Branches: stretches of a searched tree, and short dead ends that roads are led through."""

import numpy as np
from fixtures.alignment import ORIGIN, goal, problem_of
from numpy.testing import assert_allclose

from pacifico.layout.alignment.branches import Branch, Branches, pull_branch
from pacifico.layout.routing import tree_search
from pacifico.layout.routing.site_entry import SiteEntry


def searched(problem, place):
    """Branches of the tree from the position nearest a place."""
    grid = problem.road_grid
    nodes = np.flatnonzero(grid.clear > 0)
    node = int(nodes[np.argmin(np.hypot(grid.px[nodes] - ORIGIN[0] - place[0], grid.py[nodes] - ORIGIN[1] - place[1]))])
    entry = SiteEntry(np.array([grid.px[node], grid.py[node]]), node)
    growth = tree_search.search(
        grid, np.array([node]), reach=problem.reach, priority=problem.priority, max_grade=problem.criteria.max_grade
    )
    return entry, Branches.of(problem, entry, growth.parent, growth.server)


def test_branches_lead_from_the_entry_to_all_terminals():
    problem = problem_of([goal("a", 300, 60), goal("b", 300, 340)])
    entry, branches = searched(problem, (20, 200))
    assert sorted(t for b in branches.searched for _, t in b.bound) == [0, 1]
    assert sum(b.parent < 0 for b in branches.searched) == 1
    assert_allclose(branches.searched[0].xy[0], entry.point)
    for branch in branches.searched[1:]:
        assert_allclose(branch.xy[0], branches.searched[branch.parent].xy[-1])


def test_terminal_at_the_entry_still_gets_a_road():
    problem = problem_of([goal("a", 22, 202)])
    _, branches = searched(problem, (20, 200))
    assert len(branches.searched) == 1
    assert len(branches.searched[0].xy) == 2


def test_pulled_branch_is_straight_and_kept():
    problem = problem_of([goal("a", 100, 105)])
    branch = Branch(np.add([(20, 100), (60, 112), (100, 100)], ORIGIN).astype(float), -1, ((2, 0),))
    line = pull_branch(problem, branch)
    assert_allclose(line, branch.xy[[0, -1]])
    assert pull_branch(problem, branch) is line


def test_road_is_led_through_a_short_dead_end_beside_it():
    """The dead end lies on the road's way: passing it is no longer than leaving it aside."""
    problem = problem_of([goal("a", 200, 205), goal("b", 380, 205)])
    _, branches = searched(problem, (20, 200))
    assert len(branches.passing) == 1
    assert [t for _, t in branches.passing[0].bound] == [0, 1]
