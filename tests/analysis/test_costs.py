"""Bill of quantities of a plan: quantities, unit costs and intervals."""

from dataclasses import replace

import numpy as np
import pytest
from shapely import LineString

from pacifico.analysis.costs import bill
from pacifico.errors import InputError
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.crossings import Crossing


def waves(x, y):
    return 100.0 + 0.015 * x + 1.5 * np.sin(x / 95.0) * np.cos(y / 115.0)


@pytest.fixture(scope="module")
def plan(make):
    dem = make.dem(make.ground(waves, 900, 900))
    return generate_layout(make.site(900, 900), dem, target_capacity_kw=10_000)


def line_of(found, item):
    (line,) = [n for n in found.lines if n.item == item]
    return line


@pytest.mark.parametrize("item", list(catalog()["costs"]))
def test_every_unit_cost_has_an_interval_a_unit_and_a_year(item):
    entry = catalog()["costs"][item]
    assert entry["low"] < entry["value"] < entry["high"]
    assert entry["unit"]
    assert 2000 <= entry["year"] <= 2100


def test_quantities_are_those_of_the_plan(plan):
    found = plan.bill_of_quantities()
    assert line_of(found, "solar_tracker").quantity == pytest.approx(plan.metrics["total_capacity_dc_kw"], abs=0.01)
    assert line_of(found, "mv_trench").quantity == plan.metrics["trench_length_m"]
    assert line_of(found, "mv_cable").quantity == pytest.approx(1.05 * plan.metrics["cable_length_m"])
    assert line_of(found, "road_surface").quantity == pytest.approx(6.1 * plan.metrics["road_length_m"], abs=0.1)
    assert line_of(found, "fence").quantity == pytest.approx(plan.fences["length_m"].sum(), abs=0.05)
    assert line_of(found, "pad_surface").quantity == pytest.approx(sum(p.plane.polygon.area for p in plan.pad_list))
    m = plan.metrics
    assert line_of(found, "cut").quantity == pytest.approx(m["cut_volume_m3"], abs=0.2)
    assert line_of(found, "fill").quantity == pytest.approx(m["fill_volume_m3"], abs=0.2)
    assert {n.tag for n in found.lines} == {"measured", "derived"}
    assert "wind_turbine" not in {n.item for n in found.lines}


def test_borrow_is_the_difference_after_shrinkage(plan):
    found = plan.bill_of_quantities()
    cut, fill = line_of(found, "cut").quantity, line_of(found, "fill").quantity
    outside = line_of(found, "borrow").quantity
    assert outside == pytest.approx(abs(cut - fill / 0.88), rel=1e-6, abs=1e-3)


def test_the_interval_of_earthwork_holds_the_error_of_the_elevation(plan):
    cut = line_of(plan.bill_of_quantities(), "cut")
    m = plan.metrics
    high = m["earthwork_p10_p90_m3"][1] / (m["cut_volume_m3"] + m["fill_volume_m3"])
    assert cut.quantity_high / cut.quantity == pytest.approx(max(high, 1.0))


def test_independent_lines_make_the_narrower_interval(plan):
    found = plan.bill_of_quantities()
    narrow, wide = found.independent, found.correlated
    assert wide[0] < narrow[0] < found.total < narrow[1] < wide[1]
    assert found.total == pytest.approx(1.15 * sum(n.cost for n in found.lines))


def test_a_given_unit_cost_keeps_the_relative_interval_and_is_marked(plan):
    found = bill(plan, spec=make_spec({"costs": {"road_surface": 50.0}}))
    road, before = line_of(found, "road_surface"), line_of(plan.bill_of_quantities(), "road_surface")
    assert (road.unit_cost, road.price, before.price) == (50.0, "given", "catalog")
    assert road.unit_cost_high / road.unit_cost == pytest.approx(before.unit_cost_high / before.unit_cost)
    assert road.cost == pytest.approx(2 * before.cost)


def test_a_unit_cost_of_zero_costs_nothing(plan):
    fence = line_of(bill(plan, spec=make_spec({"costs": {"fence": 0}})), "fence")
    assert (fence.cost, fence.cost_low, fence.cost_high) == (0, 0, 0)


def test_unknown_or_negative_unit_costs_are_refused():
    with pytest.raises(InputError, match=r"unknown rule costs\.roads"):
        make_spec({"costs": {"roads": 3.0}})
    with pytest.raises(InputError, match=r"costs.fence = -1"):
        make_spec({"costs": {"fence": -1.0}})


def test_fixed_tilt_has_its_own_unit_cost(make):
    dem = make.dem(make.ground(make.level, 500, 500))
    fixed = generate_layout(make.site(500, 500), dem, target_capacity_kw=3000, spec={"solar": {"mounting": "fixed"}})
    items = {n.item for n in fixed.bill_of_quantities().lines}
    assert "solar_fixed" in items
    assert "solar_tracker" not in items


def test_wind_and_gas_have_their_own_lines(make):
    dem = make.dem(make.ground(make.level, 1200, 1200))
    for profile, target, items in (
        ("wind_hybrid", 20_000, {"wind_turbine"}),
        ("gas_bess", 60_000, {"gas_turbine", "generator", "cooling_system", "control_center"}),
    ):
        found = generate_layout(make.site(1200, 1200), dem, profile=profile, target_capacity_kw=target)
        priced = found.bill_of_quantities()
        assert items <= {n.item for n in priced.lines}
        if profile == "gas_bess":
            assert line_of(priced, "battery").quantity == found.metrics["storage_kwh"]


