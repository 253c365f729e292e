"""One truth: the headline agrees with bill and metrics, and each value is in its interval."""

import json

import pytest

from pacifico.analysis.costs import bill
from pacifico.analysis.headline import headline, placed_kw, stored_headline
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout

REQUESTS = {
    "met": {"target_capacity_kw": 2000},
    "short": {"target_capacity_kw": 500_000},
    "all": {},
    "storage": {"profile": "bess", "target_capacity_kw": 20_000},
    "hybrid": {"profile": "hybrid", "target_capacity_kw": 5000, "strategy": "low_earthwork"},
}


@pytest.fixture(scope="module", params=REQUESTS)
def plan(request, make):
    ground = make.ground(make.rolling)
    return generate_layout(make.site(), make.dem(ground), **REQUESTS[request.param])


def by_name(answers):
    return {answer.name: answer for answer in answers}


def test_the_headline_is_that_of_the_bill_and_the_metrics(plan):
    found, m, costs = by_name(plan.headline), plan.metrics, bill(plan)
    assert found["capacity"].value == pytest.approx(placed_kw(plan.about))
    assert found["cost"].value == pytest.approx(costs.total, abs=500.0)
    millions = costs.total / 1e6
    assert f"{millions:,.{1 if millions >= 10 else 2}f}" in found["cost"].text
    volume = sum(n.quantity for n in costs.lines if n.item in ("cut", "fill"))
    assert found["earthwork"].value == pytest.approx(volume, abs=0.2)
    assert found["earthwork"].value == pytest.approx(m["cut_volume_m3"] + m["fill_volume_m3"])
    parts = sum(m[f"{part}_{way}_m3"] for part in ("pad", "road", "batter") for way in ("cut", "fill"))
    assert found["earthwork"].value == pytest.approx(parts, abs=0.4)


def test_every_value_is_in_its_interval(plan):
    for answer in plan.headline:
        if answer.p10_p90 is not None:
            assert answer.p10_p90[0] <= answer.value <= answer.p10_p90[1], answer
    m = plan.metrics
    low, high = m["earthwork_p10_p90_m3"]
    assert low <= m["earthwork_p50_m3"] <= high
    assert low <= m["cut_volume_m3"] + m["fill_volume_m3"] <= high
    low, high = m["buildable_area_p10_p90_ha"]
    assert low <= m["buildable_area_ha"] <= high


def test_every_cost_line_holds_its_value(plan):
    for line in bill(plan).lines:
        assert line.quantity_low <= line.quantity <= line.quantity_high, line.item
        assert line.cost_low <= line.cost <= line.cost_high, line.item


def test_a_stored_layout_tells_the_same(plan):
    stored = StoredLayout.of(json.loads(json.dumps(plan.to_geojson())))
    assert stored_headline(stored.about) == plan.headline


def test_capacity_is_red_only_where_it_is_short(plan):
    capacity = by_name(plan.headline)["capacity"]
    assert capacity.alarm == (plan.target_capacity_kw == 500_000)
    assert ("short" in capacity.text) == capacity.alarm


def test_three_risks_are_named(plan):
    risks = by_name(plan.headline)["risks"].text.split("; ")
    assert len(risks) == len(set(risks)) == 3
    without_station = any(u.kind == "substation" for u in plan.unplaced)
    assert any("no place: the plant can't feed in" in risk for risk in risks) == without_station
    assert any("MW have no place on" in risk for risk in risks) == (plan.target_capacity_kw == 500_000)


ABOUT = {
    "profile": "solar_farm",
    "target_capacity_kw": 50_000.0,
    "unplaced": [],
    "dem": {"source": "x.tif", "resolution_m": 30.0, "nodata_share": 0.02},
    "metrics": {
        "total_capacity_kw": 3400.0, "storage_kwh": 0.0, "cut_volume_m3": 1200.4, "fill_volume_m3": 800.0,
        "earthwork_p10_p90_m3": [1500.0, 2500.0], "buildable_area_ha": 20.0, "buildable_area_p10_p90_ha": [15.0, 25.0],
    },
}  # fmt: skip


