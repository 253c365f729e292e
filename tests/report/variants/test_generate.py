"""Variants are the layouts that the engine makes alone."""

import json

import pytest

from pacifico.errors import InputError, NoBuildableGroundError
from pacifico.report.variants import generate_variants


def test_each_variant_equals_the_layout_made_alone(field, variants):
    from pacifico.layout.add_racking import add_racking
    from pacifico.layout.generate import generate_layout

    assert list(variants.plans) == ["density", "clustered"]
    alone = add_racking(generate_layout(*field, strategy="clustered", target_capacity_kw=1500), field[1])
    assert json.dumps(variants.plans["clustered"].to_geojson()) == json.dumps(alone.to_geojson())
    assert variants.failures == ()
    assert variants.table.loc["clustered", "road_length_m"] == alone.metrics["road_length_m"]
    assert list(variants.table.index) == ["density", "clustered"]


def test_bad_input_raises_the_error_of_the_engine(field):
    with pytest.raises(InputError, match="strategy 'fast' is unknown"):
        generate_variants(*field, strategies=("fast",))
    with pytest.raises(InputError, match=r"road\.max_grade_pct = 99"):
        generate_variants(*field, strategies=("density",), max_road_grade_pct=99)
    with pytest.raises(NoBuildableGroundError):
        generate_variants(*field, strategies=("density",), setback_m=400)
