"""Bill of quantities of a plan: quantities, unit costs and intervals."""

from dataclasses import replace

import numpy as np
import pytest
from shapely import LineString, box

from pacifico.analysis.costs import bill
from pacifico.errors import InputError
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Pad
from pacifico.layout.model.crossings import Crossing
from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane


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


def ends_of(line):
    return line.quantity_low / line.quantity, line.quantity_high / line.quantity


def test_intervals_of_quantities_are_relative_to_them(plan):
    found = plan.bill_of_quantities()
    expected = {
        "clearing": (0.85, 1.25),
        "road_surface": (0.97, 1.03),
        "pad_surface": (0.97, 1.03),
        "mv_trench": (0.97, 1.03),
        "mv_cable": (1.03 / 1.05, 1.12 / 1.05),
        "dc_trunk": (0.7, 1.3),
        "substation": (0.95, 1.2),
    }
    for item, ends in expected.items():
        assert ends_of(line_of(found, item)) == pytest.approx(ends), item


@pytest.mark.parametrize(
    ("p10", "p90", "ends"), [(0.6, 1.7, (0.6, 1.7)), (1.2, 1.5, (1.0, 1.5)), (0.5, 0.9, (0.5, 1.0))]
)
def test_earthwork_has_the_interval_of_the_metrics_about_its_value(plan, p10, p90, ends):
    total = plan.metrics["cut_volume_m3"] + plan.metrics["fill_volume_m3"]
    metrics = {**plan.metrics, "earthwork_p10_p90_m3": [p10 * total, p90 * total]}
    found = bill(replace(plan, metrics=metrics))
    for item in ("cut", "fill", "borrow"):
        assert ends_of(line_of(found, item)) == pytest.approx(ends), item


def test_earthwork_without_a_volume_in_the_metrics_has_no_interval(plan):
    metrics = {**plan.metrics, "cut_volume_m3": 0.0, "fill_volume_m3": 0.0, "earthwork_p10_p90_m3": [0.0, 0.0]}
    assert ends_of(line_of(bill(replace(plan, metrics=metrics)), "cut")) == (1, 1)


def pad(number, west, north, cut_m3, fill_m3):
    x, y = plan_corner()
    outline = box(x + west - 5, y + north - 5, x + west + 5, y + north + 5)
    volumes = {"cut_m3": 0.75 * cut_m3, "fill_m3": 0.75 * fill_m3}
    slopes = {"batter_cut_m3": 0.25 * cut_m3, "batter_fill_m3": 0.25 * fill_m3}
    return Pad(f"P{number:04d}", (), PadPlane(outline, 100.0, 0.0, 0.0, **volumes, **slopes))


def plan_corner():
    """Corner of four squares of 200 m, between which earth is hauled."""
    return 446_000.0, 4_650_000.0


def only(plan, pads=(), roads=(), volumes=(), **metrics):
    """The plan with nothing that moves earth but these."""
    return replace(
        plan, pad_list=tuple(pads), road_list=tuple(roads), road_volumes=tuple(volumes), metrics=plan.metrics | metrics
    )


def test_earth_is_hauled_from_cut_to_fill_in_other_squares_and_the_rest_leaves_the_site(plan):
    pads = [pad(1, 100, 100, 400.0, 0.0), pad(2, 300, 100, 0.0, 220.0)]
    found = bill(only(plan, pads))
    assert (line_of(found, "cut").quantity, line_of(found, "fill").quantity) == (400, 220)
    # 220 m3 of fill need 250 m3 in the bank, which are 312.5 m3 on the lorry
    assert line_of(found, "haul").quantity == pytest.approx(312.5)
    assert line_of(found, "borrow").quantity == pytest.approx(150)
    assert "squares of 200 m" in line_of(found, "haul").basis
    beside = [pads[0], pad(2, 150, 100, 0.0, 220.0)]
    assert "haul" not in {n.item for n in bill(only(plan, beside)).lines}
    assert line_of(bill(only(plan, beside)), "borrow").quantity == pytest.approx(150)


def test_a_road_moves_its_earth_at_its_middle(plan):
    x, y = plan_corner()
    road = replace(
        plan.road_list[0], line=LineString([(x + 10, y + 100, 99), (x + 150, y + 100, 99), (x + 330, y + 100, 99)])
    )
    volumes = CorridorVolumes(0.0, 130.0, 0.0, 90.0, 1.0, 0.0)
    # its middle is in the square of the pad, though its end is in the next
    found = bill(only(plan, [pad(1, 190, 100, 250.0, 0.0)], [road], [volumes]))
    assert "haul" not in {n.item for n in found.lines}
    assert "borrow" not in {n.item for n in found.lines}
    longer = replace(road, line=LineString([(x + 10, y + 100, 99), (x + 150, y + 100, 99), (x + 410, y + 100, 99)]))
    assert line_of(
        bill(only(plan, [pad(1, 190, 100, 250.0, 0.0)], [longer], [volumes])), "haul"
    ).quantity == pytest.approx(312.5)


