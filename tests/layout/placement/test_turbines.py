"""Turbines: spacing along and across the wind, setback by tip height, crane pads on gentle ground."""

from itertools import combinations

import numpy as np
import pytest
from shapely import Point, box

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.turbines import place_turbines
from pacifico.site.model import Zone

ROTOR = 160.0
SETBACK = 1.1 * (110 + 80)


def placed(make, *, size=2600.0, count=None, wind=270.0, height=None, overrides=None, **site):
    rules = make_spec({"wind_turbine": {"wind_from_deg": wind, **(overrides or {})}})
    ground = make.ground(height or make.level, size, size, dx=20.0)
    field, draft = make.field(make.site(size, size, **site), ground, setback_m=10.0), Draft()
    middle = (make.west + size / 2, make.south + size / 2)
    number = place_turbines(field, draft, rules, middle, count, metres_per_degree=40.0)
    assert number == len(draft.items)
    return field, draft


@pytest.mark.parametrize("wind", [0.0, 30.0, 135.0, 270.0])
def test_turbines_keep_4_rotors_across_and_7_along_the_wind(make, wind):
    _, draft = placed(make, wind=wind)
    assert len(draft.items) >= 6
    toward = np.array([np.sin(np.radians(wind)), np.cos(np.radians(wind))])
    for a, b in combinations(draft.items, 2):
        d = np.subtract(a.centre, b.centre)
        along, across = d @ toward, d @ [toward[1], -toward[0]]
        assert np.hypot(along / (7 * ROTOR), across / (4 * ROTOR)) >= 1 - 1e-9


def test_more_stand_across_the_wind_than_along_it(make):
    _, draft = placed(make, wind=270.0)
    rows = np.array([i.centre for i in draft.items])
    columns = lambda values: len(np.unique(np.round(values / 400)))  # noqa: E731
    assert columns(rows[:, 1]) > columns(rows[:, 0])


def test_setback_is_1_1_tip_heights_from_the_boundary(make):
    _, draft = placed(make)
    edge = make.at(0, 0, 2600, 2600).exterior
    assert min(edge.distance(Point(*i.centre)) for i in draft.items) >= SETBACK - 1e-6


def test_an_exclusion_bars_the_crane_pad_and_no_more(make):
    """The tip-height setback is the boundary's: a pond 60 m off does not move a turbine."""
    pond = Zone(make.at(1360, 1250, 1400, 1350))
    _, alone = placed(make, count=1)
    _, beside = placed(make, count=1, exclusions=(pond,))
    assert alone.items == beside.items
    over = Zone(make.at(1290, 1290, 1310, 1310))
    _, moved = placed(make, count=1, exclusions=(over,))
    assert not box(*moved.items[0].pad_rect).intersection(over.geometry).area
    assert moved.items != alone.items


def test_a_count_is_kept_and_the_rest_is_said(make):
    _, draft = placed(make, count=2)
    assert len(draft.items) == 2
    assert draft.unplaced == []
    _, draft = placed(make, count=50)
    (lost,) = draft.unplaced
    assert lost.count == 50 - len(draft.items)
    assert "209 m inside the boundary" in lost.reason
    assert "640 x 1120 m" in lost.reason


def test_none_asked_for_and_no_room(make):
    assert placed(make, count=0)[1].unplaced == []
    _, draft = placed(make, size=400.0, count=3)
    assert draft.items == []
    assert draft.unplaced[0].count == 3


def test_as_many_as_stand_leaves_nothing_unplaced(make):
    _, draft = placed(make, count=None)
    assert draft.unplaced == []


def test_crane_pads_stand_on_gentle_ground(make):
    field, draft = placed(make, height=lambda x, y: 40 * np.sin(x / 200) * np.cos(y / 260))
    assert draft.items
    rects = np.array([r for i in draft.items for r in (i.rect, i.pad_rect)])
    assert field.sieve(8.0).passes(rects).all()


def test_storage_is_a_share_of_what_was_to_stand(make):
    """A tenth of 40 MW is less than one turbine: all of it is solar, and a quarter of it storage."""
    site, dem = make.site(1500, 1500), make.dem(make.ground(make.level, 1500, 1500))
    plan = generate_layout(
        site, dem, profile="wind_hybrid", target_capacity_kw=40_000, spec={"wind_hybrid": {"wind_share": 0.1}}
    )
    assert sum(a.item.storage_kw for a in plan.asset_list) == 10_000
