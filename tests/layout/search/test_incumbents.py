"""A relaxed rule, or a higher target, doesn't lose capacity."""

import itertools

import numpy as np
import pytest

from pacifico import generate_layout
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.search.incumbents import MAX_INCUMBENTS, incumbents, stricter_specs, under_spec
from pacifico.layout.search.problem import DesignProblem

KEPT = 0.995
"""Least share of the capacity that is left where a rule is relaxed."""


def rule_of(spec, name):
    section, rule = name.split(".")
    return spec.number(section, rule)


@pytest.mark.parametrize(
    ("overrides", "rule", "levels"),
    [
        ({}, "road.max_grade_pct", []),
        ({"road": {"max_grade_pct": 8.0}}, "road.max_grade_pct", []),
        ({"road": {"max_grade_pct": 12.0}}, "road.max_grade_pct", [10.0]),
        ({"road": {"max_grade_pct": 15.0}}, "road.max_grade_pct", [10.0, 12.0]),
        ({"solar_array": {"slope_limit_deg": 11.0}}, "solar_array.slope_limit_deg", [10.0]),
        ({"site": {"setback_m": 5.0}}, "site.setback_m", [10.0]),
        ({"site": {"setback_m": 0.0}}, "site.setback_m", [10.0, 5.0]),
        ({"site": {"setback_m": 20.0}}, "site.setback_m", []),
        ({"straight_tracker": {"max_slope_along_pct": 18.0}}, "straight_tracker.max_slope_along_pct", [15.0]),
        ({"straight_tracker": {"max_row_step_m": 1.0}}, "straight_tracker.max_row_step_m", []),
    ],
)
def test_relaxed_rules_are_set_back_to_stricter_levels(overrides, rule, levels):
    assert [rule_of(s, rule) for s in stricter_specs(make_spec(overrides))] == levels


def test_several_relaxed_rules_are_bounded_with_the_standards_first():
    spec = make_spec({"road": {"max_grade_pct": 15.0}, "site": {"setback_m": 0.0}})
    found = stricter_specs(spec)
    assert len(found) == MAX_INCUMBENTS
    assert [(rule_of(s, "road.max_grade_pct"), rule_of(s, "site.setback_m")) for s in found] == [
        (15.0, 10.0),
        (10.0, 0.0),
        (10.0, 10.0),
        (12.0, 0.0),
    ]


def problem_of(make, profile, target_kw, overrides):
    site = make.site(300, 300)
    setback_m = make_spec(overrides).number("site", "setback_m")
    context = make.context(site, make.ground(make.level, 300, 300), setback_m=setback_m, overrides=overrides)
    return DesignProblem(
        site, context, requested_capacities(profile, target_kw, context.spec), None, profile, target_kw
    )


def test_a_missed_target_is_compared_with_all_that_fits(make):
    (whole,) = incumbents(problem_of(make, "solar_farm", 2_000.0, {}), "balanced")
    assert whole.capacities.solar_kw is None
    assert whole.target_kw == 2_000.0
    assert incumbents(problem_of(make, "solar_farm", 50_000.0, {}), "balanced") == [], "that is all of the site already"
    assert incumbents(problem_of(make, "bess", 5_000.0, {}), "balanced") == []


def test_a_larger_setback_is_kept_within_the_field(make):
    problem = problem_of(make, "solar_farm", None, {"site": {"setback_m": 0.0}})
    areas = [p.context.field.placeable.area for p in incumbents(problem, "balanced")]
    assert areas == pytest.approx([280.0**2, 290.0**2])
    assert problem.context.field.placeable.area == pytest.approx(300.0**2)
    assert incumbents(problem, "balanced", stricter=False) == [], "the caller has the layouts under stricter rules"


def test_arrays_get_the_slope_limit_that_was_requested():
    array, skid = Item("solar_array", (0, 0, 9, 9), 10.0), Item("inverter_skid", (0, 0, 9, 9), 5.0)
    relaxed = make_spec({"solar_array": {"slope_limit_deg": 12.0}})
    assert [i.slope_limit_deg for i in under_spec((array, skid), make_spec(), relaxed)] == [12.0, 5.0]


def hills(x, y):
    """Hills of 20 m with flanks about as steep as roads and arrays may be."""
    return 20.0 * np.sin(x / 70.0) * np.cos(y / 90.0) + 0.03 * x


@pytest.mark.slow
@pytest.mark.parametrize("depth", [500.0, 700.0])
@pytest.mark.parametrize(
    "steps",
    [
        [{"max_road_grade_pct": g} for g in (10.0, 12.0, 15.0)],
        [{"spec": {"solar_array": {"slope_limit_deg": s}}} for s in (10.0, 12.0, 14.0)],
        [{"setback_m": m} for m in (10.0, 5.0, 0.0)],
    ],
)
def test_relaxing_a_rule_keeps_the_capacity(make, steps, depth):
    site, dem = make.site(700, depth), make.dem(make.ground(hills, 700, depth))
    kw = [generate_layout(site, dem, **step).metrics["total_capacity_kw"] for step in steps]
    assert all(after >= KEPT * before for before, after in itertools.pairwise(kw)), kw


@pytest.mark.slow
def test_raising_the_target_keeps_the_capacity(make):
    site, dem = make.site(700, 500), make.dem(make.ground(hills, 700, 500))
    most = generate_layout(site, dem).metrics["total_capacity_kw"]
    targets = [0.8 * most, 0.97 * most, 1.1 * most]
    kw = [generate_layout(site, dem, target_capacity_kw=t).metrics["total_capacity_kw"] for t in targets]
    assert all(after >= KEPT * before for before, after in zip(kw, [*kw[1:], most], strict=True)), (kw, most)
    assert kw[-1] >= KEPT * most