def test_ground_graded_under_arrays_is_hauled_from_where_they_are(plan):
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    far = [np.array(a.item.centre) for a in (arrays[0], arrays[-1])]
    assert np.hypot(*(far[0] - far[1])) > 300
    two = tuple(a for a in plan.asset_list if a is arrays[0])
    x, y = plan_corner()
    west, north = far[1] - (x, y)
    fill = pad(1, west, north, 0.0, 220.0)
    graded = replace(only(plan, [fill], array_cut_m3=250.0, array_fill_m3=0.0), asset_list=two)
    assert line_of(bill(graded), "haul").quantity == pytest.approx(312.5)
    cut = pad(1, west, north, 250.0, 0.0)
    graded = replace(only(plan, [cut], array_cut_m3=0.0, array_fill_m3=220.0), asset_list=two)
    assert line_of(bill(graded), "haul").quantity == pytest.approx(312.5)
    there = replace(graded, asset_list=(arrays[-1],))
    assert "haul" not in {n.item for n in bill(there).lines}


def test_a_plan_without_pads_and_roads_moves_no_earth(plan):
    items = {n.item for n in bill(only(plan)).lines}
    assert not items & {"cut", "fill", "haul", "borrow", "road_surface", "pad_surface"}


def test_crossings_are_billed_by_type(plan):
    def over(kind, zone_type, length_m):
        return replace(crossing(kind, length_m), zone_type=zone_type)

    crossings = (
        over("bridge", "water", 80), over("bridge", "water", 20), over("ford", "water", 9), over("bore", "road", 30), over("bore", "water", 12),
        *[over("upgrade", "road", 10)] * 2, *[over("upgrade", "railway", 20)] * 3, over("upgrade", "pipeline", 5),
        *[over("upgrade", "line", 40)] * 4, *[over("upgrade", "gap", 3)] * 5,
    )  # fmt: skip
    found = bill(replace(plan, crossing_list=crossings))
    lengths = {"bridge": 100, "ford": 9, "bore": 42}
    counts = {
        "crossing_upgrade": 2, "crossing_railway": 3, "crossing_pipeline": 1, "crossing_line": 4, "crossing_gap": 5,
    }  # fmt: skip
    for item, metres in lengths.items():
        line = line_of(found, item)
        assert (line.quantity, line.unit, *ends_of(line)) == pytest.approx((metres, "m", 0.8, 1.3)), item
    for item, count in counts.items():
        line = line_of(found, item)
        assert (line.quantity, line.unit, *ends_of(line)) == (count, "each", 1, 1), item
    assert "culvert" not in {n.item for n in found.lines}


def test_a_culvert_whose_drained_area_is_not_known_is_one_pipe_of_no_listed_size(plan):
    found = line_of(bill(replace(plan, crossing_list=(crossing("culvert", 8),))), "culvert")
    assert (found.quantity, found.basis) == (8, "length of every culvert times its pipes")


def test_an_array_without_a_skid_in_its_block_has_no_trunk_cable(plan):
    apart = tuple(replace(a, block_id="elsewhere") if a.item.kind == "solar_array" else a for a in plan.asset_list)
    assert "dc_trunk" not in {n.item for n in bill(replace(plan, asset_list=apart)).lines}


def test_cables_and_piles_that_the_metrics_do_not_name_are_none(plan):
    without = {
        k: v for k, v in plan.metrics.items() if k not in ("cable_length_m", "trench_length_m", "pile_count", "steel_t")
    }
    items = {n.item for n in bill(replace(plan, metrics=without, cable_list=())).lines}
    assert not items & {"mv_cable", "mv_trench", "pile_steel"}
    heavier = {**without, "steel_t": 3.0}
    steel = line_of(bill(replace(plan, metrics=heavier)), "pile_steel")
    assert (steel.quantity, *ends_of(steel)) == pytest.approx((3, 0.6, 1.8))
    lighter = {**without, "steel_t": 3.0, "pile_count": 10**6}
    assert "pile_steel" not in {n.item for n in bill(replace(plan, metrics=lighter)).lines}


def test_lines_name_what_they_count_and_their_unit(plan):
    found = plan.bill_of_quantities()
    solar, skids, substation = (line_of(found, i) for i in ("solar_tracker", "inverter_skid", "substation"))
    assert solar.what.endswith(", tracker")
    assert (solar.unit, skids.unit, substation.unit) == ("kWdc", "kVA", "kVA")
    ratings = [a.item.rating_kva for a in plan.asset_list if a.item.kind == "inverter_skid"]
    assert skids.quantity == pytest.approx(sum(ratings))
    assert found.indirect == (0.15, *found.indirect[1:])


def test_the_catalogs_own_unit_cost_given_again_is_the_catalogs(plan):
    value = catalog()["costs"]["road_surface"]["value"]
    assert line_of(bill(plan, spec=make_spec({"costs": {"road_surface": value}})), "road_surface").price == "catalog"
