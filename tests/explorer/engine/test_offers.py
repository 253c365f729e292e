"""Offers do what their buttons say: each is made again on the plan."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pacifico.crs import LONLAT, transformer
from pacifico.errors import EditRefused
from pacifico.explorer.engine.offers import offers_for
from pacifico.explorer.engine.replay import apply_step
from pacifico.explorer.state.document import EditStep
from pacifico.grid import Grid
from pacifico.layout.editing.editor import EditContext
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def plan(terrain):
    return generate_layout(terrain.site, terrain.dem, target_capacity_kw=4000.0)


@pytest.fixture(scope="module")
def arrays(plan):
    return [a for a in plan.asset_list if a.item.kind == "solar_array"]


def lonlat(plan, place):
    return transformer(plan.crs, LONLAT).transform(*place)


def refuse(plan, terrain, step):
    context = EditContext.of(plan, terrain.dem)
    with pytest.raises(EditRefused):
        apply_step(plan, step, context)
    return context


def make(plan, context, offer):
    for step in offer.edits:
        plan = apply_step(plan, step, context)
    return plan


def test_an_overlapping_array_is_offered_the_nearest_legal_place(plan, arrays, terrain):
    moved, other = arrays[-1], arrays[0]
    step = EditStep(
        "move", "solar_array", lonlat(plan, moved.item.centre), moved.asset_id, to=lonlat(plan, other.item.centre)
    )
    context = refuse(plan, terrain, step)
    (offer,) = offers_for(plan, terrain.dem, step)
    assert offer.words.startswith("Place it ")
    assert "million USD" in offer.words
    after = make(plan, context, offer)
    placed = next(a for a in after.asset_list if a.asset_id == moved.asset_id)
    metres = int(offer.words.split()[2])
    assert math.dist(placed.item.centre, other.item.centre) == pytest.approx(metres, abs=1)
    assert all(a.footprint.intersection(placed.footprint).area < 0.01 for a in arrays if a.asset_id != moved.asset_id)


def test_an_array_outside_the_boundary_comes_inside(plan, arrays, terrain):
    moved = arrays[-1]
    south = terrain.site.boundary.bounds[1]
    to = lonlat(plan, (moved.item.centre[0], south - 20))
    step = EditStep("move", "solar_array", lonlat(plan, moved.item.centre), moved.asset_id, to=to)
    context = refuse(plan, terrain, step)
    (offer,) = offers_for(plan, terrain.dem, step)
    after = make(plan, context, offer)
    assert all(terrain.site.boundary.covers(a.footprint) for a in after.asset_list)


def with_full_skids(plan):
    """Plan whose skids carry their arrays and no more."""
    load = Counter()
    for a in plan.asset_list:
        if a.item.kind == "solar_array":
            load[a.item.block] += a.item.capacity_kw
    assets = tuple(
        replace(a, item=replace(a.item, rating_kva=load[a.item.block])) if a.item.kind == "inverter_skid" else a
        for a in plan.asset_list
    )
    return replace(plan, asset_list=assets)


def test_an_array_without_skid_capacity_is_offered_a_skid_too(plan, arrays, terrain):
    west = min(arrays, key=lambda a: a.item.rect[:2])  # with free ground beside it: a new array is larger
    at = lonlat(plan, west.item.centre)
    free = EditStep("remove", "solar_array", at, west.asset_id)
    less = with_full_skids(apply_step(plan, free, EditContext.of(plan, terrain.dem)))
    step = EditStep("add", "solar_array", at)
    context = refuse(less, terrain, step)
    (offer,) = offers_for(less, terrain.dem, step)
    assert offer.words.startswith("Add a skid here too: +")
    assert [e.asset_type for e in offer.edits] == ["inverter_skid", "solar_array"]
    after = make(less, context, offer)
    assert len(after.asset_list) == len(less.asset_list) + 2


def test_steep_ground_is_offered_the_limit_that_allows_it(terrain):
    grid = Grid.of(terrain.dem)
    east, _ = np.meshgrid(grid.x_centres() - grid.x0, grid.y_centres())
    heights = np.where(east > 450, 300 + math.tan(math.radians(4.2)) * (east - 450), 300.0)
    dem = grid.data_array(heights, name="elevation", units="m")
    plan = generate_layout(terrain.site, dem, profile="bess", target_capacity_kw=10_000.0)
    _, y0, x1, y1 = terrain.site.boundary.bounds
    step = EditStep("add", "battery", lonlat(plan, (x1 - 60, (y0 + y1) / 2)))
    with pytest.raises(EditRefused, match="too steep"):
        apply_step(plan, step, EditContext.of(plan, dem))
    offer = offers_for(plan, dem, step)[-1]
    assert offer.rule == ("battery", "slope_limit_deg", 4.5)
    assert offer.edits == (step,)
    assert offer.words == "Allow 4.5° for batteries, and lay out again"


def test_removals_and_turns_have_no_offer(plan, terrain):
    substation = next(a for a in plan.asset_list if a.item.kind == "substation")
    at = lonlat(plan, substation.item.centre)
    assert offers_for(plan, terrain.dem, EditStep("remove", "substation", at, substation.asset_id)) == ()
    assert offers_for(plan, terrain.dem, EditStep("rotate", "substation", at, substation.asset_id, to_deg=45.0)) == ()
    assert offers_for(plan, terrain.dem, EditStep("move", "battery", at, "battery-0009", to=at)) == ()
