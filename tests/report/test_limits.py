"""Slope and grade limits of a profile."""

from pacifico.report.limits import road_grade_pct, slope_limits


def test_limits_are_those_of_the_catalog_or_of_the_spec():
    assert set(slope_limits("bess")) == {"battery", "substation"}
    assert slope_limits("bess", {"battery": {"slope_limit_deg": 2.5}})["battery"] == 2.5


def test_a_requested_grade_comes_before_the_spec():
    assert road_grade_pct(None) == 10.0
    assert road_grade_pct(None, {"road": {"max_grade_pct": 8.0}}) == 8.0
    assert road_grade_pct(6, {"road": {"max_grade_pct": 8.0}}) == 6.0