def test_large_sites_are_balanced_between_larger_squares(make, plan, monkeypatch):
    from pacifico.analysis import costs

    small = plan.bill_of_quantities()
    monkeypatch.setattr(costs, "MAX_SQUARES", 4)
    large = plan.bill_of_quantities()
    sizes = {float(n.basis.split("squares of ")[1].split(" m")[0]) for n in large.lines if "squares of" in n.basis}
    assert sizes <= {400.0, 800.0, 1600.0}
    for item in ("cut", "fill", "borrow"):
        assert line_of(large, item).quantity == pytest.approx(line_of(small, item).quantity)


def test_ground_is_cleared_under_works_and_four_metres_wide_for_trenches_away_from_roads(plan):
    def cleared(away):
        cables = tuple(replace(c, in_road_trench=not away) for c in plan.cable_list)
        return line_of(bill(replace(plan, cable_list=cables)), "clearing").quantity

    works = (
        sum(a.footprint.area for a in plan.asset_list if a.item.kind == "solar_array")
        + sum(p.plane.polygon.area for p in plan.pad_list)
        + sum((r.width_m + 2.0) * r.length_m for r in plan.road_list)
    )
    trench = min(sum(c.length_m for c in plan.cable_list), plan.metrics["trench_length_m"])
    assert trench > 100
    assert cleared(away=False) == pytest.approx(works)
    assert cleared(away=True) == pytest.approx(works + 4.0 * trench)


def test_cable_is_longer_than_its_route_by_its_slack(plan):
    cable = line_of(plan.bill_of_quantities(), "mv_cable")
    assert cable.quantity_low == pytest.approx(1.03 * plan.metrics["cable_length_m"])
    assert cable.quantity_high == pytest.approx(1.12 * plan.metrics["cable_length_m"])


def test_trunk_cable_runs_along_both_axes_from_each_array_to_the_skid_of_its_block(plan):
    skids = {a.block_id: a.item.centre for a in plan.asset_list if a.item.kind == "inverter_skid"}
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array" and a.block_id in skids]
    length = sum(
        np.ceil(a.item.capacity_dc_kw / 250.0) * np.abs(np.subtract(a.item.centre, skids[a.block_id])).sum()
        for a in arrays
    )
    assert len(arrays) > 1
    assert line_of(plan.bill_of_quantities(), "dc_trunk").quantity == pytest.approx(length)


def crossing(kind, length_m, drained_ha=None):
    return Crossing("X", kind, "R001", "creek", "water", LineString([(0, 0), (length_m, 0)]), drained_ha)


def test_culverts_are_billed_by_length_and_pipes_and_fords_by_length(plan):
    water = (crossing("culvert", 10, 5.0), crossing("culvert", 12, 150.0), crossing("culvert", 8), crossing("ford", 7))
    found = bill(replace(plan, crossing_list=water))
    culvert = line_of(found, "culvert")
    # by the rational method 150 ha give 10.9 m3/s, and a pipe of 1.5 m carries 4.1 m3/s under inlet control
    assert culvert.quantity == 10 * 1 + 12 * 3 + 8 * 1
    assert "by drained area: 1 of 1 x" in culvert.basis
    assert "1 of 3 x 1.5 m" in culvert.basis
    assert line_of(found, "ford").quantity == 7
    assert (culvert.quantity_low, culvert.quantity_high) == pytest.approx((0.8 * 54, 1.3 * 54))


def test_ground_graded_under_arrays_is_billed_with_the_rest(plan):
    graded = {**plan.metrics, "array_cut_m3": 600.0, "array_fill_m3": 250.0}
    with_arrays, without = bill(replace(plan, metrics=graded)), plan.bill_of_quantities()
    assert line_of(with_arrays, "cut").quantity - line_of(without, "cut").quantity == pytest.approx(600)
    assert line_of(with_arrays, "fill").quantity - line_of(without, "fill").quantity == pytest.approx(250)


def test_steel_is_billed_beyond_the_shortest_piles(plan):
    assert "pile_steel" not in {n.item for n in plan.bill_of_quantities().lines}
    criteria = racking_criteria(plan.spec)
    short_t = 1000 * criteria.shortest_pile_m * criteria.pile_kg_per_m / 1000
    piles = {**plan.metrics, "pile_count": 1000, "steel_t": short_t + 12.0}
    assert line_of(bill(replace(plan, metrics=piles)), "pile_steel").quantity == pytest.approx(12)


def test_areas_and_lengths_in_plan_are_known_to_three_percent(plan):
    surface = line_of(plan.bill_of_quantities(), "road_surface")
    assert (surface.quantity_low, surface.quantity_high) == pytest.approx(
        (0.97 * surface.quantity, 1.03 * surface.quantity)
    )
    fence = line_of(plan.bill_of_quantities(), "fence")
    assert (fence.quantity_low, fence.quantity_high) == pytest.approx((0.95 * fence.quantity, 1.15 * fence.quantity))


def test_ratings_and_counts_are_exact(plan):
    for item in ("solar_tracker", "inverter_skid"):
        line = line_of(plan.bill_of_quantities(), item)
        assert line.quantity_low == line.quantity == line.quantity_high
