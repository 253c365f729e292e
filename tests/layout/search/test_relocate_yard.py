"""Yard blocks beside existing roads: for blocks without a road, and to cover less ground."""

from collections import Counter

import numpy as np
from fixtures.placement import BATTERY, SPEC, item_at, keeps_clearance, layout_of
from shapely import box

from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.placement.surroundings import surroundings_ha
from pacifico.layout.search.relocate_yard import add_blocks_beside_roads, relocate_yard, yard_of

REACH_M = SPEC.number("site", "road_reach_m")
LINE = [(0.0, 190.0), (300.0, 190.0)]


def context_of(make):
    return make.context(make.site(), make.ground(make.level), setback_m=10.0)


def test_blocks_without_a_road_are_built_beside_one(make):
    row = [item_at(BATTERY, 100.0 + 40.0 * k, 200.0) for k in range(4)]
    far = [item_at(BATTERY, 500.0, 500.0), item_at(BATTERY, 540.0, 500.0)]
    served = layout_of(row, LINE)
    draft = add_blocks_beside_roads(context_of(make), Draft([*row, *far]), served, rects_of(far))
    assert Counter(i.kind for i in draft.items) == {"battery": 6}
    assert set(row) < set(draft.items)
    assert not set(far) & set(draft.items)
    assert keeps_clearance(draft.items, BATTERY.clearance_m)
    line = served.network.roads[0].line
    for item in set(draft.items) - set(row):
        assert box(*item.rect).distance(line) <= REACH_M
        assert box(*item.pad_rect).distance(line) > 3.05
        assert not any(box(*item.rect).intersects(box(*r)) for r in draft.excluded)


def test_other_missing_items_leave_the_draft_as_it_is(make):
    row = [item_at(BATTERY, 100.0, 200.0)]
    centre = item_at(asset_type(SPEC, "control_center"), 400.0, 400.0)
    assert add_blocks_beside_roads(context_of(make), Draft([*row, centre]), layout_of(row, LINE), NO_RECTS) is None


def test_a_block_without_any_place_leaves_the_draft_as_it_is(make):
    row = [item_at(BATTERY, 100.0, 200.0)]
    far = [item_at(BATTERY, 500.0, 500.0)]
    all_ground = np.array([[make.west, make.south, make.west + 600, make.south + 600]])
    assert add_blocks_beside_roads(context_of(make), Draft([*row, *far]), layout_of(row, LINE), all_ground) is None


def test_blocks_that_stick_out_move_in(make):
    gap = 2 * max(BATTERY.clearance_m, PAD_APRON_M + 0.1)
    row = [item_at(BATTERY, 60.0 + (BATTERY.length_m + gap) * k, 200.0) for k in range(4)]
    alone = item_at(BATTERY, 480.0, 200.0)
    served = layout_of([*row, alone], [(0.0, 190.0), (560.0, 190.0)])
    yard = yard_of(context_of(make), Draft([*row, alone]), served)
    after = relocate_yard(yard).items
    assert len(after) == 5
    assert alone not in after
    assert surroundings_ha(after) < surroundings_ha([*row, alone]) - 0.2
    assert keeps_clearance(after, BATTERY.clearance_m)
    assert all(box(*i.rect).distance(served.network.roads[0].line) <= REACH_M for i in after)


def test_the_larger_yard_counts(make):
    generator = asset_type(SPEC, "generator")
    items = [item_at(BATTERY, 60, 200), *(item_at(generator, 200.0 + 40 * k, 200) for k in range(2))]
    yard = yard_of(context_of(make), Draft(items), layout_of(items, LINE))
    assert yard.kind == "generator"
    assert yard.others == items[:1]
    assert yard.with_blocks([], yard.free[:1]).items[0] == items[0]


def test_without_roads_or_blocks_there_is_no_yard(make):
    context, block = context_of(make), item_at(BATTERY, 60, 200)
    assert yard_of(context, Draft([block]), layout_of([block])) is None
    assert yard_of(context, Draft(), layout_of([], LINE)) is None
