"""Units over the limit on marginal cost are left out, the dearest branch first."""

import numpy as np
import pytest
import shapely
from shapely import Point

from pacifico.layout.economics.civil_costs import CIVIL_ITEMS, civil_works
from pacifico.layout.economics.leave_out import removals_over, why, without_roads
from pacifico.layout.model.roads import RoadCriteria, make_road
from pacifico.layout.placement.skids import block_loads, least_block_kw

LIMITS = (0.0, 300.0, 190.0, 160.0, 50.0)


def kw(plan):
    return plan.metrics["total_capacity_kw"]


def test_a_branch_over_the_limit_is_left_out_with_its_cost(dumbbell):
    limit = LIMITS[2]
    plan, removals = dumbbell.under(limit), removals_over(civil_works(dumbbell.plan), limit)
    assert removals
    assert kw(plan) == pytest.approx(kw(dumbbell.plan) - sum(r.kw for r in removals), abs=0.01)
    given = {u.reason for u in plan.unplaced}
    for removal in removals:
        assert why(removal, limit) in given
    assert why(removals[0], limit) == (
        f"left out: {removals[0].usd_per_kw:,.0f} USD/kW of road, cable and earthwork, over the limit of {limit:,.0f} "
        "USD/kW; raise max_marginal_usd_per_kw"
    )
    left_out = sum(u.count for u in plan.unplaced if u.reason.startswith("left out: "))
    assert left_out == len(dumbbell.plan.asset_list) - len(plan.asset_list)
    assert plan.metrics["served_share"] == dumbbell.plan.metrics["served_share"]


def test_the_bill_falls_by_the_marginal_cost(dumbbell):
    """Cables are routed, haul balanced and skids sized again: the bill may save a little more or less."""

    def civil(plan):
        return sum(line.cost for line in plan.bill_of_quantities().lines if line.item in CIVIL_ITEMS)

    saved = sum(r.usd for r in removals_over(civil_works(dumbbell.plan), 190.0))
    assert civil(dumbbell.plan) - civil(dumbbell.under(190.0)) == pytest.approx(saved, rel=0.05)


def test_a_relaxed_limit_never_lowers_capacity(dumbbell):
    held = [kw(dumbbell.under(limit)) for limit in LIMITS]
    assert held == sorted(held, reverse=True)
    assert held[0] == held[1] > held[2] > held[-1] > 0


def test_a_limit_that_nothing_exceeds_changes_no_feature(dumbbell):
    assert dumbbell.under(300.0).to_geojson()["features"] == dumbbell.plan.to_geojson()["features"]


def test_one_unit_remains_and_the_works_that_it_needs_are_named(dumbbell):
    plan = dumbbell.under(50.0)
    assert len(civil_works(plan).units) == 1
    assert any(w.startswith("what remains costs ") for w in plan.warnings)
    assert not any(w.startswith("what remains costs ") for w in dumbbell.under(190.0).warnings)


def test_no_block_is_left_too_small_for_its_skid(dumbbell):
    for limit in LIMITS[2:]:
        plan = dumbbell.under(limit)
        load = block_loads([a.item for a in plan.asset_list])
        assert len(load) == 1 or min(load.values()) >= least_block_kw(plan.spec)
        for a in plan.asset_list:
            if a.item.kind == "inverter_skid":
                assert load[a.item.block] <= a.item.rating_kva


def test_what_remains_has_its_roads_and_no_long_dead_end(dumbbell, road_faults):
    for limit in LIMITS[2:]:
        plan = dumbbell.under(limit)
        lines = {r.road_id: r.line for r in plan.road_list}
        for asset in plan.asset_list:
            assert lines[asset.service_road_id].distance(asset.footprint) <= 80.0
        whole = shapely.union_all([shapely.force_2d(line) for line in lines.values()])
        assert whole.distance(Point(plan.entry)) < 1e-6
        faults = road_faults(plan.to_geojson())
        assert len(faults.bends) == 0
        assert faults.dead_ends <= road_faults(dumbbell.plan.to_geojson()).dead_ends


def test_a_missed_target_names_the_limit(dumbbell):
    plan = dumbbell.under(160.0, 12_000.0)
    assert "raise max_marginal_usd_per_kw" in plan.shortfall


def road(name, *xy):
    return make_road(name, "secondary", np.array([(x, y, 0.0) for x, y in xy], dtype=float), 6.1)


TRUNK = road("R001", (0, 0), (0, 60))
WEST, EAST = road("R002", (0, 60), (-20, 60), (-80, 60)), road("R003", (0, 60), (20, 60), (80, 60))


def test_both_arms_of_a_junction_stay_at_a_new_dead_end():
    left = without_roads([TRUNK, WEST, EAST], {"R002", "R003"}, RoadCriteria(), (0.0, 0.0))
    assert [(r.road_id, r.length_m) for r in left] == [("R001", 60.0), ("R002", 20.0), ("R003", 20.0)]


def test_a_stub_stays_where_roads_would_meet_in_a_bend():
    left = without_roads([TRUNK, WEST, EAST], {"R003"}, RoadCriteria(), (0.0, 0.0))
    assert [(r.road_id, r.length_m) for r in left] == [("R001", 60.0), ("R002", 80.0), ("R003", 20.0)]


@pytest.mark.parametrize(("longest_m", "lengths_m"), [(100.0, [60.0, 40.0]), (45.0, [60.0, 40.0, 20.0])])
def test_a_branch_off_a_straight_road_leaves_a_place_to_turn_where_the_dead_end_is_too_long(longest_m, lengths_m):
    on = road("R002", (0, 60), (0, 100))  # without the branch the dead end is 100 m long
    left = without_roads([TRUNK, on, EAST], {"R003"}, RoadCriteria(turnaround_over_m=longest_m), (0.0, 0.0))
    assert [r.length_m for r in left] == lengths_m


def test_a_branch_from_the_west_is_cut_at_its_own_end():
    towards = road("R003", (80, 60), (20, 60), (0, 60))
    left = without_roads([TRUNK, WEST, towards], {"R003"}, RoadCriteria(), (0.0, 0.0))
    assert left[2].line.coords[0][:2] == (0.0, 60.0)
