"""Objectives by hand, on a layout, on windows and on yards."""

import numpy as np
import pytest
from fixtures.placement import BATTERY, array_at, item_at, layout_of
from numpy.testing import assert_allclose

from pacifico.layout.criteria.crossings import upgrade_share
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.placement.surroundings import surroundings_ha
from pacifico.layout.search.objectives import (
    DETOUR_PER_M3,
    OBJECTIVES,
    LayoutMeasures,
    WindowMeasures,
    YardMeasures,
    objective_value,
    surroundings_per_kw,
)
from pacifico.site.model import Zone


@pytest.fixture(scope="module")
def measures(make):
    """Two arrays of 104 kW beside 300 m of road, on ground that rises by 5 % to the east."""
    context = make.context(make.site(), make.ground(lambda x, y: 100.0 + 0.05 * x))
    items = [array_at(100, 110), array_at(150, 110)]
    return LayoutMeasures(context, "solar_farm", layout_of(items, [(0, 100), (300, 100)]))


def test_density_is_surroundings_per_capacity(measures):
    assert objective_value(measures, "density") == surroundings_ha(measures.served.items) / 208.0


def test_clustered_is_the_length_of_roads(measures):
    assert objective_value(measures, "clustered") == 300.0


def test_low_earthwork_is_cut_and_fill_of_roads_and_pads_with_side_slopes(make, measures):
    """The road of level 100 m is buried by 0 to 15 m of ground; a pad adds its own."""
    roads_alone = objective_value(measures, "low_earthwork")
    assert roads_alone > 300 * 7.5 * 6.1
    block = item_at(BATTERY, 200, 200)
    criteria = earthwork_criteria(measures.context.spec)
    (pad,) = balanced_pads(measures.context.field.ground, [make.at(199, 199, 231, 221)], criteria=criteria)
    served = layout_of([block], [(0, 100), (300, 100)], pads=[pad])
    with_pad = LayoutMeasures(measures.context, "bess", served)
    assert with_pad.earthwork_m3 - roads_alone == pytest.approx(
        pad.cut_m3 + pad.fill_m3 + pad.batter_cut_m3 + pad.batter_fill_m3
    )
    assert pad.batter_cut_m3 + pad.batter_fill_m3 > 0


def test_balanced_is_a_product_of_all_three(measures):
    value = objective_value(measures, "balanced")
    area, road, earth = measures.surroundings_ha, measures.road_m, measures.earthwork_m3
    assert value == pytest.approx(area * road**0.5 * earth**0.25)


def test_without_capacity_the_density_is_the_worst():
    assert surroundings_per_kw([array_at(0, 0)], "bess") == np.inf


def test_objectives_of_windows():
    m = WindowMeasures(*(np.array([v]) for v in (400.0, 30.0, 20.0, 81.0)))
    values = {s: float(o.window(m)[0]) for s, o in OBJECTIVES.items()}
    assert values["density"] == 400.0
    assert values["low_earthwork"] == 81.0
    assert values["clustered"] == 30.0 + DETOUR_PER_M3 * 20.0
    assert values["balanced"] == pytest.approx(20.0 * 30.0 * 3.0)


def test_objectives_of_yards():
    m = YardMeasures(*(np.array([v]) for v in (50.0, 100.0, 16.0)))
    values = {s: float(o.yard(m)[0]) for s, o in OBJECTIVES.items()}
    assert values == pytest.approx(
        {"density": 50.0, "low_earthwork": 16.0 * 150.0, "clustered": 150.0, "balanced": 50.0 * 10.0 * 2.0}
    )


def test_lower_is_better_for_every_objective():
    small, large = (YardMeasures(*(np.array([v]) for v in (r, r, r))) for r in (1.0, 2.0))
    for objective in OBJECTIVES.values():
        assert_allclose(np.sign(objective.yard(large) - objective.yard(small)), 1.0)


def test_road_on_an_existing_one_counts_at_the_price_of_its_upgrade(make):
    track = Zone(make.at(-50, 90, 150, 110), "track", "road", drivable=True, existing=True)
    context = make.context(make.site(exclusions=(track,)), make.ground(make.level))
    layout = layout_of([array_at(100, 110)], [(0, 100), (400, 100)])
    used_m, share = 150.0 + 6.1 / 2, upgrade_share(context.spec)
    assert share < 0.6
    found = objective_value(LayoutMeasures(context, "solar_farm", layout), "clustered")
    assert found == pytest.approx(400.0 - (1 - share) * used_m, abs=0.2)
