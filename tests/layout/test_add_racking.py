"""A plan with racking: totals hold the ground under arrays, and go back with an edit."""

from dataclasses import replace

import numpy as np
import pytest

import pacifico
from pacifico.layout.add_racking import NOT_GRADABLE, add_racking, leave_out_arrays
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.editing.editor import Editor
from pacifico.layout.editing.reopen import read_plan
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.racking import RACKING_METRICS, RACKING_WARNING
from pacifico.layout.racking.design import design_racking


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.6 * np.sin(x / 31.0) * np.cos(y / 17.0)))


@pytest.fixture(scope="module")
def bare(make, dem):
    return generate_layout(make.site(), dem, target_capacity_kw=3000)


@pytest.fixture(scope="module")
def plan(bare, dem):
    return add_racking(bare, dem)


def test_totals_are_the_sum_of_their_parts(bare, plan):
    m = plan.metrics
    assert m["array_cut_m3"] + m["array_fill_m3"] > 10
    for part in ("cut", "fill"):
        parts = sum(m[f"{k}_{part}_m3"] for k in ("pad", "road", "batter", "array"))
        assert m[f"{part}_volume_m3"] == pytest.approx(parts, abs=0.5)
        assert m[f"pad_{part}_m3"] == bare.metrics[f"pad_{part}_m3"]
    assert m["net_earthwork_m3"] == pytest.approx(m["cut_volume_m3"] - m["fill_volume_m3"], abs=0.15)
    low, high = m["earthwork_p10_p90_m3"]
    assert low <= m["cut_volume_m3"] + m["fill_volume_m3"] <= high


def test_assets_and_roads_stay_as_they_are(bare, plan):
    assert plan.to_geojson()["features"] == bare.to_geojson()["features"]


def test_the_bill_prices_the_ground_under_arrays_and_longer_piles(bare, plan):
    before, after = ({n.item: n for n in p.bill_of_quantities().lines} for p in (bare, plan))
    for part in ("cut", "fill"):
        more = after[part].quantity - before[part].quantity
        assert more == pytest.approx(plan.metrics[f"array_{part}_m3"], abs=0.2)
    assert "pile_steel" not in before
    shortest = plan.metrics["pile_count"] * 3.3 * 13.4 / 1000
    assert after["pile_steel"].quantity == pytest.approx(plan.metrics["steel_t"] - shortest, abs=0.01)


def test_the_raster_holds_the_volume_of_graded_cells(bare, plan, dem):
    """Pads and roads lie elsewhere: what the raster has more than before is fill less cut under arrays."""
    fine, plain = (np.nan_to_num(p.cut_fill(dem).values.astype(float)) for p in (plan, bare))
    graded = np.abs(fine - plain) > 1e-6
    assert graded.any()
    x, y = np.meshgrid(dem.x.values, dem.y.values)
    for cells in plan.racking.graded:
        near = np.array([np.hypot(cells.x - a, cells.y - b).min() for a, b in zip(x[graded], y[graded], strict=True)])
        assert near.max() <= 10.0


def test_an_edit_takes_the_design_away(plan, dem):
    editor = Editor(plan, dem)
    editor.remove(next(a.asset_id for a in plan.asset_list if a.item.kind == "solar_array"))
    edited = editor.plan
    assert edited.racking is None
    assert not set(RACKING_METRICS) & set(edited.metrics)
    assert not any(w.startswith(RACKING_WARNING) for w in edited.warnings)
    again = add_racking(edited, dem)
    assert again.metrics["pile_count"] < plan.metrics["pile_count"]


def test_a_plan_is_read_back_with_its_totals(plan, dem, tmp_path):
    back = read_plan(plan.write(tmp_path / "layout.geojson"), dem=dem)
    assert back.metrics == plan.metrics
    assert back.warnings == plan.warnings
    assert back.racking is None
    assert add_racking(back, dem).metrics["pile_count"] == plan.metrics["pile_count"]
    assert sum(w.startswith(RACKING_WARNING) for w in add_racking(back, dem).warnings) == 1


def test_a_plan_without_arrays_stays_as_it_is(make, dem):
    plan = generate_layout(make.site(), dem, profile="bess", target_capacity_kw=10_000)
    assert pacifico.add_racking(plan, dem) is plan


def test_arrays_that_can_not_be_graded_are_left_out_with_their_reason(make):
    """Ground at 7 %, to be graded to 2 % across rows: side slopes don't end before roads and boundary everywhere."""
    rules = {"racking": {"graded_slope_factor": 4.0}, "straight_tracker": {"max_slope_across_pct": 2.0}}
    dem = make.dem(make.ground(lambda x, y: 100 + 0.07 * x))
    before = generate_layout(make.site(), dem, target_capacity_kw=3000, spec=rules)
    beyond = design_racking(before, dem).arrays_beyond
    plan = add_racking(before, dem)
    ids = {a.asset_id for a in plan.asset_list}
    out = [a for a in before.asset_list if a.asset_id not in ids]
    assert beyond
    assert set(beyond) <= {a.asset_id for a in out}
    assert any(a.item.kind == "solar_array" for a in plan.asset_list)
    assert plan.metrics["arrays_over_racking_limits"] == plan.metrics["piles_outside_window"] == 0
    reason = NOT_GRADABLE.format(racking="straight_tracker")
    assert sum(u.count for u in plan.unplaced if u.reason == reason) == len(out)
    assert reason in plan.shortfall
    assert plan.warnings.count(plan.shortfall) == 1
    assert plan.edits == ()
    assert plan.metrics["total_capacity_kw"] == pytest.approx(
        before.metrics["total_capacity_kw"] - sum(a.item.capacity_kw for a in out), abs=0.1
    )
    assert {a.service_road_id for a in plan.asset_list} <= {r.road_id for r in plan.road_list}


def test_an_edited_plan_keeps_its_arrays(bare, dem):
    editor = Editor(bare, dem)
    array = next(a.asset_id for a in bare.asset_list if a.item.kind == "solar_array")
    editor.remove(array)
    strict = replace(editor.plan, spec=make_spec({"straight_tracker": {"max_row_step_m": 0.1}}))
    plan = add_racking(strict, dem)
    assert len(plan.asset_list) == len(editor.plan.asset_list)
    assert plan.metrics["arrays_over_racking_limits"] == len(plan.racking.arrays_over)


def test_skids_go_with_the_last_of_their_arrays(bare, dem):
    """All arrays of the first block, as if none could be graded."""
    plan = add_racking(bare, dem)
    blocks = sorted({a.item.block for a in plan.asset_list if a.item.kind == "solar_array"})
    names = tuple(a.asset_id for a in plan.asset_list if a.item.kind == "solar_array" and a.item.block == blocks[0])
    if len(blocks) == 1:
        names = names[:-1]
    left = leave_out_arrays(plan, replace(plan.racking, arrays_over=names), dem)
    kinds = [a.item.kind for a in left.asset_list]
    assert kinds.count("inverter_skid") == max(len(blocks) - 1, 1)
    assert not set(names) & {a.asset_id for a in left.asset_list}
