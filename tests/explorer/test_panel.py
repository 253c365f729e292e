"""The panel shows headline figures, unplaced assets and warnings."""

from __future__ import annotations

import pytest

from pacifico.analysis.headline import stored_headline
from pacifico.explorer import panel
from pacifico.explorer.engine.messages import FirstPicture

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
    "buildable_area_p10_p90_ha": [70.0, 90.0],
    "earthwork_p10_p90_m3": [20_000.0, 30_000.0],
}


def layout_of(**more):
    """Member `pacifico` of a layout with these metrics."""
    return {
        "profile": "solar_farm", "target_capacity_kw": 20_000.0, "metrics": METRICS, "warnings": [], "unplaced": [],
        "dem": {"source": "x.tif", "resolution_m": 5.0, "nodata_share": 0.0}, **more,
    }  # fmt: skip


def test_figures_are_rounded_and_have_units():
    text = dict(panel.figures(METRICS))
    assert text["Capacity, DC"] == "25.7 MW"
    assert text["Buildable"] == "80.0 (70.0–90.0) of 120.0 ha"
    assert text["Roads"] == "4.32 km, up to 9.9 %"
    assert text["Net earthwork"] == "+2,345 m³"
    assert "Storage" not in text


def test_storage_is_shown_with_its_power():
    battery = METRICS | {"total_capacity_dc_kw": 0, "storage_kw": 45_000.0, "storage_kwh": 180_000.0}
    assert dict(panel.figures(battery))["Storage"] == "45.0 MW, 180.0 MWh"


def test_the_summary_starts_with_the_headline():
    html = panel.summary(layout_of())
    for answer in stored_headline(layout_of()):
        assert answer.text in html
    assert html.index("22,346 m³ with side slopes (20,000–30,000)") < html.index("Buildable")


def test_a_short_capacity_is_red():
    short = panel.summary(layout_of(target_capacity_kw=50_000.0))
    assert "color:#b3201f'>19.8 of 50.0 MW AC: short 30.2" in short
    assert "#b3201f" not in panel.summary(layout_of(target_capacity_kw=None))


@pytest.mark.parametrize("bad", ["<img src=x onerror=alert(1)>", "a < b & c"])
def test_text_from_outside_is_escaped(bad):
    layout = layout_of(warnings=[bad], unplaced=[{"asset_type": "solar_array", "count": 3, "reason": bad}])
    for html in (panel.summary(layout), panel.failure(bad)):
        assert bad not in html
    assert "3 × solar array: " in panel.summary(layout)


def test_empty_notes_are_left_out():
    assert "Not placed" not in panel.summary(layout_of())
    assert "Good to know" not in panel.summary(layout_of())


def test_lines_about_a_session_and_a_first_draft():
    assert "continued from a&lt;b: 2 zones, 3 edits" in panel.continued("a<b", 2, 3)
    draft = FirstPicture((), 12_340.0, 56)
    assert "56 assets, 12.3 MW before roads" in panel.first_draft(draft, keeps_figures=False)
    assert "figures are of the layout before" in panel.first_draft(draft, keeps_figures=True)
