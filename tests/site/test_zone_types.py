"""What a zone is, by its properties or name."""

import numpy as np
import pytest

from pacifico.site.features import Feature
from pacifico.site.zone_types import (
    half_width_m,
    is_poi,
    is_substation_name,
    stated_crossable,
    stated_type,
    use_by_name,
    voltage_kv,
)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("creek exclusion", "water"), ("Mill Brook", "water"), ("drainage ditch", "water"), ("County Road 12", "road"),
        ("Union Pacific Railroad", "railway"), ("gas pipeline easement", "pipeline"), ("water main", "pipeline"),
        ("Transmission line 138 kV", "line"), ("345kV", "line"),
        ("pond", None), ("lake", None), ("wetland along the creek", None), ("flood plain of the river", None),
        ("eagle nest", None), ("exclusion 1", None), ("Broadacres", None), ("", None),
    ],
)  # fmt: skip
def test_names_say_what_is_there(name, use):
    assert use_by_name(name) == use


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Existing substation", True), ("substation", True), ("138 kV substation", True), ("Switchyard", True),
        ("Substation (existing)", True), ("Substation parcel", False), ("Lot north of the substation", False),
    ],
)  # fmt: skip
def test_only_a_plain_name_is_a_substation(name, expected):
    assert is_substation_name(name) is expected


@pytest.mark.parametrize("name", ["POI", "poi 1", "Point of interconnection", "grid connection", "Existing substation"])
def test_points_of_interconnection_are_known_by_name(name):
    assert is_poi(Feature(name))
    assert not is_poi(Feature(name, properties={"role": "entry"}))


def test_a_role_makes_a_point_of_interconnection():
    assert is_poi(Feature("tap", properties={"role": "poi"}))
    assert not is_poi(Feature("well"))
    assert not is_poi(Feature("poison ivy"))


def test_role_and_zone_type_state_what_is_there():
    assert stated_type(Feature(properties={"role": "water"})) == "water"
    assert stated_type(Feature(properties={"zone_type": "Railway"})) == "railway"
    assert stated_type(Feature(properties={"zone_type": "AG-1"})) is None


@pytest.mark.parametrize(
    ("feature", "half"),
    [
        (Feature("69 kV line"), 12.0), (Feature("Transmission line 138 kV"), 15.0), (Feature("345 kV"), 23.0),
        (Feature("765 kV"), 35.0), (Feature("line", properties={"voltage_kv": 500}), 30.0),
        (Feature("line", properties={"voltage": 138000}), 15.0), (Feature("line", properties={"voltage": "230 kV"}), 20.0),
        (Feature("line", properties={"width_m": 40}), 20.0), (Feature("transmission line"), 15.0),
    ],
)  # fmt: skip
def test_a_line_is_as_wide_as_its_voltage_asks(feature, half):
    assert half_width_m("line", feature) == half


def test_voltage_is_unknown_without_a_statement():
    assert voltage_kv(Feature("overhead line")) is None


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("no", False), ("yes", True), (None, None), ("maybe", None), (0, False)])  # fmt: skip
def test_crossable_is_read_as_stated(value, expected):
    assert stated_crossable(Feature(properties={"crossable": value}, points=(np.zeros((1, 2)),))) is expected
