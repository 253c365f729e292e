"""Facts of a stored layout are those of its plan."""

import json

import pytest

from pacifico.analysis.compliance import facts_of
from pacifico.analysis.compliance_facts import facts_of_layout
from pacifico.errors import InputError
from pacifico.layout.generate import generate_layout


def test_facts_of_a_stored_layout_are_those_of_its_plan(site, dem):
    plan = generate_layout(site, dem, profile="gas_bess", target_capacity_kw=20_000)
    own, stored = facts_of(plan), facts_of_layout(json.loads(json.dumps(plan.to_geojson())))
    assert [(a.asset_id, a.kind) for a in stored.assets] == [(a.asset_id, a.kind) for a in own.assets]
    assert [r.road_id for r in stored.roads] == [r.road_id for r in own.roads]
    assert [name for name, _ in stored.zones] == [name for name, _ in own.zones]
    for a, b in zip(stored.assets, own.assets, strict=True):
        assert a.footprint.hausdorff_distance(b.footprint) < 0.002
        assert a.slope_deg == pytest.approx(b.slope_deg, abs=1e-3)
    assert stored.boundary.hausdorff_distance(own.boundary) < 0.002
    assert stored.site_area_ha == pytest.approx(own.site_area_ha, abs=1e-4)
    assert stored.entries[0].distance(own.entries[0]) < 0.002


def test_heights_are_given_by_the_caller(layout):
    assert facts_of_layout(layout).heights_m == {}
    assert facts_of_layout(layout, heights_m={"generator": 4.0}).heights_m == {"generator": 4.0}


def test_another_geojson_is_refused(layout):
    del layout["pacifico"]
    with pytest.raises(InputError, match="pacifico"):
        facts_of_layout(layout)
