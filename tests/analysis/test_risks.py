"""The three largest risks, in words, by what is at stake."""

import pytest

from pacifico.analysis.risks import ALWAYS, RISKS_SHOWN, dollars, largest_risks, millions, mw
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.headline import Risk
from pacifico.terrain.named import SURFACE_WARNING

ABOUT = {
    "profile": "solar_farm", "target_capacity_kw": 10_000.0, "unplaced": [], "warnings": [],
    "dem": {"source": "x.tif", "resolution_m": 5.0, "nodata_share": 0.0},
    "metrics": {"buildable_area_ha": 20.0, "buildable_area_p10_p90_ha": [15.0, 25.0]},
}  # fmt: skip


def risks(more=None, missing_kw=0.0, of_roads=()):
    return largest_risks(ABOUT | (more or {}), None, missing_kw=missing_kw, of_roads=of_roads)


def test_without_any_risk_those_of_every_early_design_are_named():
    assert risks() == list(ALWAYS)


def test_risks_are_ranked_by_what_is_at_stake():
    found = risks({"warnings": [SURFACE_WARNING]}, 5_000.0, [Risk(0.3, "one crossing"), Risk(0.01, "small")])
    assert found == [
        "5.00 MW have no place on 20 ha of buildable ground",
        "one crossing",
        "buildable ground may be 15.0 of 20.0 ha, by the error of the elevation",
    ]
    assert len(found) == RISKS_SHOWN


def test_a_surface_model_is_a_risk():
    assert risks({"warnings": [SURFACE_WARNING]})[0].startswith("elevation is a surface model")


def test_a_missing_substation_is_the_largest_risk():
    lost = {"unplaced": [{"asset_type": "substation", "count": 2, "reason": "no place"}]}
    assert risks(lost, 5_000.0)[0] == "2 substations have no place: the plant can't feed in"


def test_of_the_bill_earthwork_and_one_other_line_count(make):
    ground = make.dem(make.ground(make.rolling))
    dear = {"costs": {"cut": 100.0}}
    plan = generate_layout(make.site(), ground, profile="bess", target_capacity_kw=10_000, spec=dear)
    found = largest_risks(plan.about, plan.bill_of_quantities(), missing_kw=0.0, of_roads=())
    assert sum("USD more" in text for text in found) == 2
    assert any(text.startswith("earthwork may cost") for text in found)


def test_an_amount_below_half_a_percent_of_the_cost_is_no_risk(make):
    plan = generate_layout(make.site(), make.dem(make.ground(make.level)), target_capacity_kw=2000)
    found = largest_risks(plan.about, plan.bill_of_quantities(), missing_kw=0.0, of_roads=())
    assert [text for text in found if text.startswith("earthwork")] == []
    assert found[-2:] == list(ALWAYS)


@pytest.mark.parametrize(("source_m", "text"), [(83.1, "cells of 83.1 m"), (None, "cells of 30 m")])
def test_cells_are_those_of_the_source_however_fine_the_layout(source_m, text):
    dem = {"source": "x.tif", "resolution_m": 5.0 if source_m else 30.0, "nodata_share": 0.0}
    if source_m:
        dem["source_resolution_m"] = source_m
    found = largest_risks({**ABOUT, "dem": dem}, None, missing_kw=0.0, of_roads=())
    assert any(f"elevation {text} hide relief" in line for line in found)


@pytest.mark.parametrize(("kw", "text"), [(3400.0, "3.40"), (46_600.0, "46.6"), (1_234_000.0, "1,234.0")])
def test_power_has_two_decimals_below_ten(kw, text):
    assert mw(kw) == text


def test_millions_have_two_decimals_below_ten():
    assert (millions(2_110_000), millions(54_900_000)) == ("2.11", "54.9")


@pytest.mark.parametrize(
    ("usd", "text"),
    [(12.0, "100 USD"), (3_460.0, "3,500 USD"), (99_000.0, "99,000 USD"), (100_000.0, "0.10 million USD")],
)
def test_a_small_amount_is_never_none_at_all(usd, text):
    assert dollars(usd) == text
