"""The panel shows headline figures, unplaced assets and warnings."""

from __future__ import annotations

import pytest

from pacifico.explorer import panel

METRICS = {
    "total_capacity_kw": 19_800.0,
    "total_capacity_dc_kw": 25_740.0,
    "storage_kw": 0.0,
    "storage_kwh": 0.0,
    "asset_count": 88,
    "road_length_m": 4321.0,
    "max_road_grade_pct": 9.87,
    "cut_volume_m3": 12_345.6,
    "fill_volume_m3": 10_000.4,
    "net_earthwork_m3": 2345.2,
    "site_area_ha": 120.0,
    "buildable_area_ha": 80.04,
    "buildable_area_p10_p90_ha": None,
    "earthwork_p10_p90_m3": None,
}


def test_headline_is_rounded_and_has_units():
    text = dict(panel.headline(METRICS, 20_000.0))
    assert text["Capacity, AC"] == "19.8 MW of 20.0 asked"
    assert text["Capacity, DC"] == "25.7 MW"
    assert text["Buildable"] == "80.0 of 120.0 ha"
    assert text["Roads"] == "4.32 km, up to 9.9 %"
    assert text["Cut"] == "12,346 m³"
    assert text["Net earthwork"] == "+2,345 m³"
    assert "Storage" not in text
    assert "Cut + fill, P10–P90" not in text


def test_without_a_target_only_the_capacity_is_shown():
    assert dict(panel.headline(METRICS, None))["Capacity, AC"] == "19.8 MW"


def test_the_target_of_a_battery_site_is_its_storage_power():
    battery = METRICS | {
        "total_capacity_kw": 0,
        "total_capacity_dc_kw": 0,
        "storage_kw": 45_000.0,
        "storage_kwh": 180_000.0,
    }
    text = dict(panel.headline(battery, 50_000.0))
    assert text["Capacity, AC"] == "0.0 MW"
    assert text["Storage"] == "45.0 MW of 50.0 asked, 180.0 MWh"


def test_intervals_are_shown_if_known():
    known = METRICS | {"buildable_area_p10_p90_ha": [70.0, 90.0], "earthwork_p10_p90_m3": [20_000.0, 30_000.0]}
    text = dict(panel.headline(known, None))
    assert text["Buildable"] == "80.0 (70.0–90.0) of 120.0 ha"
    assert text["Cut + fill, P10–P90"] == "20,000–30,000 m³"


@pytest.mark.parametrize("bad", ["<img src=x onerror=alert(1)>", "a < b & c"])
def test_text_from_outside_is_escaped(bad):
    layout = {
        "metrics": METRICS,
        "target_capacity_kw": None,
        "warnings": [bad],
        "unplaced": [{"asset_type": "solar_array", "count": 3, "reason": bad}],
    }
    for html in (panel.summary(layout), panel.failure(bad)):
        assert bad not in html
    assert "3 × solar array: " in panel.summary(layout)


def test_empty_notes_are_left_out():
    layout = {"metrics": METRICS, "target_capacity_kw": None, "warnings": [], "unplaced": []}
    assert "Not placed" not in panel.summary(layout)
    assert "Good to know" not in panel.summary(layout)
