"""Dropping a road branch and placing its blocks or arrays beside the other roads."""

import numpy as np
import pytest
from fixtures.placement import BATTERY, SKID, item_at, keeps_clearance, layout_of

from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.power_blocks import add_power_blocks
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import choose_arrays, solar_grounds
from pacifico.layout.search.relocate_branch import Movable, movable_arrays, relocate_branch
from pacifico.layout.search.relocate_yard import yard_of


def movable_points(make, points, free, fixed=()):
    """Squares of 10 m that stand at some points and are free at others."""
    rects = np.array([(make.west + x, make.south + y, make.west + x + 10, make.south + y + 10) for x, y in points])
    free = np.array(free)
    fixed = np.array([(make.west + x, make.south + y, make.west + x + 10, make.south + y + 10) for x, y in fixed])
    ones = np.ones(len(points), dtype=np.int64)
    return Movable(rects, ones, ~free, free, 15.0, fixed.reshape(-1, 4), lambda mask: mask)


ROADS = [(0, 100), (100, 100), (200, 100)], [(100, 100), (100, 300)]


def test_the_only_block_of_a_branch_moves_beside_the_other_road(make):
    context = make.context(make.site(), make.ground(make.level))
    points = [(20, 105), (50, 105), (105, 290), (150, 105)]
    movable = movable_points(make, points, [False, False, False, True])
    mask = next(relocate_branch(context, movable, layout_of([], *ROADS), "length"))
    assert mask.tolist() == [True, True, False, True]


def test_a_branch_to_a_fixed_item_stays(make):
    context = make.context(make.site(), make.ground(make.level))
    points = [(20, 105), (50, 105), (105, 290), (150, 105)]
    movable = movable_points(make, points, [False, False, False, True], fixed=[(105, 295)])
    assert list(relocate_branch(context, movable, layout_of([], *ROADS), "length")) == []


def test_too_few_free_places_leave_the_branch(make):
    context = make.context(make.site(), make.ground(make.level))
    points = [(20, 105), (50, 105), (80, 105), (150, 105), (85, 280), (105, 290), (180, 105)]
    movable = movable_points(make, points, [False] * 6 + [True])
    assert list(relocate_branch(context, movable, layout_of([], *ROADS), "length")) == []


def test_an_expensive_branch_of_a_yard_is_dropped(make):
    context = make.context(make.site(), make.ground(make.level), setback_m=10.0)
    row = [item_at(BATTERY, 60.0 + 40.0 * k, 200.0) for k in range(4)]
    alone = item_at(BATTERY, 60.0, 520.0)
    items = [*row, alone]
    served = layout_of(
        items, [(0.0, 190.0), (20.0, 190.0), (220.0, 190.0)], [(20.0, 190.0), (20.0, 510.0), (90.0, 510.0)]
    )
    yard = yard_of(context, Draft(items), served)
    moved = next(relocate_branch(context, yard.movable(), served, "length"))
    assert len(moved.items) == 5
    assert alone not in moved.items
    assert set(row) <= set(moved.items)
    assert keeps_clearance(moved.items, BATTERY.clearance_m)


@pytest.fixture(scope="module")
def solar(make):
    """Arrays of 2 MW in the south-west of a site, and a road past them."""
    context = make.context(make.site(), make.ground(make.level), setback_m=10.0)
    ground, _ = solar_grounds(context)
    area = SeedArea("quads", context.field.placeable.bounds, (make.west, make.south))
    draft = Draft()
    slots = choose_arrays(context, ground, draft, area, 2000.0)
    add_power_blocks(context, ground, draft, slots, 2000.0, seed_area=area)
    return context, area, draft, layout_of(draft.items, [(0.0, 5.0), (600.0, 5.0)])


def test_movable_arrays_stand_or_are_free_but_not_both(solar):
    context, area, draft, served = solar
    movable = movable_arrays(context, draft, served, area, 2000.0)
    assert movable.free.any()
    assert movable.chosen.any()
    assert not (movable.free & movable.chosen).any()


def test_the_draft_of_the_chosen_arrays_has_their_capacity(solar):
    context, area, draft, served = solar
    movable = movable_arrays(context, draft, served, area, 2000.0)
    again = movable.draft_of(movable.chosen)
    assert again.solar_kw() == pytest.approx(draft.solar_kw(), abs=104.0)
    assert {i.kind for i in again.items} == {"solar_array", SKID.kind}
