"""Whole plants: targets in whole units, nothing overlaps, what is missing is recorded."""

from collections import Counter

import numpy as np
import pytest
import shapely
from fixtures.placement import SPEC
from hypothesis import given, settings
from hypothesis import strategies as st

from pacifico.layout.criteria.capacities import Capacities, requested_capacities
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.rects import touching
from pacifico.layout.placement.place_plant import PlantRequest, draft_layout
from pacifico.layout.search.candidate_order import seed_areas
from pacifico.vocabulary import STRATEGIES

UNIT_KW = 64 * 2.4 * 0.22 / 1.3


def drafted(make, height=None, *, capacities=None, target=None, overrides=None, size=600.0, strategy="balanced"):
    """Context and draft of a plant in the first seed area; by default a solar farm."""
    site, ground = make.site(size, size), make.ground(height or make.level, size, size)
    context = make.context(site, ground, setback_m=10.0, overrides=overrides)
    capacities = capacities or Capacities(solar_kw=target)
    area = seed_areas(context, strategy, capacities.solar_kw, None)[0] if capacities.solar_kw != 0 else None
    return context, draft_layout(context, PlantRequest(capacities, strategy), area)


def of_kind(draft, kind):
    return [i for i in draft.items if i.kind == kind]


def assert_legal(context, draft, rating=4200.0):
    """What holds for every draft of a solar farm."""
    arrays, skids = of_kind(draft, "solar_array"), of_kind(draft, "inverter_skid")
    blocks = [s.block for s in skids]
    assert len(set(blocks)) == len(blocks)
    assert {a.block for a in arrays} == set(blocks)
    for block in blocks:
        assert sum(a.capacity_kw for a in arrays if a.block == block) <= rating + 1e-6
    shapes = np.array([shapely.box(*(i.rect if i.kind == "solar_array" else i.pad_rect)) for i in draft.items])
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T
    overlaps = [(i, j) for i, j in pairs if i < j and shapes[i].intersection(shapes[j]).area > 1e-6]
    assert overlaps == []
    assert shapely.covers(context.field.placeable, shapes).all()
    for item in draft.items:
        assert context.field.sieve(item.slope_limit_deg).by_ground(np.array([item.rect]))[0]


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
@pytest.mark.parametrize("ground", ["level", "rolling"])
@pytest.mark.parametrize("target", [None, 6000.0])
def test_blocks_have_one_skid_each_within_its_rating(make, mounting, ground, target):
    context, draft = drafted(make, getattr(make, ground), target=target, overrides={"solar": {"mounting": mounting}})
    assert_legal(context, draft)
    assert draft.solar_kw() > 4000
    if target:
        assert draft.solar_kw() <= target


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_units_of_any_size_leave_room_for_their_skids(make, mounting, rows):
    """Units narrower than a skid's pad lose as many as the pad needs."""
    overrides = {"solar": {"mounting": mounting, f"{mounting}_unit_rows": rows}}
    context, draft = drafted(make, overrides=overrides, size=400.0)
    assert_legal(context, draft)
    assert draft.solar_kw() > 1000


def test_a_small_skid_rating_makes_more_blocks(make):
    context, draft = drafted(make, overrides={"inverter_skid": {"rating_kva": 1000.0}})
    assert_legal(context, draft, rating=1000.0)
    assert len(of_kind(draft, "inverter_skid")) >= draft.solar_kw() / 1000


@pytest.mark.parametrize("target", [500.0, 2000.0, 5000.0, 8000.0, 11_000.0])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_target_on_gentle_ground_is_met_within_a_unit(make, target, strategy):
    context, draft = drafted(make, target=target, strategy=strategy)
    assert_legal(context, draft)
    assert target - UNIT_KW < draft.solar_kw() <= target
    assert draft.unplaced == []


@settings(max_examples=8, deadline=None)
@given(st.floats(1000, 12_000))
def test_any_target_is_met_in_whole_units(make, target):
    context, draft = drafted(make, make.rolling, target=target)
    assert_legal(context, draft)
    assert target - UNIT_KW < draft.solar_kw() <= target
    units = [i.capacity_kw / UNIT_KW for i in of_kind(draft, "solar_array")]
    assert np.allclose(units, np.round(units), atol=1e-4)


def test_capacity_by_hand(make):
    """A row of 64 m x 2.4 m has 33.792 kW DC and 25.994 kW AC; rows stand 2.4 m / 0.35 apart."""
    _, draft = drafted(make)
    full = next(i for i in of_kind(draft, "solar_array") if i.rect[3] - i.rect[1] == pytest.approx(64))
    west, _, east, _ = full.rect
    rows = (east - west - 2.4) / (2.4 / 0.35) + 1
    assert rows == pytest.approx(round(rows))
    assert full.capacity_dc_kw == pytest.approx(33.792 * rows, abs=5e-4)
    assert full.capacity_kw == pytest.approx(33.792 / 1.3 * rows, abs=5e-4)


def test_missing_ground_for_skids_is_recorded(make):
    """7 degrees everywhere: within the limit of arrays, above that of skids."""
    _, draft = drafted(make, lambda x, y: np.tan(np.radians(7.0)) * x)
    assert of_kind(draft, "solar_array") == []
    unplaced = next(u for u in draft.unplaced if u.kind == "solar_array")
    assert "inverter skid" in unplaced.reason
    assert unplaced.count >= 1


