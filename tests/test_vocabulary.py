"""Every room uses the names of one module."""

import argparse

import pytest

from pacifico.cli import job_options, options
from pacifico.jobs.request import JobRequest
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.files.geojson import schema
from pacifico.layout.search.objectives import OBJECTIVES
from pacifico.legend import ASSETS
from pacifico.terrain.sources import NAMED, SAMPLE
from pacifico.vocabulary import ASSET_KINDS, ASSET_NAMES, NAMED_DEMS, PROFILES, STRATEGIES


@pytest.mark.parametrize("add_design", [options.add_design, job_options.add_design])
def test_commands_offer_all_profiles_and_strategies(add_design):
    parser = argparse.ArgumentParser()
    add_design(parser)
    assert f"{{{','.join(PROFILES)}}}" in parser.format_help()
    assert f"{{{','.join(STRATEGIES)}}}" in parser.format_help()


def test_jobs_take_all_names():
    properties = JobRequest.model_json_schema()["properties"]
    assert properties["generation_profile"]["enum"] == list(PROFILES)
    assert properties["strategy"]["enum"] == list(STRATEGIES)


def test_layouts_take_all_names():
    known = schema()["$defs"]
    assert known["profile"] == {"enum": list(PROFILES)}
    assert known["strategy"] == {"enum": list(STRATEGIES)}
    assert known["asset_type"] == {"enum": list(ASSET_KINDS)}


def test_each_strategy_has_a_policy_and_an_objective():
    assert set(POLICIES) == set(OBJECTIVES) == set(STRATEGIES)


def test_each_asset_type_has_its_rules_a_cost_a_label_and_a_colour_of_its_own():
    for kind in ASSET_KINDS:
        assert kind == "solar_array" or kind in catalog()
        assert kind == "solar_array" or kind in catalog()["costs"]
    assert set(ASSET_NAMES) == set(ASSETS) == set(ASSET_KINDS)
    assert len({name.colour for name in ASSET_NAMES.values()}) == len(ASSET_KINDS)


def test_each_named_elevation_source_is_described():
    assert (*NAMED, SAMPLE) == NAMED_DEMS
