"""Substations: their number, and the cheapest place for road, cable and earthwork."""

import numpy as np
import pytest
from fixtures.placement import SPEC

from pacifico.layout.criteria.strategies import EQUAL_WEIGHTS, SitingWeights
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.siting_cost import PlantPlace
from pacifico.layout.placement.substations import place_substations, smaller_plants_kw, substation_count


@pytest.mark.parametrize(("power_kw", "count"), [(0.0, 1), (100e3, 1), (284.9e3, 1), (285.1e3, 2), (600e3, 3)])
def test_one_substation_for_each_300_mva(power_kw, count):
    """300 MVA are 285 MW at a power factor of 0.95."""
    assert substation_count(SPEC, power_kw) == count


def placed(make, height, weights, *, power_kw=50_000.0):
    context, draft = make.context(make.site(), make.ground(height)), Draft()
    window = (make.west + 400, make.south + 100, make.west + 590, make.south + 500)
    entry = (make.west, make.south + 300)
    place_substations(context, draft, power_kw, PlantPlace(window, NO_RECTS, entry), weights)
    return draft


def test_on_level_ground_it_stands_between_entry_and_plant(make):
    (station,) = placed(make, make.level, EQUAL_WEIGHTS).items
    assert make.west < station.centre[0] < make.west + 500
    assert station.rating_kva == pytest.approx(50_000 / 0.95, abs=0.1)


def test_a_weight_on_earthwork_moves_it_to_level_ground(make):
    """The ground rises by 4 % but for a level bench in the north-west."""
    height = lambda x, y: np.where((x < 250) & (y > 350), 0.0, 0.04 * y)  # noqa: E731
    near = placed(make, height, SitingWeights(1.0, 0.0)).items[0]
    level = placed(make, height, SitingWeights(1.0, 1000.0)).items[0]
    assert level.centre[1] > make.south + 350
    assert near.centre[1] < level.centre[1]


def test_where_no_ground_is_level_it_stands_on_a_graded_bench(make):
    """Ground of 4 degrees everywhere."""
    (station,) = placed(make, lambda x, y: np.tan(np.radians(4.0)) * x, EQUAL_WEIGHTS).items
    assert station.slope_limit_deg == SPEC.number("substation", "bench_slope_limit_deg") == 6.0
    (level,) = placed(make, make.level, EQUAL_WEIGHTS).items
    assert level.slope_limit_deg == 3.0


def test_on_a_narrow_strip_it_is_long_and_narrow(make):
    context, draft = make.context(make.site(600, 42), make.ground(make.level, 600, 42)), Draft()
    window = (make.west + 100, make.south, make.west + 500, make.south + 42)
    place_substations(context, draft, 20_000.0, PlantPlace(window, NO_RECTS, (make.west, make.south)), EQUAL_WEIGHTS)
    (station,) = draft.items
    west, south, east, north = station.rect
    assert (east - west) / (north - south) == pytest.approx(2.0, abs=0.01)
    assert draft.unplaced == []


def test_stations_without_a_place_are_counted(make):
    draft = placed(make, lambda x, y: 0.2 * x, EQUAL_WEIGHTS, power_kw=400_000.0)
    assert draft.items == []
    assert [(u.kind, u.count) for u in draft.unplaced] == [("substation", 2)]


def test_smaller_plants_are_the_same_for_every_power():
    assert smaller_plants_kw(9_000.0) == smaller_plants_kw(10_000.0) == []
    assert smaller_plants_kw(20_000.0) == pytest.approx([19_531.25, 15_625.0, 12_500.0, 10_000.0])
    assert smaller_plants_kw(40_000.0)[-4:] == smaller_plants_kw(20_000.0)
    assert all(kw < 40_000.0 for kw in smaller_plants_kw(40_000.0))
