"""Power blocks: one skid each within its rating, on level ground, in the place of an array's end."""

import numpy as np
import pytest
import shapely
from fixtures.placement import SKID, SPEC

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.power_blocks import add_power_blocks
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import choose_arrays, solar_grounds


def built(make, height=None, *, target_kw=None, draft=None, **more):
    """Draft with all arrays of a site, up to a target."""
    context = make.context(make.site(400, 400), make.ground(height or make.level, 400, 400), setback_m=10.0)
    draft = draft or Draft()
    ground, _ = solar_grounds(context)
    window = context.field.placeable.bounds
    seed_area = SeedArea("quads", window, (make.west, make.south), **more)
    slots = choose_arrays(context, ground, draft, seed_area, target_kw)
    add_power_blocks(context, ground, draft, slots, target_kw, seed_area=seed_area)
    return context, draft, slots


def of_kind(draft, kind):
    return [i for i in draft.items if i.kind == kind]


def test_every_array_belongs_to_a_block_with_one_skid_within_its_rating(make):
    _, draft, _ = built(make)
    skids = {i.block for i in of_kind(draft, "inverter_skid")}
    assert len(skids) == len(of_kind(draft, "inverter_skid")) > 1
    assert {i.block for i in of_kind(draft, "solar_array")} == skids
    for block in skids:
        assert sum(i.capacity_kw for i in of_kind(draft, "solar_array") if i.block == block) <= SKID.rating_kva


def test_blocks_are_about_equal(make):
    _, draft, _ = built(make)
    kw = {}
    for i in of_kind(draft, "solar_array"):
        kw[i.block] = kw.get(i.block, 0.0) + i.capacity_kw
    assert max(kw.values()) - min(kw.values()) <= 2 * 416.0


def test_a_skid_takes_one_unit_of_its_block(make):
    """A skid turned along the rows takes 3 m, its pad and 1.8 m: one row of 6.86 m."""
    _, draft, slots = built(make)
    units = sum(round(i.capacity_kw / 25.9938) for i in of_kind(draft, "solar_array"))
    assert units == slots.units.sum() - len(of_kind(draft, "inverter_skid"))


def test_a_target_is_not_exceeded(make):
    _, draft, _ = built(make, target_kw=3000.0)
    assert 3000.0 - 2 * 104.0 < draft.solar_kw() <= 3000.0


def test_numbers_go_on_after_those_of_the_draft(make):
    _, first, _ = built(make, target_kw=1000.0)
    _, draft, _ = built(make, target_kw=1000.0, draft=first)
    assert sorted({i.block for i in draft.items}) == list(range(len(of_kind(draft, "inverter_skid"))))


def test_ground_too_steep_for_skids_leaves_arrays_unplaced(make):
    """7 degrees everywhere: within the limit of arrays, above that of skids."""
    _, draft, slots = built(make, lambda x, y: np.tan(np.radians(7.0)) * x)
    assert draft.items == []
    (unplaced,) = draft.unplaced
    assert (unplaced.kind, unplaced.count) == ("solar_array", len(slots.units))
    assert "inverter skid" in unplaced.reason


def test_skids_stand_beside_arrays_where_only_that_ground_is_level(make):
    """Steep but for a level strip 14 m wide along the south: skids stand there, off the arrays."""
    context, draft, _ = built(make, lambda x, y: np.where(y < 30, 0.0, np.tan(np.radians(7.0)) * (y - 30)))
    skids = of_kind(draft, "inverter_skid")
    assert skids
    assert all(context.field.sieve(5.0).passes(np.array([i.rect]))[0] for i in skids)
    arrays = shapely.union_all([shapely.box(*i.rect) for i in of_kind(draft, "solar_array")])
    assert not any(arrays.intersection(shapely.box(*i.pad_rect)).area for i in skids)


def test_arrays_keep_clear_of_other_blocks(make):
    context = make.context(make.site(400, 400), make.ground(make.level, 400, 400), setback_m=10.0)
    draft = Draft()
    place_near(context.field, draft, asset_type(SPEC, "control_center"), (make.west + 200, make.south + 200))
    _, draft, _ = built(make, draft=draft)
    centre = shapely.box(*draft.items[0].rect)
    assert min(centre.distance(shapely.box(*i.rect)) for i in of_kind(draft, "solar_array")) >= 15.0


@pytest.mark.parametrize("skid_detour", [0.0, 100.0])
def test_a_price_on_earthwork_moves_skids_to_gentler_ground(make, skid_detour):
    height = lambda x, y: 0.06 * np.abs(y - 200)  # noqa: E731
    context, draft, _ = built(make, height, skid_detour=skid_detour)
    assert of_kind(draft, "inverter_skid")
    rects = np.array([i.rect for i in of_kind(draft, "inverter_skid")])
    assert context.field.sieve(5.0).passes(rects, apron=1.0).all()