def test_a_target_below_one_unit_is_recorded(make):
    _, draft = drafted(make, target=100.0)
    assert draft.solar_kw() == 0
    (unplaced,) = [u for u in draft.unplaced if u.kind == "solar_array"]
    assert "100 kW" in unplaced.reason
    assert "104" in unplaced.reason


def test_low_earthwork_stays_on_level_ground(make):
    """Half the site is level, half slopes at 8 degrees."""
    hill = lambda x, y: np.where(x < 300, 0.0, np.tan(np.radians(8.0)) * (x - 300))  # noqa: E731
    _, draft = drafted(make, hill, target=4000.0, strategy="low_earthwork")
    assert max(i.pad_rect[2] for i in draft.items if i.kind != "solar_array") <= make.west + 300
    assert max(i.rect[2] for i in draft.items) <= make.west + 400


def test_excluded_rectangles_stay_free(make):
    context = make.context(make.site(), make.ground(make.level), setback_m=10.0)
    excluded = np.array([[make.west + 200, make.south, make.west + 400, make.south + 600]])
    area = seed_areas(context, "balanced", 4000.0, None)[0]
    draft = draft_layout(context, PlantRequest(Capacities(solar_kw=4000.0), "balanced"), area, excluded)
    assert draft.solar_kw() > 3000
    assert not touching(np.array([i.rect for i in draft.items]), excluded).any()


def test_a_power_plant_has_all_its_families(make):
    capacities = Capacities(gas_kw=50_000.0, storage_kw=10_000.0, control_center=True)
    _, draft = drafted(make, capacities=capacities, size=800.0)
    assert Counter(i.kind for i in draft.items) == {
        "substation": 1, "control_center": 1, "gas_turbine": 1, "cooling_system": 1, "generator": 1, "battery": 2,
    }  # fmt: skip
    assert draft.unplaced == []


def test_substations_are_sized_by_what_is_placed(make):
    """400 MW requested, on ground for some 12 MW."""
    _, draft = drafted(make, target=400_000.0)
    (station,) = of_kind(draft, "substation")
    placed_kw = sum(i.capacity_kw for i in draft.items)
    assert placed_kw <= station.rating_kva <= 1.25 * 1.08 * placed_kw / 0.95


def test_storage_keeps_its_share_of_what_fits(make):
    """A fifth of the target fits: so does a fifth of the storage."""
    _, draft = drafted(make, capacities=Capacities(solar_kw=60_000.0, storage_kw=60_000.0))
    share = draft.solar_kw() / 60_000.0
    assert len(of_kind(draft, "battery")) * 5000.0 == pytest.approx(share * 60_000.0, abs=0.25 * 60_000.0)
    assert share < 0.5


def test_ground_for_roads_to_turbines_is_asked_for_once_they_stand(make):
    seen = []

    def approaches(items):
        seen.append([i.kind for i in items])
        return np.array([[make.west, make.south, make.west + 50, make.south + 50]])

    context = make.context(make.site(1200, 1200), make.ground(make.level, 1200, 1200, dx=20.0), setback_m=10.0)
    request = PlantRequest(Capacities(wind_kw=5_000.0), "balanced", approaches=approaches)
    draft = draft_layout(context, request, None)
    assert seen[0] == ["substation", "wind_turbine"]
    assert len(draft.excluded) == 1


def test_storage_is_a_share_of_the_target_without_whole_turbines(make):
    """A tenth of 40 MW is less than one turbine: all of it is solar, and a quarter of it storage."""
    overrides = {"wind_hybrid": {"wind_share": 0.1}}
    capacities = requested_capacities("wind_hybrid", 40_000.0, make_spec(overrides))
    _, draft = drafted(make, capacities=capacities, size=1500.0, overrides=overrides)
    assert sum(i.storage_kw for i in draft.items) == 10_000


def test_one_turbine_is_less_than_requested(make):
    _, draft = drafted(make, capacities=Capacities(wind_kw=3_000.0), size=800.0)
    assert of_kind(draft, "wind_turbine") == []
    assert "3,000 kW asked for are less than one unit of 5,000 kW" in draft.unplaced[0].reason
    assert SPEC.number("wind_turbine", "capacity_kw") == 5000.0


def valley(x, y):
    """A level strip as wide as a small substation, beside ground for gensets alone."""
    return np.where(y < 76, 0.0, np.where(y < 500, np.tan(np.radians(6.5)) * (y - 76), 48.3))


@pytest.mark.parametrize("target", [15_000.0, 20_000.0, 40_000.0])
def test_a_plant_is_as_large_as_its_substation(make, target):
    """A higher target never ends without the station, and so with nothing that counts."""
    slope = {"generator": {"slope_limit_deg": 8.0}, "battery": {"slope_limit_deg": 8.0}}
    capacities = requested_capacities("gas_bess", target, make_spec(slope))
    _, draft = drafted(make, valley, capacities=capacities, overrides=slope, size=420.0)
    assert len(of_kind(draft, "substation")) == 1
    built = sum(i.capacity_kw for i in of_kind(draft, "generator"))
    station = of_kind(draft, "substation")[0]
    assert 0 < built <= 0.95 * station.rating_kva + 0.1
    said = [u.reason for u in draft.unplaced if "for a substation of" in u.reason]
    assert bool(said) == (built < target)
