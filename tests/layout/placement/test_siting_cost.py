"""Siting cost of substations: each part by hand, and the effect of cable prices on a layout."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.layout.criteria.strategies import EQUAL_WEIGHTS, SitingWeights
from pacifico.layout.generate import generate_layout
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.ground.site_access import site_access
from pacifico.layout.placement.siting_cost import (
    CABLE_SHARE,
    PlantPlace,
    Prices,
    edge_distance,
    pad_earth_m3,
    siting_cost,
    siting_prices,
)

ROAD, CABLE, EARTH = Prices(1.0, 0.0, 0.0), Prices(0.0, 1.0, 0.0), Prices(0.0, 0.0, 1.0)


def field_of(make, height=None, size=600.0):
    return make.field(make.site(size, size), make.ground(height or make.level, size, size))


def place_of(make, field, *, lanes=NO_RECTS, entry=None):
    """Plant in the eastern half of the site."""
    window = (make.west + 300, make.south + 100, make.west + 500, make.south + 500)
    return PlantPlace(window, lanes, entry or distance_of(field))


def distance_of(field):
    return edge_distance(field.outline, site_access(field, make_spec()))


def square(make, x, y, side=20.0):
    return np.array([[make.west + x, make.south + y, make.west + x + side, make.south + y + side]])


def test_road_leads_from_the_entry_to_the_lanes(make):
    """40 m from the block's eastern side to the lane, 300 m from its middle to the entry."""
    field = field_of(make)
    lane = np.array([[make.west + 360, make.south + 100, make.west + 360, make.south + 500]])
    spot, entry = square(make, 300, 290), (make.west + 10, make.south + 300)
    assert_allclose(siting_cost(field, spot, place_of(make, field, lanes=lane, entry=entry), ROAD), [40.0 + 300.0])


def test_without_an_entry_road_leads_to_the_nearest_edge(make):
    field = field_of(make)
    spot = square(make, 140, 290)
    assert_allclose(siting_cost(field, spot, place_of(make, field), ROAD), [140.0 + 150.0], atol=1e-6)


def test_cables_come_from_the_centre_of_the_plant(make):
    field = field_of(make)
    assert_allclose(siting_cost(field, square(make, 90, 290), place_of(make, field), CABLE), [300.0])


@pytest.mark.parametrize(("slope", "side"), [(0.0, 20.0), (0.02, 20.0), (0.05, 20.0), (0.08, 40.0)])
def test_earthwork_on_a_plane_is_the_tilt_beyond_the_drainage_grade(make, slope, side):
    """A wedge of grade g - 2 % over side x side holds (g - 2 %) x side / 4 x side² of cut and fill; the samples find 24/25."""
    field = field_of(make, lambda x, y: slope * x)
    expected = max(slope - 0.02, 0.0) * side / 4 * side**2
    assert_allclose(pad_earth_m3(field, square(make, 200, 200, side)), [0.96 * expected], rtol=1e-6, atol=1e-6)


def test_ground_without_heights_is_no_place(make):
    ground = make.ground(make.level)
    ground.z[:30] = np.nan
    field = make.field(make.site(), ground)
    assert pad_earth_m3(field, square(make, 300, 500))[0] > 1e6
    assert siting_cost(field, square(make, 300, 500), place_of(make, field), EARTH)[0] > 1e6


def test_edge_distance_is_zero_at_the_edge_and_half_the_width_inside(make):
    field = field_of(make)
    x, y = make.west + np.array([0.0, 300.0]), make.south + np.array([300.0, 300.0])
    assert_allclose(distance_of(field).at(x, y), [0.0, 300.0], atol=1e-9)


def test_prices_are_those_of_the_bill_of_quantities():
    """25 USD/m2 on 6.1 m; 120 USD a metre of feeder, 45 of the trench they share; cut at 6 and fill at 8 USD/m3."""
    small, large = (siting_prices(make_spec(), mva, EQUAL_WEIGHTS) for mva in (10.0, 4 * 29.87785))
    assert_allclose([small.road, small.cable, small.earth], [152.5, CABLE_SHARE * 165.0, 7.0])
    assert_allclose([large.road, large.cable, large.earth], [152.5, CABLE_SHARE * (4 * 120.0 + 45.0), 7.0], rtol=1e-6)
    twice = siting_prices(make_spec(), 10.0, SitingWeights(2.0, 3.0))
    assert_allclose([twice.road, twice.cable, twice.earth], [305.0, CABLE_SHARE * 165.0, 21.0])


def test_prices_stand_in_one_section():
    """Only [costs] has money; overriding a price there changes where substations stand."""
    priced = {
        s for s, rules in catalog().items() for r in rules.values() if "USD" in str(r.get("unit", "")) + r["source"]
    }
    assert priced == {"costs"}
    own = {"costs": {"road_surface": 50.0, "mv_cable": 240.0, "mv_trench": 0.0, "cut": 10.0, "fill": 20.0}}
    prices = siting_prices(make_spec(own), 10.0, EQUAL_WEIGHTS)
    assert_allclose([prices.road, prices.cable, prices.earth], [305.0, CABLE_SHARE * 240.0, 15.0])


def test_expensive_cables_bring_the_substation_nearer_to_the_plant(make):
    site, dem = make.site(2000.0, 2000.0), make.dem(make.ground(make.level, 2000.0, 2000.0))
    lengths = []
    for costs in ({"mv_cable": 5000.0, "road_surface": 0.0}, {"mv_cable": 0.0, "mv_trench": 0.0}):
        plan = generate_layout(site, dem, target_capacity_kw=15_000, spec={"costs": costs})
        station = next(a.footprint.centroid for a in plan.asset_list if a.item.kind == "substation")
        arrays = [a.footprint.centroid for a in plan.asset_list if a.item.kind == "solar_array"]
        middle = np.mean([(p.x, p.y) for p in arrays], axis=0)
        lengths.append(np.hypot(station.x - middle[0], station.y - middle[1]))
    assert lengths[0] < lengths[1]
