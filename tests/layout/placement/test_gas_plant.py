"""Gas turbines with their cooling systems, and generators for the rest."""

from collections import Counter

import numpy as np
import pytest

from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.equipment import slope_and_distance
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
