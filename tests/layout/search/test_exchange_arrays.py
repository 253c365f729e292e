"""Exchanged arrays: equal capacity on less ground, blocks whole, places beside roads where asked."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely
from fixtures.placement import SPEC, layout_of

from pacifico.grid import Ground
from pacifico.layout.criteria.capacities import Capacities
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.place_plant import PlantRequest, draft_layout
from pacifico.layout.placement.power_blocks import add_power_blocks
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import solar_grounds
from pacifico.layout.placement.surroundings import surroundings_ha
from pacifico.layout.search.candidate_order import seed_areas
from pacifico.layout.search.exchange_arrays import exchange_arrays, free_slots

_path = Path(__file__).parents[2] / "benchmarks" / "test_layout_strategies.py"
_spec = importlib.util.spec_from_file_location("strategies_benchmark", _path)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)


@pytest.fixture(scope="module")
def stray(make):
    """A power block in the west of a site, one of its arrays far from the others."""
    context = make.context(make.site(800, 400), make.ground(make.level, 800, 400), setback_m=10.0)
    ground, _ = solar_grounds(context)
    slots = ground.slots(Draft().blocked(15.0))
    centre = (slots.rects[:, 0] + slots.rects[:, 2]) / 2 - make.west
    near = np.flatnonzero(centre < 250)[:5]
    far = np.flatnonzero((centre > 400) & (centre < 550))[:1]
    area = SeedArea("quads", context.field.placeable.bounds, (make.west, make.south), filled_as="density")
    draft = Draft()
    add_power_blocks(context, ground, draft, slots.take(np.concatenate([near, far])), None, seed_area=area)
    return context, area, draft, ground


def test_an_array_far_from_the_others_moves_in(make, stray):
    context, area, draft, _ = stray
    assert max(i.rect[2] for i in draft.items) > make.west + 400
    after = exchange_arrays(context, draft, area)
    assert max(i.rect[2] for i in after.items) < make.west + 400
    assert after.solar_kw() == pytest.approx(draft.solar_kw(), abs=0.1)
    assert surroundings_ha(after.items) < surroundings_ha(draft.items)


def test_the_draft_itself_is_not_changed(stray):
    context, area, draft, _ = stray
    before = list(draft.items)
    exchange_arrays(context, draft, area)
    assert draft.items == before


def test_new_places_lie_beside_the_roads(make, stray):
    context, area, draft, _ = stray
    served = layout_of(draft.items, [(0.0, 5.0), (800.0, 5.0)])
    road = served.network.roads[0].line
    after = exchange_arrays(context, draft, area, [road])
    moved = set(after.items) - set(draft.items)
    reach = SPEC.number("site", "array_reach_m")
    assert all(shapely.box(*i.rect).distance(road) < reach for i in moved)


def test_free_slots_are_those_on_which_nothing_stands(stray):
    _, _, draft, ground = stray
    free = free_slots(ground, draft.items)
    items = shapely.union_all([shapely.box(*i.rect) for i in draft.items])
    assert 0 < len(free.units) < len(ground.slots(Draft().blocked(15.0)).units)
    assert not shapely.intersects(shapely.box(*free.rects.T), items).any()


def test_a_draft_without_arrays_stays_as_it_is(stray):
    context, area, draft, _ = stray
    skids = Draft([i for i in draft.items if i.kind == "inverter_skid"])
    assert exchange_arrays(context, skids, area).items == skids.items


def test_an_empty_draft_stays_empty(stray):
    context, area, _, _ = stray
    assert exchange_arrays(context, Draft(), area).items == []


@pytest.mark.parametrize("seed", [0, 1])
def test_exchanged_drafts_are_legal_on_synthetic_ground(seed):
    site, dem = bench.synthetic(seed, hectares=40)
    field = make_field(site, Ground.of(dem), Ground.finest_of(dem), setback_m=10.0, source_cell_m=10.0)
    context = PlacementContext(field, SPEC)
    request = PlantRequest(Capacities(solar_kw=9_000.0), "density")
    for area in seed_areas(context, "density", 9_000.0, None)[:3]:
        draft = draft_layout(context, request, area)
        after = exchange_arrays(context, draft, area)
        assert after.solar_kw() == pytest.approx(draft.solar_kw(), abs=0.1)
        assert surroundings_ha(after.items) <= surroundings_ha(draft.items) * 1.002
        west, south, east, north = np.array([i.rect for i in after.items]).T
        apart = (west[:, None] >= east - 1e-6) | (east[:, None] <= west + 1e-6)
        apart |= (south[:, None] >= north - 1e-6) | (north[:, None] <= south + 1e-6)
        assert (apart | np.eye(len(west), dtype=bool)).all()
        rating = SPEC.number("inverter_skid", "rating_kva")
        for block in {i.block for i in after.items if i.block >= 0}:
            kinds = [i.kind for i in after.items if i.block == block]
            assert kinds.count("inverter_skid") == 1
            assert len(kinds) > 1
            assert sum(i.capacity_kw for i in after.items if i.block == block) <= rating + 0.1
