"""Gas turbines with their cooling systems, and generators for the rest."""

from collections import Counter

import numpy as np
import pytest
import shapely
from fixtures.placement import SPEC

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.placement.equipment import place_near, slope_and_distance
from pacifico.layout.placement.gas_plant import place_gas_plant


def placed(make, target_kw, *, size=800.0, height=None):
    context = make.context(make.site(size, size), make.ground(height or make.level, size, size), setback_m=10.0)
    draft, anchor = Draft(), (make.west + size / 2, make.south + size / 2)
    place_gas_plant(context, draft, target_kw, anchor, slope_and_distance(context.field, anchor, 40.0))
    return draft


@pytest.mark.parametrize(
    ("target_kw", "counts"),
    [
        (0.0, {}),
        (10_000.0, {"generator": 4}),
        (47_500.0, {"gas_turbine": 1, "cooling_system": 1}),
        (60_000.0, {"gas_turbine": 1, "cooling_system": 1, "generator": 5}),
    ],
)
def test_turbines_first_then_generators(make, target_kw, counts):
    draft = placed(make, target_kw)
    assert Counter(i.kind for i in draft.items) == counts
    assert draft.unplaced == []


def test_less_than_a_generator_is_recorded(make):
    draft = placed(make, 2000.0)
    assert draft.items == []
    assert "2,000 kW asked for are less than one unit of 2,500 kW" in draft.unplaced[0].reason


def test_generators_make_up_for_turbines_without_a_place(make):
    """4 degrees: above the limit of turbines, within that of generators."""
    draft = placed(make, 47_500.0, height=lambda x, y: np.tan(np.radians(4.0)) * x)
    assert Counter(i.kind for i in draft.items) == {"generator": 19}
    assert draft.unplaced == []


def test_what_neither_can_make_up_for_stays_recorded(make):
    draft = placed(make, 95_000.0, size=150.0)
    assert {u.kind for u in draft.unplaced} >= {"gas_turbine", "generator"}


def test_turbines_stand_in_rows_of_one_orientation_with_their_cooling_system(make):
    draft = placed(make, 4 * 47_500.0, size=1000.0)
    turbines = [i for i in draft.items if i.kind == "gas_turbine"]
    coolers = shapely.box(*rects_of([i for i in draft.items if i.kind == "cooling_system"]).T)
    assert len(turbines) == len(coolers) == 4
    assert len({i.rotation_deg for i in turbines}) == 1
    for turbine in turbines:
        assert shapely.distance(coolers, shapely.box(*turbine.rect)).min() == pytest.approx(16.0)
    rows = {round(i.rect[1], 3) for i in turbines}
    assert len(rows) == 2


def test_turbines_keep_their_distance_from_buildings(make):
    context = make.context(make.site(800.0, 800.0), make.ground(make.level, 800.0, 800.0), setback_m=10.0)
    draft, anchor = Draft(), (make.west + 400.0, make.south + 400.0)
    place_near(context.field, draft, asset_type(SPEC, "control_center"), anchor)
    place_gas_plant(context, draft, 2 * 47_500.0, anchor, slope_and_distance(context.field, anchor, 40.0))
    building = shapely.box(*draft.items[0].rect)
    turbines = [shapely.box(*i.rect) for i in draft.items if i.kind == "gas_turbine"]
    assert len(turbines) == 2
    assert min(building.distance(t) for t in turbines) >= 30.0 - 1e-6
