"""Solar arrays: strip patterns by hand, and the choice of arrays up to a target."""

import numpy as np
import pytest
from fixtures.placement import SPEC, array_at

from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import choose_arrays, choose_compact, solar_grounds, strip_pattern
from pacifico.layout.placement.strips import Slots

UNIT = solar_unit(SPEC)


def context_of(make, **more):
    return make.context(make.site(), make.ground(more.pop("height", make.level)), setback_m=10.0, **more)


def seed_area_of(context, **more):
    west, south, east, north = context.field.placeable.bounds
    return SeedArea("quads", (west, south, east, north), (west, south), **more)


def test_patterns_by_hand():
    """Reach 80 - 3 m; aisle 13 m; rows 6.86 m apart and 64 m long: roads reach two strips, and 10 rows beside a cross aisle."""
    pairs, quads, spines = (strip_pattern(SPEC, UNIT, s) for s in ("pairs", "quads", "spines"))
    assert (pairs.strips, quads.strips, spines.strips) == (2, 4, 12)
    assert (pairs.reach, quads.reach, spines.reach) == (0.0, 0.0, 77.0)
    assert quads.cross_every == 330 // UNIT.pitch_x_m == 48
    assert spines.cross_every == min(2 * (10 + 19), 48)


def test_pockets_have_a_pattern_of_their_own(make):
    full, pocket = solar_grounds(context_of(make))
    assert pocket.unit.height_m == full.unit.height_m / 2
    assert pocket.unit.ac_kw == pytest.approx(full.unit.ac_kw / 2)


def test_without_a_target_all_slots_are_chosen(make):
    context = context_of(make)
    ground, _ = solar_grounds(context)
    slots = choose_arrays(context, ground, Draft(), seed_area_of(context), None)
    assert len(slots.units) == len(ground.slots(Draft().blocked(15.0)).units)
    assert ground.kw(slots) == slots.units.sum() * UNIT.ac_kw


@pytest.mark.parametrize("filled_as", ["balanced", "density"])
def test_a_target_is_reached_by_the_last_array(make, filled_as):
    context = context_of(make)
    ground, _ = solar_grounds(context)
    target_kw = 2000.0
    slots = choose_arrays(context, ground, Draft(), seed_area_of(context, filled_as=filled_as), target_kw)
    assert target_kw <= ground.kw(slots) < target_kw + UNIT.most_units * UNIT.ac_kw


def test_arrays_are_chosen_from_the_start_of_the_window(make):
    context = context_of(make)
    ground, _ = solar_grounds(context)
    slots = choose_arrays(context, ground, Draft(), seed_area_of(context), 1500.0)
    assert slots.rects[:, 2].max() < make.west + 350


def test_a_price_on_slope_keeps_arrays_off_the_hill(make):
    context = context_of(make, height=lambda x, y: np.where(x < 300, 0.1 * (300 - x), 0.0))
    ground, _ = solar_grounds(context)
    flat = choose_arrays(context, ground, Draft(), seed_area_of(context, metres_per_degree=100.0), 1500.0)
    assert flat.rects[:, 0].min() > make.west + 250


def test_compact_choice_fills_the_hole_instead_of_the_far_end():
    """A row of five slots; the first four in order leave a hole."""
    rects = np.array([(100.0 * k, 0.0, 100.0 * k + 90.0, 60.0) for k in range(5)])
    ones, zeros = np.ones(5, dtype=np.int64), np.zeros(5, dtype=np.int64)
    slots = Slots(rects, ones, zeros, zeros, zeros, zeros)
    order = np.array([0, 1, 3, 4, 2])
    assert sorted(choose_compact(slots, order, 3.0, Draft()).tolist()) in ([0, 1, 2], [1, 2, 3], [2, 3, 4])


def test_compact_choice_counts_ground_that_items_cover_anyway():
    rects = np.array([(0.0, 0.0, 20.0, 60.0), (500.0, 0.0, 520.0, 60.0)])
    ones, zeros = np.ones(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    slots = Slots(rects, ones, zeros, zeros, zeros, zeros)
    standing = array_at(0, 0)
    _, y0, x1, _ = standing.rect
    beside = Slots(rects + np.array([x1 + 5, y0, x1 + 5, y0]), ones, zeros, zeros, zeros, zeros)
    assert choose_compact(beside, np.array([1, 0]), 1.0, Draft([standing])).tolist() == [0]
    assert len(choose_compact(slots, np.array([1, 0]), 2.0, Draft())) == 2


@pytest.mark.parametrize(("north", "east", "overrides", "some"), [
    (0.16, 0.0, {}, False),
    (0.0, 0.16, {}, True),
    (0.16, 0.0, {"racking": {"name": "terrain_following"}}, True),
    (0.16, 0.0, {"solar": {"mounting": "fixed"}}, False),
    (0.0, 0.16, {"solar": {"mounting": "fixed"}}, False),
    (0.0, 0.14, {"solar": {"mounting": "fixed"}}, True),
    (0.0, 0.16, {"straight_tracker": {"max_slope_across_pct": 15.0}}, False),
    (0.0, 0.19, {"straight_tracker": {"max_slope_across_pct": 60.0, "max_row_step_m": 6.0}}, False),
])  # fmt: skip
def test_arrays_stand_where_their_racking_takes_the_slope(make, north, east, overrides, some):
    """16 % is 9°, within the 10° of slope_limit_deg; 19 % isn't. Without grading the racking's own slopes count."""
    assert has_places(make, north, east, {"racking": {}} | overrides, graded_slope_factor=1.0) == some


def test_arrays_stand_on_steeper_ground_that_is_graded(make):
    assert has_places(make, 0.16, 0.0, {"racking": {}}, graded_slope_factor=1.1)
    assert not has_places(make, 0.16, 0.0, {"racking": {}}, graded_slope_factor=1.05)
    assert not has_places(make, 0.19, 0.0, {"racking": {}}, graded_slope_factor=2.0)


def has_places(make, north, east, overrides, **racking):
    """Whether an array has a place on a plane that rises to the north and east."""
    rules = {**overrides, "racking": {**overrides["racking"], **racking}}
    context = context_of(make, height=lambda x, y: 500 + north * y + east * x, overrides=rules)
    ground, _ = solar_grounds(context)
    return bool(len(ground.slots(Draft().blocked(15.0)).units))
