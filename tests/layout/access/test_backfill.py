"""Arrays built beside roads, in place of removed units."""

from dataclasses import replace

import numpy as np
import pytest
from shapely import LineString, box

from pacifico.layout.access.backfill import BESIDE_M, backfill
from pacifico.layout.criteria.asset_types import asset_type, solar_unit
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.roads import make_road
from pacifico.layout.placement.draft import item_of

SPEC = make_spec()
UNIT = solar_unit(SPEC)
REACH_M = 79.0


@pytest.fixture(scope="module")
def context(make):
    return make.context(make.site(500, 300), make.ground(make.level, 500, 300))


def scene(make, *, skid_x=250.0):
    """A road through the middle of a site, and a skid south of it."""
    west, south = make.west, make.south
    line = np.array([(west + 20, south + 150, 100.0), (west + 480, south + 150, 100.0)])
    rect = np.array([west + skid_x, south + 130, west + skid_x + 6, south + 136])
    skid = item_of(asset_type(SPEC, "inverter_skid"), rect)
    return [make_road("R001", "spine", line, 6.1)], [replace(skid, block=3)], LineString(line[:, :2])


def built(make, context, kw, **more):
    roads, items, line = scene(make, **more)
    return backfill(context, items, roads, kw, REACH_M), items, line


def test_arrays_make_up_for_the_capacity(make, context):
    more, items, line = built(make, context, 13 * UNIT.ac_kw)
    assert sum(array.capacity_kw for array, _ in more) == pytest.approx(13 * UNIT.ac_kw, abs=0.01)
    for array, road in more:
        shape = box(*array.rect)
        assert road == "R001"
        assert array.block == 3
        assert 6.1 / 2 + BESIDE_M - 1e-6 <= shape.distance(line) <= REACH_M
        assert not shape.intersects(box(*items[0].pad_rect))


def test_arrays_fit_the_free_ground_between_others(make, context):
    """Ground 35 m high between an array and the edge of the site takes half rows."""
    roads, items, _ = scene(make)
    west, south = make.west, make.south
    standing = replace(
        items[0], kind="solar_array", rect=(west + 20, south + 38 + 3, west + 480, south + 135), capacity_kw=0.0
    )
    more = backfill(context, [*items, standing], roads, 10_000.0, 140.0)
    low = [a for a, _ in more if a.rect[3] <= south + 38 + 1e-6]
    assert low
    assert {round(a.rect[3] - a.rect[1], 3) for a in low} == {UNIT.height_m / 2}


def test_arrays_keep_off_side_slopes(make, context):
    """A road 5 m above level ground has side slopes of 10 m."""
    _, items, line = scene(make)
    high = np.column_stack([np.asarray(line.coords), [105.0, 105.0]])
    more = backfill(context, items, [make_road("R001", "spine", high, 6.1)], 5_000.0, REACH_M)
    assert more
    assert min(box(*array.rect).distance(line) for array, _ in more) >= 6.1 / 2 + 10.0 - 1e-6


def test_less_than_an_array_is_not_built(make, context):
    assert built(make, context, 3.9 * UNIT.ac_kw)[0] == []


def test_a_skid_takes_no_more_than_its_rating(make, context):
    rating = asset_type(SPEC, "inverter_skid").rating_kva
    more, _, _ = built(make, context, 10 * rating)
    assert 0 < sum(array.capacity_kw for array, _ in more) <= rating


def test_without_a_skid_nothing_is_built(make, context):
    roads, _, _ = scene(make)
    battery = item_of(asset_type(SPEC, "battery"), np.array([0.0, 0.0, 12.0, 3.0]))
    assert backfill(context, [battery], roads, 13 * UNIT.ac_kw, REACH_M) == []
