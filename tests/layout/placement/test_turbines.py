"""Turbines: spacing along and across the wind, setback by tip height, crane pads on gentle ground."""

from itertools import combinations

import numpy as np
import pytest
from shapely import Point, box

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.turbines import TurbineSpacing, place_turbines
from pacifico.site.model import Zone

ROTOR = 160.0
SETBACK = 1.1 * (110 + 80)


def placed(make, *, size=2600.0, count=None, wind=270.0, height=None, overrides=None, **site):
    spec = make_spec({"wind_turbine": {"wind_from_deg": wind, **(overrides or {})}})
    ground = make.ground(height or make.level, size, size, dx=20.0)
    field, draft = make.field(make.site(size, size, **site), ground, setback_m=10.0), Draft()
    centre = (make.west + size / 2, make.south + size / 2)
    number = place_turbines(field, draft, spec, centre, count, metres_per_degree=40.0)
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


def test_an_exclusion_blocks_the_crane_pad_alone(make):
    """The tip-height setback is the boundary's: a pond 60 m off does not move a turbine."""
    pond = Zone(make.at(1360, 1250, 1400, 1350))
    _, alone = placed(make, count=1)
    _, beside = placed(make, count=1, exclusions=(pond,))
    assert alone.items == beside.items
    over = Zone(make.at(1290, 1290, 1310, 1310))
    _, moved = placed(make, count=1, exclusions=(over,))
    assert not box(*moved.items[0].pad_rect).intersection(over.geometry).area
    assert moved.items != alone.items


def test_the_count_holds_and_the_rest_is_recorded(make):
    _, draft = placed(make, count=2)
    assert len(draft.items) == 2
    assert draft.unplaced == []
    _, draft = placed(make, count=50)
    (unplaced,) = draft.unplaced
    assert unplaced.count == 50 - len(draft.items)
    assert "209 m inside the boundary" in unplaced.reason
    assert "640 x 1120 m" in unplaced.reason


def test_no_turbine_requested_and_no_place(make):
    assert placed(make, count=0)[1].unplaced == []
    _, draft = placed(make, size=400.0, count=3)
    assert draft.items == []
    assert draft.unplaced[0].count == 3


def test_without_a_count_nothing_is_unplaced(make):
    _, draft = placed(make, count=None)
    assert draft.unplaced == []


def test_crane_pads_stand_on_gentle_ground(make):
    field, draft = placed(make, height=lambda x, y: 40 * np.sin(x / 200) * np.cos(y / 260))
    assert draft.items
    rects = np.array([r for i in draft.items for r in (i.rect, i.pad_rect)])
    assert field.sieve(8.0).passes(rects).all()


def test_spacing_by_hand():
    """1.1 x (110 + 80) m from the boundary; 4 x 160 m across the wind and 7 x 160 m along it."""
    spacing = TurbineSpacing.of(make_spec())
    assert (spacing.setback_m, spacing.across_m, spacing.along_m) == pytest.approx((209.0, 640.0, 1120.0))
    # wind from the west: eastings count along it
    points = spacing.in_spacings(np.array([[0.0, 0.0], [1120.0, 0.0], [0.0, 640.0]]))
    assert np.hypot(*(points[1:] - points[0]).T) == pytest.approx([1.0, 1.0])
