"""Curve repair: tight bends and turns become drivable where there is room, and everything else stays."""

import itertools

import numpy as np
from fixtures.alignment import ORIGIN, count_tight, drawn, problem_of
from fixtures.ground import at
from numpy.testing import assert_allclose

from pacifico.layout.alignment.curve_repair import repair_curves
from pacifico.layout.alignment.height_ranges import HeightRanges
from pacifico.layout.alignment.horizontal import touching
from pacifico.layout.alignment.smoothing import NOWHERE
from pacifico.layout.model.roads import Terminal
from pacifico.layout.routing.terminal_service import serves

EAST = Terminal("t", at(298, 190, 305, 200), 20.0)


def aisles(width):
    """Blocks with an aisle from the south that turns east and goes on."""
    h = width / 2
    return [at(0, 0, 150 - h, 300), at(150 + h, 0, 300, 150 - h), at(150 - h, 150 + h, 300, 300)]


def test_sharp_bend_is_repaired_and_the_rest_stays():
    problem = problem_of([EAST])
    first, second = [(20, 20), (60, 20), (60, 120)], [(60, 120), (180, 120), (186, 180), (300, 180)]
    before = drawn(first, second)
    after = repair_curves(problem, before)
    assert count_tight(problem, before) >= 3
    assert count_tight(problem, after) == 0
    assert after.parents == before.parents
    assert after.line_of == before.line_of
    assert_allclose(after.lines[1][-1], before.lines[1][-1])
    assert_allclose(after.lines[0][-1], after.lines[1][0])
    assert serves(problem, after.lines[1], 0)
    assert touching(after.lines, after.parents) == []
    for line in after.lines:
        assert all(problem.road_grid.clearance_index.clear(a, b) for a, b in itertools.pairwise(line))
    assert repair_curves(problem, after) is after


def test_frozen_places_and_smooth_lines_stay():
    problem = problem_of([EAST])
    before = drawn([(20, 20), (60, 20), (60, 120)], [(60, 120), (60, 180), (300, 180)])
    frozen = NOWHERE.wider(ORIGIN + np.array([[60.0, 20.0]]), 25.0)
    after = repair_curves(problem, before, frozen=frozen)
    assert after.lines[0] is before.lines[0]
    assert after.lines[1] is not before.lines[1]
    assert repair_curves(problem, drawn([(20, 20), (300, 20)])).lines[0].shape == (2, 2)


def test_bend_without_room_stays():
    terminal = Terminal("t", at(280, 152, 290, 153), 20.0)
    problem = problem_of([terminal], aisles(7.0))
    before = drawn([(150, 5), (150, 150), (280, 150)])
    assert repair_curves(problem, before) is before
    wide = problem_of([terminal], aisles(13.0))
    assert count_tight(wide, repair_curves(wide, before)) == 0


def test_repair_with_heights_keeps_a_legal_profile():
    problem = problem_of([EAST])
    before = drawn([(20, 20), (60, 20), (60, 180), (300, 180)])
    heights = HeightRanges.of(problem, before)
    after = repair_curves(problem, before, heights=heights)
    assert count_tight(problem, after) < count_tight(problem, before)
    assert heights.after(after) is not None
