"""Tables of a report hold the figures of the layout, escaped."""

from pacifico.analysis.headline import stored_headline
from pacifico.report import tables


def test_the_headline_has_capacity_share_and_interval(layout):
    text = str(tables.headline(layout))
    assert "Capacity, AC" in text
    assert "0.50" in text
    assert "Placed of what was asked" in text
    assert "50.0" in text
    assert "200 to 260" in text
    assert "Storage" not in text


def test_the_target_of_storage_is_its_power(layout):
    layout.about["profile"] = "bess"
    layout.about["metrics"]["storage_kw"] = 1000.0
    assert "100.0" in str(tables.headline(layout))


def test_assets_are_listed_by_type(layout):
    text = str(tables.assets_by_type(layout))
    assert text.splitlines()[1].split()[:3] == ["Solar", "array", "1"]
    assert "0.48" in text


def test_unplaced_and_warnings_are_escaped(layout):
    assert "no ground under its slope limit is left" in str(tables.unplaced(layout))
    html = tables.warnings(layout)._repr_html_()
    assert "&lt;b&gt;fits&lt;/b&gt;" in html
    assert "<b>" not in html


def test_everything_placed_is_claimed_only_if_true(layout):
    layout.about["unplaced"].clear()
    assert "0.50 of 1.00 MW are placed" in tables.unplaced(layout)._repr_html_()
    layout.about["target_capacity_kw"] = 501.0
    assert "Everything asked for is placed" in tables.unplaced(layout)._repr_html_()


def test_assumptions_hold_unit_and_resolution(site, dem):
    dem.attrs["source_resolution_m"] = 30.0
    text = str(tables.assumptions(site, dem, {"strategy": "low_earthwork", "entry": None}))
    assert "metres: no unit declared" in text
    assert "coarse: no claim about grading" in text
    assert "low earthwork" in text
    assert "gate (from the file)" in text


def test_values_that_were_left_out_are_stated(site, dem):
    left_out = dict.fromkeys(("target_capacity_kw", "entry", "poi", "setback_m", "max_road_grade_pct", "spec"))
    rows = dict(tables.assumptions(site, dem, left_out).rows)
    assert rows["Setback [m]"] == "10 (catalog)"
    assert rows["Max road grade [%]"] == "10 (catalog)"
    assert rows["Point of interconnection"] == "none in the file"
    assert rows["Target capacity [kW]"] == "as much as fits"
    assert "default" not in rows.values()
    given = {"setback_m": 0.0, "max_road_grade_pct": None, "spec": {"road": {"max_grade_pct": 8.0}}}
    rows = dict(tables.assumptions(site, dem, given).rows)
    assert (rows["Setback [m]"], rows["Max road grade [%]"]) == ("0", "8 (spec)")


def test_risks_are_those_of_the_headline(layout):
    answer = next(a for a in stored_headline(layout.about) if a.name == "risks")
    assert "; ".join(row[1] for row in tables.risks(layout).rows) == answer.text


def test_level_ground_is_not_called_fine(site, dem):
    dem.attrs["source"] = "level ground"
    text = str(tables.assumptions(site, dem, {}))
    assert "level ground was assumed: slopes and volumes mean nothing" in text
    assert "fine enough" not in text
