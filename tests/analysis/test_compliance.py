"""Compliance: exact distances, every status, and no pass without a rule."""

import math
from dataclasses import replace

import pytest
from fixtures.rule_packs import BASE, pack_of
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from pacifico.analysis.compliance import (
    AssetFact,
    Facts,
    RoadFact,
    as_data,
    counts,
    dead_ends,
    distances,
    evaluate,
    in_words,
)
from pacifico.analysis.rule_packs import TOPICS, Pack, read_pack, shipped_packs

LINE = LineString([(0, 5, 100), (30, 5, 101)])


def facts(**changes):
    """A square of 200 m with two batteries, 20 m and 60 m from its western edge, 20 m apart."""
    base = Facts(
        box(0, 0, 200, 200), 4.0,
        (AssetFact("battery-0001", "battery", box(20, 80, 40, 90), 2.0),
         AssetFact("battery-0002", "battery", box(60, 80, 80, 90), 3.0)),
        (RoadFact("R001", LINE, 6.1, 4.0),), (("Smith dwelling", box(100, 80, 110, 90)),), (Point(0, 5),),
    )  # fmt: skip
    return replace(base, **changes)


def only(findings):
    return next(f for f in findings if f.rule_id)


@pytest.mark.parametrize(("limit", "status"), [(20.0, "pass"), (20.1, "fail"), (60.1, "fail")])
def test_distance_to_the_boundary(tmp_path, limit, status):
    found = only(evaluate(facts(), pack_of(tmp_path, BASE | {"limit": limit})))
    assert found.status == status
    assert found.value == pytest.approx(20.0)
    assert found.checked == 2
    assert found.subjects[0] == ("battery-0001", 20.0)
    assert len(found.subjects) == (2 if limit > 60 else 1)
    assert (found.source.title, found.source.section, found.source.url) == (
        "Code of test county", "1.2", "https://example.org/code",
    )  # fmt: skip


def test_limits_in_feet_are_converted(tmp_path):
    found = only(evaluate(facts(), pack_of(tmp_path, BASE | {"limit": 65.0, "unit": "ft"})))
    assert found.status == "pass"
    assert found.value == pytest.approx(20 / 0.3048, abs=1e-3)


def test_distances_to_zones_by_name_and_to_other_assets(tmp_path):
    to_zone = BASE | {"id": "z", "check": "distance_to_zone", "zone": ["Dwelling"], "limit": 25.0}
    apart = BASE | {"id": "a", "check": "distance_to_assets", "others": ["battery"], "limit": 20.0}
    centre = BASE | {"id": "c", "check": "distance_to_zone", "zone": ["dwelling"], "limit": 25.0, "from": "centre"}
    zone, pair, middle = evaluate(facts(), pack_of(tmp_path, to_zone, apart, centre))[:3]
    assert (zone.status, zone.subjects) == ("fail", (("battery-0002", 20.0),))
    assert (pair.status, pair.value) == ("pass", 20.0)
    assert (middle.status, middle.value) == ("pass", 30.0)
    assert distances(facts(), ["battery"], [Point(50, 85)]) == {"battery-0001": 10.0, "battery-0002": 10.0}


def test_a_limit_in_heights_needs_the_height(tmp_path):
    rule = BASE | {"limit": 1.1, "unit": "heights"}
    unknown = only(evaluate(facts(), pack_of(tmp_path, rule)))
    assert unknown.status == "not evaluable"
    assert "height of battery is not known" in unknown.why
    known = facts(heights_m={"battery": 20.0})
    failed = only(evaluate(known, pack_of(tmp_path, rule)))
    assert (failed.status, failed.value) == ("fail", 1.0)
    tall = only(evaluate(known, pack_of(tmp_path, BASE | {"check": "height", "limit": 15.0, "topic": "height"})))
    assert (tall.status, tall.value) == ("fail", 20.0)