def test_texts_by_hand():
    found = by_name(headline(ABOUT, None, unit_kw=100.0))
    assert found["capacity"].text == "3.40 of 50.0 MW AC: short 46.6"
    assert found["capacity"].alarm
    assert found["earthwork"].text == "2,000 m³ with side slopes (1,500–2,500): cut 1,200, fill 800"
    assert found["cost"].value is None
    assert found["risks"].text.split("; ") == [
        "46.6 MW have no place on 20 ha of buildable ground",
        "buildable ground may be 15.0 of 20.0 ha, by the error of the elevation",
        "elevation cells of 30 m hide relief: earthwork is an order of magnitude",
    ]


def test_an_old_file_has_all_answers_but_the_cost():
    found = by_name(stored_headline(ABOUT))
    assert found["capacity"].alarm
    assert "make the layout again" in found["cost"].text


def test_level_ground_is_the_largest_risk_after_nothing_else():
    level = ABOUT | {"dem": ABOUT["dem"] | {"source": "level ground"}, "target_capacity_kw": None}
    assert by_name(headline(level, None, unit_kw=10_001.0))["risks"].text.startswith("level ground is assumed")


def test_storage_counts_by_its_power():
    storage = ABOUT | {
        "profile": "bess",
        "metrics": ABOUT["metrics"] | {"storage_kw": 40_000.0, "storage_kwh": 160_000.0},
    }
    text = by_name(headline(storage, None, unit_kw=10_001.0))["capacity"].text
    assert text == "40.0 of 50.0 MW of storage; 160 MWh of storage"


def test_capacity_without_a_substation_does_not_count():
    metrics = {**ABOUT["metrics"], "assets_by_type": {"substation": 1}}
    about = {**ABOUT, "metrics": metrics, "target_capacity_kw": None}
    missing = [{"asset_type": "substation", "count": 1, "reason": "no free ground"}]
    half = {**about, "unplaced": missing}
    none = {**half, "metrics": {**metrics, "assets_by_type": {}}}
    assert (placed_kw(about), placed_kw(half), placed_kw(none)) == (3400.0, 1700.0, 0.0)
    capacity = by_name(headline(none, None, unit_kw=100.0))["capacity"]
    assert capacity.alarm
    assert (
        capacity.text == "0.00 MW AC, as much as fits; 3.40 MW stand without the substation they need and don't count"
    )


def test_the_limit_of_the_grid_is_told(make):
    site, dem = make.site(), make.dem(make.ground(make.level))
    plan = generate_layout(site, dem, target_capacity_kw=8_000, spec={"grid": {"limit_kw": 3_000.0}})
    assert 2_980.0 < plan.metrics["total_capacity_kw"] <= 3_000.5
    assert by_name(plan.headline)["capacity"].text == "2.99 of 3.00 MW AC; the grid takes 3.00"
    assert plan.shortfall == "of the 8,000 kW asked for, the grid takes 3,000 kW; raise grid.limit_kw (--grid-limit-kw)"
    assert plan.shortfall in plan.warnings


def test_capacity_beyond_the_grid_does_not_count(make):
    site, dem = make.site(), make.dem(make.ground(make.level))
    plan = generate_layout(site, dem, target_capacity_kw=3_000, spec={"grid": {"limit_kw": 3_000.0}})
    about = json.loads(json.dumps(plan.to_geojson()["pacifico"]))
    assert plan.shortfall == ""
    about["metrics"]["total_capacity_kw"] = 3_500.0
    assert placed_kw(about) == 3_000.0
    answer = by_name(headline(about, None, unit_kw=10.0))["capacity"]
    assert answer.text.endswith("; 0.50 MW stand beyond what the grid takes and don't count")
    assert answer.alarm
