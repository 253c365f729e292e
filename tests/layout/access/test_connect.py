"""Connecting a draft to roads: pads, what is left out, and new numbers."""

from dataclasses import replace

import pytest
from shapely import Point, box

from pacifico.layout.access.connect import (
    REACH_MARGIN_M,
    RETRY_ITEMS,
    RoadSearchOptions,
    connect_roads,
    renumber,
)
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item, Unplaced, merge_unplaced
from pacifico.layout.model.roads import Network
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.placement.draft import Draft
from pacifico.site.model import Anchor, Zone

SPEC = make_spec()


def item(make, kind, x, y, *, block=-1):
    """Item of 20 x 10 m with its south-west corner at a place."""
    west, south = make.west + x, make.south + y
    return Item(kind, (west, south, west + 20, south + 10), 5.0, block=block)


def connect(make, items, *, exclusions=(), **more):
    site = make.site(400, 300, exclusions=tuple(exclusions))
    context = make.context(site, make.ground(make.level, 400, 300))
    entry = Point(make.west + 1, make.south + 150)
    return connect_roads(context, site, Draft(list(items)), entry, "gas_bess", **more)


def test_every_item_in_reach_gets_a_pad_and_a_road(make):
    items = [item(make, "substation", 200, 150), item(make, "battery", 300, 150)]
    served = connect(make, items)
    assert served.items == served.untrimmed == tuple(items)
    assert served.lost == ()
    assert [p.elevation_m for p in served.pads] == pytest.approx([100.0, 100.0])
    lines = {r.road_id: r.line for r in served.network.roads}
    for k, one in enumerate(items):
        far = lines[served.network.served[k]].distance(box(*one.rect))
        assert far <= SPEC.number("site", "road_reach_m") - REACH_MARGIN_M


def test_items_behind_an_exclusion_are_left_out_with_the_cause(make):
    wall = Zone(make.at(250, -10, 260, 310), "river", "hard")
    items = [item(make, "substation", 100, 150), item(make, "battery", 320, 150), item(make, "battery", 150, 100)]
    served = connect(make, items, exclusions=[wall])
    assert served.items == (items[0], items[2])
    assert set(served.network.served) == {0, 1}
    (lost,) = served.lost
    assert (lost.kind, lost.count) == ("battery", 1)
    assert lost.reason == "no legal route: this part of the site is not connected to the entry"
    assert lost.cause is UnreachedCause.NO_ROUTE


def test_roads_of_a_large_draft_are_finished_without_what_they_miss(make):
    """More items than are worth a new search: the first roads are kept."""
    wall = Zone(make.at(250, -10, 260, 310), "river", "hard")
    near = [item(make, "substation", 20, 20)]
    far = [item(make, "battery", 320, 150)] * RETRY_ITEMS
    served = connect(make, [*near, *far], exclusions=[wall], give_way=())
    assert served.items == tuple(near)
    assert [(u.kind, u.count) for u in served.lost] == [("battery", RETRY_ITEMS)]


def test_nothing_in_reach_leaves_no_roads(make):
    everywhere = Zone(make.at(-10, -10, 410, 310), "reserve", "hard")
    served = connect(make, [item(make, "substation", 200, 150)], exclusions=[everywhere])
    assert served.items == ()
    assert served.network.roads == ()
    assert served.lost[0].reason == "no legal route: the site has no room for a road"


def test_options_are_values():
    assert RoadSearchOptions(earth_price=2.0) == RoadSearchOptions(earth_price=2.0)
    assert hash(RoadSearchOptions()) == hash(RoadSearchOptions())


def test_items_that_stay_keep_their_roads_under_new_numbers(make):
    items = [item(make, "battery", 0, 0, block=k) for k in range(4)]
    why = Unreached(UnreachedCause.TOO_STEEP, "too steep")
    network = Network((), None, {0: "R1", 2: "R2", 3: "R1"}, {1: why}, removed_units={3: (1, 0)})
    left, renumbered = renumber(items, network, {1: why, 2: why})
    assert [i.block for i in left] == [0, 3]
    assert renumbered.served == {0: "R1", 1: "R1"}
    assert renumbered.removed_units == {1: (1, 0)}
    assert renumbered.unreached == {}


def test_merged_entries_keep_their_cause():
    one = Unplaced("battery", 1, "no road", UnreachedCause.NO_ROUTE)
    (merged,) = merge_unplaced([one, replace(one, count=2)])
    assert merged.count == 3
    assert merged.cause is UnreachedCause.NO_ROUTE


def test_an_entry_that_no_road_uses_is_named(make):
    wall = Zone(make.at(190, -10, 210, 310), "wall", "hard")
    gates = tuple(
        Anchor(Point(make.west + x, make.south + 150), name, is_entry=True) for x, name in ((1, "west"), (399, "east"))
    )
    site = make.site(400, 300, exclusions=(wall,), anchors=gates)
    context = make.context(site, make.ground(make.level, 400, 300))
    draft = Draft([item(make, "substation", 100, 150)])
    served = connect_roads(context, site, draft, gates[0].point, "gas_bess")
    assert [w for w in served.network.warnings if "entry 'east' is not used" in w]
    both = connect_roads(
        context, site, Draft([*draft.items, item(make, "battery", 300, 150)]), gates[0].point, "gas_bess"
    )
    assert len(both.items) == 2
    assert len(both.network.further_entries) == 1
    assert not [w for w in both.network.warnings if "is not used" in w]
