"""Arrays and skids: ratings held, nothing overlaps, targets met in whole units."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.place_plant import draft_layout
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import add_solar, choose_arrays, solar_grounds
from pacifico.layout.search.candidate_order import candidate_areas

UNIT_KW = 4 * 64 * 2.4 * 0.22 / 1.3


def drafted(make, height=None, *, target=None, overrides=None, size=600.0, strategy="balanced", **site):
    rules = make_spec(overrides)
    field = make.field(make.site(size, size, **site), make.ground(height or make.level, size, size), setback_m=10.0)
    asked = requested_capacities("solar_farm", target, rules)
    area = candidate_areas(field, rules, asked, strategy, None)[0]
    return field, draft_layout(field, rules, asked, strategy, None, np.empty((0, 4)), area)


def check(field, draft, rating=4200.0):
    """What holds for every draft of a solar farm."""
    arrays = [i for i in draft.items if i.kind == "solar_array"]
    skids = [i for i in draft.items if i.kind == "inverter_skid"]
    blocks = [s.block for s in skids]
    assert len(set(blocks)) == len(blocks)
    assert {a.block for a in arrays} == set(blocks)
    for block in blocks:
        assert sum(a.capacity_kw for a in arrays if a.block == block) <= rating + 1e-6
    shapes = np.array([shapely.box(*(i.rect if i.kind == "solar_array" else i.pad_rect)) for i in draft.items])
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T
    overlaps = [(i, j) for i, j in pairs if i < j and shapes[i].intersection(shapes[j]).area > 1e-6]
    assert overlaps == []
    assert shapely.covers(field.placeable, shapes).all()
    for item in draft.items:
        assert field.sieve(item.slope_limit_deg).by_ground(np.array([item.rect]))[0]


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
@pytest.mark.parametrize("ground", ["level", "rolling"])
@pytest.mark.parametrize("target", [None, 6000.0])
def test_blocks_have_one_skid_each_within_its_rating(make, mounting, ground, target):
    field, draft = drafted(make, getattr(make, ground), target=target, overrides={"solar": {"mounting": mounting}})
    check(field, draft)
    assert draft.solar_kw() > 4000
    if target:
        assert draft.solar_kw() <= target


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_units_of_any_size_leave_room_for_their_skids(make, mounting, rows):
    """A unit narrower than a skid's pad gives up as many as the pad needs."""
    field, draft = drafted(make, overrides={"solar": {"mounting": mounting, f"{mounting}_unit_rows": rows}}, size=400.0)
    check(field, draft)
    assert draft.solar_kw() > 1000


def test_a_small_skid_rating_makes_more_blocks(make):
    field, draft = drafted(make, overrides={"inverter_skid": {"rating_kva": 1000.0}})
    check(field, draft, rating=1000.0)
    assert sum(i.kind == "inverter_skid" for i in draft.items) >= draft.solar_kw() / 1000


@pytest.mark.parametrize("target", [500.0, 2000.0, 5000.0, 8000.0, 11_000.0])
@pytest.mark.parametrize("strategy", ["balanced", "density", "low_earthwork", "clustered"])
def test_a_target_on_good_ground_is_met_within_a_unit(make, target, strategy):
    field, draft = drafted(make, target=target, strategy=strategy)
    check(field, draft)
    assert target - UNIT_KW < draft.solar_kw() <= target
    assert draft.unplaced == []


@settings(max_examples=8, deadline=None)
@given(st.floats(1000, 12_000))
def test_any_target_is_met_in_whole_units(make, target):
    field, draft = drafted(make, make.rolling, target=target)
    check(field, draft)
    assert target - UNIT_KW < draft.solar_kw() <= target
    units = [i.capacity_kw / UNIT_KW for i in draft.items if i.kind == "solar_array"]
    assert np.allclose(units, np.round(units), atol=1e-5)


def test_capacity_by_hand(make):
    """An array of four units of 4 rows of 64 m x 2.4 m: 540.672 kW DC, 415.902 kW AC, 105.257 m long."""
    _, draft = drafted(make)
    four = [i for i in draft.items if i.kind == "solar_array" and i.capacity_kw > 400]
    assert four
    assert four[0].capacity_dc_kw == pytest.approx(540.672, abs=5e-4)
    assert four[0].capacity_kw == pytest.approx(415.902, abs=5e-4)
    west, south, east, north = four[0].rect
    assert east - west == pytest.approx(4 * 4 * 2.4 / 0.35 - (2.4 / 0.35 - 2.4))
    assert north - south == pytest.approx(64)


def test_no_ground_for_a_skid_is_said_and_counted(make):
    """The ground is under the arrays' limit and over the skid's everywhere."""
    _, draft = drafted(make, lambda x, y: np.tan(np.radians(7.0)) * x)
    assert [i.kind for i in draft.items if i.kind == "solar_array"] == []
    assert {u.kind for u in draft.unplaced} >= {"solar_array"}
    said = next(u for u in draft.unplaced if u.kind == "solar_array")
    assert "inverter skid" in said.reason
    assert said.count >= 1


def test_a_target_under_one_unit_is_said_as_it_is(make):
    _, draft = drafted(make, target=100.0)
    assert draft.solar_kw() == 0
    (said,) = [u for u in draft.unplaced if u.kind == "solar_array"]
    assert "100 kW" in said.reason
    assert "104" in said.reason


def test_cheapest_ground_comes_first(make):
    """Half the site is level, half slopes at 8 degrees; low earthwork stays on the level half."""
    hill = lambda x, y: np.where(x < 300, 0.0, np.tan(np.radians(8.0)) * (x - 300))  # noqa: E731
    _, draft = drafted(make, hill, target=4000.0, strategy="low_earthwork")
    assert max(i.pad_rect[2] for i in draft.items if i.kind != "solar_array") <= make.west + 300
    assert max(i.rect[2] for i in draft.items) <= make.west + 400


def test_arrays_keep_clear_of_what_stands(make):
    rules = make_spec()
    field = make.field(make.site(), make.ground(make.level))
    draft = Draft()
    place_near(field, draft, asset_type(rules, "control_center"), (make.west + 300, make.south + 300))
    (ground, _) = solar_grounds(field, rules)
    seed_area = SeedArea("quads", field.placeable.bounds, (make.west + 300, make.south + 300))
    runs = choose_arrays(field, ground, draft, seed_area, None)
    add_solar(field, rules, ground, draft, runs, None, seed_area=seed_area)
    check(field, draft)
    centre = shapely.box(*draft.items[0].rect)
    assert min(centre.distance(shapely.box(*i.rect)) for i in draft.items if i.kind == "solar_array") >= 14.0