def test_roads_slopes_and_areas(tmp_path):
    rules = [
        BASE | {"id": "g", "topic": "road grade", "check": "road_grade", "limit": 4.0, "unit": "%"},
        BASE | {"id": "w", "topic": "road width", "check": "road_width", "limit": 20.0, "unit": "ft"},
        BASE | {"id": "s", "topic": "slope", "check": "slope", "limit": 5.0, "unit": "%"},
        BASE | {"id": "a", "topic": "site area", "check": "site_area", "limit": 10.0, "unit": "acres"},
    ]
    grade, width, slope, area = evaluate(facts(), pack_of(tmp_path, *rules))[:4]
    assert (grade.status, width.status, area.status) == ("pass", "pass", "fail")
    assert (slope.status, slope.subjects) == ("fail", (("battery-0002", round(100 * math.tan(math.radians(3)), 3)),))
    assert area.value == pytest.approx(4.0 / 0.40468564224, abs=1e-3)


def test_dead_ends_are_measured_from_the_last_junction():
    def road(name, *xy):
        return RoadFact(name, LineString([(x, y, 0.0) for x, y in xy]), 6.0, 1.0)

    trunk, spur = road("R001", (0, 0), (50, 0), (120, 0)), road("R002", (50, 0), (50, 60))
    network = facts(roads=(trunk, spur), entries=(Point(0, 0),))
    assert dead_ends(network) == {"R001": 70.0, "R002": 60.0}
    arms = (road("R003", (50, 60), (40, 60)), road("R004", (50, 60), (60, 60)))
    assert dead_ends(replace(network, roads=(trunk, spur, *arms))) == {"R001": 70.0, "R003": 10.0, "R004": 10.0}
    stub = road("R005", (50, 30), (70, 30))
    beside = road("R002", (50, 0), (50, 30), (50, 60))
    assert dead_ends(replace(network, roads=(trunk, beside, stub))) == {"R001": 70.0, "R002": 30.0, "R005": 20.0}
    link = road("R006", (50, 60), (120, 60), (120, 0))
    assert dead_ends(replace(network, roads=(trunk, spur, link))) == {}


def test_topics_without_a_rule_never_pass(tmp_path):
    kinds = (*facts().assets, AssetFact("solar_array-0001", "solar_array", box(120, 20, 160, 60), 1.0))
    findings = evaluate(facts(assets=kinds), pack_of(tmp_path, BASE | {"limit": 1.0}))
    uncovered = {f.topic: f.why for f in findings if f.status == "not covered"}
    assert set(uncovered) == set(TOPICS)
    assert uncovered["boundary setback"] == "the pack has no rule for solar_array"
    assert counts(findings) == {"fail": 0, "pass": 1, "not evaluable": 0, "not covered": len(TOPICS)}


def test_rules_that_can_not_be_measured_never_pass(tmp_path):
    rules = [
        BASE | {"id": "n", "check": "none", "why": "needs a study", "topic": "noise"},
        BASE | {"id": "z", "check": "distance_to_zone", "zone": ["church"]},
        BASE | {"id": "o", "assets": ["generator"]},
        BASE | {"id": "p", "check": "distance_to_assets", "others": ["substation"]},
    ]
    findings = evaluate(facts(), pack_of(tmp_path, *rules))[:4]
    assert {f.status for f in findings} == {"not evaluable"}
    assert [f.why.split(":")[0] for f in findings] == [
        "needs a study", "no zone of the layout is named church", "the layout has no generator",
        "there is no other substation in the layout",
    ]  # fmt: skip
    assert all("\n" not in in_words(f) for f in findings)


@given(st.floats(0.1, 99.0), st.floats(0.0, 150.0))
def test_a_larger_limit_never_passes_more(away, limit):
    one = facts(assets=(AssetFact("battery-0001", "battery", box(away, 80, away + 1, 90), 1.0),))
    rule = read_pack("rock-island-county-il-bess").rules[2]
    lax, strict = (
        evaluate(one, Pack("p", "t", "j", verified=True, note="", rules=(replace(rule, limit=x, unit="m"),)))[0]
        for x in (limit, limit + 1)
    )
    assert lax.value == pytest.approx(min(away, 80.0), abs=1e-3)
    assert (strict.status, lax.status) != ("pass", "fail")


def test_findings_of_every_shipped_pack_are_plain_data():
    for name in shipped_packs():
        pack = read_pack(name)
        data = as_data(pack, evaluate(facts(), pack))
        assert data["pack"] == name
        assert data["counts"]["not covered"] > 0
        assert sum(data["counts"].values()) == len(data["findings"])
