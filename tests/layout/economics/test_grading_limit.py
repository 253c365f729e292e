"""Arrays whose grading costs more than a limit are left out, and a higher limit never loses capacity."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.layout.add_racking import add_racking
from pacifico.layout.economics.grading_limit import arrays_kept, grading_usd_per_kw, why
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.skids import block_loads, least_block_kw

LIMITS = (0.0, 1000.0, 10.0, 1.0)


@pytest.fixture(scope="module")
def field(make):
    """Level site whose east is in waves, its plan, and layouts under limits."""
    site = make.site(640, 320)
    dem = make.dem(make.ground(lambda x, y: 100 + np.maximum(x - 250, 0) / 220 * np.cos(y / 17.0), 640, 320))

    @cache
    def under(limit, target_kw=None):
        spec = {"economics": {"max_grading_usd_per_kw": limit}}
        return generate_layout(site, dem, spec=spec, target_capacity_kw=target_kw)

    return SimpleNamespace(dem=dem, under=under, plan=add_racking(under(0.0), dem))


def kw(plan):
    return plan.metrics["total_capacity_kw"]


def test_costs_of_arrays_add_up_to_the_bill(field):
    cost = grading_usd_per_kw(field.plan, field.plan.racking)
    usd = float(cost @ [a.item.capacity_kw for a in field.plan.asset_list])
    price = {part: field.plan.spec.number("costs", part) for part in ("cut", "fill")}
    assert usd == pytest.approx(sum(price[p] * field.plan.metrics[f"array_{p}_m3"] for p in price), rel=1e-3)
    assert usd > 0
    assert all(c == 0.0 for c, a in zip(cost, field.plan.asset_list, strict=True) if a.item.kind != "solar_array")


def test_arrays_over_the_limit_are_left_out_with_their_cost(field):
    limit = LIMITS[2]
    plan, cost = field.under(limit), grading_usd_per_kw(field.plan, field.plan.racking)
    over = cost > limit
    assert 0 < over.sum() < len(cost)
    assert why(cost[over], limit) in {u.reason for u in plan.unplaced}
    left_out = sum(u.count for u in plan.unplaced if u.reason.startswith("left out: "))
    assert left_out == len(field.plan.asset_list) - len(plan.asset_list)
    before, after = field.plan.metrics, add_racking(plan, field.dem).metrics
    assert after["array_cut_m3"] + after["array_fill_m3"] < 0.5 * (before["array_cut_m3"] + before["array_fill_m3"])


def test_a_larger_limit_never_loses_capacity(field):
    held = [kw(field.under(limit)) for limit in LIMITS]
    assert held == sorted(held, reverse=True)
    assert held[0] == held[1] > held[2] > held[3] > 0


def test_the_bill_follows(field):
    """What is left out costs no longer."""
    before, after = (field.under(limit).bill_of_quantities() for limit in (0.0, LIMITS[3]))
    assert after.total < before.total


def test_no_block_is_left_too_small_for_its_skid(field):
    for limit in LIMITS[2:]:
        plan = field.under(limit)
        load = block_loads([a.item for a in plan.asset_list])
        assert len(load) == 1 or min(load.values()) >= least_block_kw(plan.spec)
        assert {a.item.block for a in plan.asset_list if a.item.kind == "inverter_skid"} == set(load)


def test_a_missed_target_names_the_limit(field):
    plan = field.under(LIMITS[3], 0.95 * kw(field.plan))
    assert "raise max_grading_usd_per_kw" in plan.shortfall


def test_one_array_remains_where_all_cost_more(make):
    dem = make.dem(make.ground(lambda x, y: 100 + 2.0 * np.cos(y / 17.0) + 0.0 * x, 300, 250))
    plan = generate_layout(make.site(300, 250), dem, spec={"economics": {"max_grading_usd_per_kw": 1e-3}})
    assert [a.item.kind for a in plan.asset_list].count("solar_array") == 1
    assert any(w.startswith("what remains costs ") for w in plan.warnings)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 9)), min_size=1), st.integers(0, 9))
def test_capacity_grows_with_the_limit(arrays, limit):
    items = [Item("solar_array", (0, 0, 1, 1), 10.0, block=b, capacity_kw=100.0 * n) for b, n, _ in arrays]
    cost = np.array([float(c) for _, _, c in arrays])
    held = [sum(i.capacity_kw for i, k in zip(items, arrays_kept(items, cost, m, 700.0), strict=True) if k)
            for m in (limit, limit + 1)]  # fmt: skip
    assert 0 < held[0] <= held[1]
