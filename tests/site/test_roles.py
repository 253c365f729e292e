"""Role of a feature."""

import numpy as np
import pytest

from pacifico.crs import LONLAT
from pacifico.errors import SiteError
from pacifico.site.features import Feature, Layer, Reading
from pacifico.site.roles import (
    ZoneRules,
    feature_role,
    foreign_zone_type,
    is_entry,
    is_own,
    lenient_zone_rules,
    zone_rules,
)


@pytest.mark.parametrize(
    ("feature", "layer", "role"),
    [
        (Feature("Site Exclusion 9"), "", "exclusion"),
        (Feature("wetland EXCLUDED"), "", "exclusion"),
        (Feature("Zona de exclusión"), "", "exclusion"),
        (Feature("No-build strip"), "", "exclusion"),
        (Feature("no build"), "", "exclusion"),
        (Feature("Keep out"), "", "exclusion"),
        (Feature("No-go area"), "", "exclusion"),
        (Feature("pond", labels=("Wet", "Exclusions")), "", "exclusion"),
        (Feature("pond"), "exclusion_zones", "exclusion"),
        (Feature("pond", properties={"kind": "exclusion"}), "", "exclusion"),
        (Feature("pond", properties={"type": "Exclusion area"}), "", "exclusion"),
        (Feature("pond", properties={"zone_type": "hard"}), "", "exclusion"),
        (Feature("Exclusive option parcel"), "", "parcel"),
        (Feature("Land excluding wetlands"), "", "parcel"),
        (Feature("Wetland"), "", "parcel"),
        (Feature("North"), "Boundary and exclusions", "parcel"),
        (Feature("Site boundary", labels=("Exclusions",)), "", "boundary"),
        (Feature("x", properties={"kind": "boundary"}), "exclusions", "boundary"),
        (Feature("x", properties={"zone_type": "R1 residential"}), "", "parcel"),
        (Feature("x", properties={"kind": "asset"}), "", "parcel"),
        (Feature("x", properties={"kind": "road"}), "", "parcel"),
        (Feature("x", properties={"type": "Agricultural exclusion"}), "", "parcel"),
        (Feature("x", properties={"kind": "excluded from sale"}), "", "parcel"),
    ],
)
def test_roles_in_files_of_other_programs(feature, layer, role):
    assert feature_role(feature, layer) == role


@pytest.mark.parametrize("kind", ["buildable", "asset", "pad", "road", "cable", "crossing", "fence"])
def test_derived_parts_of_our_own_layouts_are_no_input(kind):
    feature = Feature("x", properties={"kind": kind})
    assert feature_role(feature, own=True) == "other"
    assert feature_role(feature) == "parcel"


def layers_of(*kinds):
    return (Layer("", LONLAT, tuple(Feature("x", properties={"kind": k}) for k in kinds)),)


def test_a_file_is_our_own_by_its_member_or_by_all_its_kinds():
    assert is_own(Reading(layers_of("pad", "farm"), marked=True))
    assert is_own(Reading(layers_of("boundary", "asset", "pad", "road")))
    assert not is_own(Reading(layers_of("boundary", "farm", "pad")))
    assert not is_own(Reading(layers_of("pad", "road")))
    assert not is_own(Reading(()))


@pytest.mark.parametrize(
    ("properties", "rules", "effective"),
    [
        ({}, ZoneRules(), "hard"),
        ({"buffer_m": 30}, ZoneRules(buffer_m=30.0), "buffered"),
        ({"cost_multiplier": "2.5", "buffer_m": ""}, ZoneRules(cost_multiplier=2.5), "cost"),
        ({"cost_multi": 4.0}, ZoneRules(cost_multiplier=4.0), "cost"),
        ({"zone_type": "Hard", "buffer_m": float("nan")}, ZoneRules("hard"), "hard"),
        ({"zone_type": "AG-1"}, ZoneRules(), "hard"),
    ],
)
def test_rules_that_an_exclusion_states(properties, rules, effective):
    found = zone_rules(Feature("x", properties=properties))
    assert (found, found.effective_type) == (rules, effective)


def test_an_unknown_zone_type_is_refused_in_our_own_files_only():
    feature = Feature("x", properties={"zone_type": "soft"})
    with pytest.raises(SiteError, match="zone_type 'soft' of 'x' is not known; write hard, buffered or cost"):
        zone_rules(feature, own=True)
    assert foreign_zone_type(feature) == "soft"


def test_a_service_column_out_of_range_is_no_rule():
    properties = {"zone_type": "AE", "buffer_m": "wide", "cost_multiplier": 0.1}
    assert lenient_zone_rules(Feature(properties=properties)) == ZoneRules()
    assert lenient_zone_rules(Feature(properties={"buffer_m": 25})) == ZoneRules(buffer_m=25.0)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Gate", True),
        ("site-entry", True),
        ("ACCESS", True),
        ("aggregate", False),
        ("Investigate", False),
        ("without access", False),
    ],
)
def test_entries(name, entry):
    assert is_entry(Feature(name)) is entry


@pytest.mark.parametrize(
    ("properties", "role"),
    [({"role": "water"}, "exclusion"), ({"role": "parcel"}, "parcel"), ({"zone_type": "railway"}, "exclusion"), ({"role": "tenant"}, "parcel")],
)  # fmt: skip
def test_a_stated_role_decides(properties, role):
    assert feature_role(Feature("x", properties=properties, polygons=((np.zeros((4, 2)),),))) == role


def test_a_creek_is_water_unless_the_file_says_hard():
    assert zone_rules(Feature("creek")).effective_type == "water"
    assert zone_rules(Feature("creek", properties={"buffer_m": 5})).effective_type == "water"
    assert zone_rules(Feature("creek", properties={"zone_type": "hard"})).effective_type == "hard"
    assert zone_rules(Feature("creek", properties={"cost_multiplier": 3})).effective_type == "cost"
    assert zone_rules(Feature("creek", properties={"zone_type": "hard"}), own=True).effective_type == "hard"
    assert zone_rules(Feature("x", properties={"role": "water", "crossable": False})).crossable is False
