"""Arrays packed again around roads that are designed."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import LineString, box

from pacifico.layout.access.connect import ServedLayout
from pacifico.layout.access.repack import repack
from pacifico.layout.criteria.asset_types import POWER_FACTOR, asset_type, solar_unit
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.model.roads import Network, make_road
from pacifico.layout.placement.draft import item_of, of_units

SPEC = make_spec()
UNIT = solar_unit(SPEC)
REACH_M = 79.0


@pytest.fixture(scope="module")
def context(make):
    return make.context(make.site(700, 320), make.ground(make.level, 700, 320))


def array(make, x, y, n):
    west, south = make.west + x, make.south + y
    rect = (west, south, west + n * UNIT.pitch_x_m - UNIT.gap_x_m, south + UNIT.height_m)
    return of_units(Item("solar_array", rect, 10.0, block=3), rect, n, UNIT)


def served(make, *arrays, skid_x=400.0):
    """A road through the middle of a site, a skid south of it, and arrays."""
    west, south = make.west, make.south
    line = np.array([(west + 20, south + 160, 100.0), (west + 680, south + 160, 100.0)])
    rect = np.array([west + skid_x, south + 140, west + skid_x + 3, south + 152])
    items = (replace(item_of(asset_type(SPEC, "inverter_skid"), rect), block=3), *arrays)
    roads = (make_road("R001", "spine", line, 6.1),)
    network = Network(roads, served=dict.fromkeys(range(len(items)), "R001"), unreached={}, entry=None)
    return ServedLayout(items, items, (None,) * len(items), network, ())


def kw(layout):
    return sum(i.capacity_kw for i in layout.items)


def check(layout, before):
    """Roads and skids stay; arrays keep their distances, their reach and the rating of their skid."""
    others = [i for i in layout.items if i.kind != "solar_array"]
    assert others == [i for i in before.items if i.kind != "solar_array"]
    assert layout.network.roads == before.network.roads
    arrays = [i for i in layout.items if i.kind == "solar_array"]
    boxes = shapely.box(*np.array([i.rect for i in arrays]).T)
    gap = SPEC.number("solar", "pair_gap_m")
    first, second = shapely.STRtree(boxes).query(boxes, predicate="dwithin", distance=gap - 0.01)
    assert (first == second).all()
    line = LineString(np.asarray(layout.network.roads[0].line.coords)[:, :2])
    distances = shapely.distance(boxes, line)
    assert distances.max() <= REACH_M
    assert distances.min() >= 6.1 / 2
    assert not shapely.intersects(boxes, box(*others[0].pad_rect)).any()
    assert sum(i.capacity_kw for i in arrays) <= others[0].rating_kva
    assert set(layout.network.served) == set(range(len(layout.items)))
    assert len(layout.pads) == len(layout.items)


def test_a_gap_that_no_road_uses_is_filled(make, context):
    """Two arrays with a cross aisle between them make room for one row more."""
    step = 10 * UNIT.pitch_x_m + 13
    before = served(make, array(make, 20, 180, 10), array(make, 20 + step, 180, 10), array(make, 20, 60, 19))
    after = repack(context, before, REACH_M)
    assert kw(after) > kw(before)
    check(after, before)


def test_nothing_more_fits_beside_a_full_skid(make, context):
    """Arrays of the rating stand already: more find no skid."""
    before = served(make, *(array(make, 20 + k * 19 * UNIT.pitch_x_m, y, 19) for y in (180, 60) for k in range(4)))
    rating = asset_type(SPEC, "inverter_skid").rating_kva
    after = repack(context, before, REACH_M)
    assert kw(before) <= kw(after) <= rating
    check(after, before)


def test_without_skid_or_road_all_stays(make, context):
    whole = served(make, array(make, 20, 180, 10))
    alone = replace(whole, items=whole.items[1:], pads=whole.pads[1:])
    no_road = replace(whole, network=replace(whole.network, roads=()))
    for layout in (alone, no_road):
        assert repack(context, layout, REACH_M) is layout


def test_the_rating_of_the_substation_is_kept(make, context):
    """A substation with room for one more row only."""
    step = 10 * UNIT.pitch_x_m + 13
    before = served(make, array(make, 20, 180, 10), array(make, 20 + step, 180, 10), array(make, 20, 60, 19))
    west, south = make.west + 600, make.south + 20
    rating = kw(before) + UNIT.ac_kw
    substation = Item("substation", (west, south, west + 40, south + 30), 3.0, rating_kva=rating / POWER_FACTOR)
    network = replace(before.network, served={**before.network.served, len(before.items): "R001"})
    before = replace(before, items=(*before.items, substation), pads=(*before.pads, None), network=network)
    assert kw(before) <= kw(repack(context, before, REACH_M)) <= rating + 0.01
