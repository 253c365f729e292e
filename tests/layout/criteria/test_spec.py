"""The spec: shipped values of the catalog, overrides, refusals."""

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pacifico
from pacifico.errors import InputError
from pacifico.layout.criteria.spec import catalog, make_spec, read_spec
from pacifico.vocabulary import ASSET_KINDS

RULES = [(section, rule) for section, rules in catalog().items() for rule in rules]


def name_of(pair):
    return ".".join(pair)


@pytest.mark.parametrize(("section", "rule"), RULES, ids=map(name_of, RULES))
def test_every_rule_has_a_source_a_unit_and_a_value_in_its_own_range(section, rule):
    entry = catalog()[section][rule]
    assert entry["source"]
    if "choices" in entry:
        assert entry["value"] in entry["choices"]
    else:
        assert entry["min"] <= entry["value"] <= entry["max"]
    assert make_spec({section: {rule: entry["value"]}}).overrides[section][rule] == entry["value"]


@pytest.mark.parametrize(("section", "rule"), RULES, ids=map(name_of, RULES))
def test_every_rule_is_read_by_the_engine(section, rule):
    """A rule that nothing reads would have no effect in --spec."""
    package = Path(pacifico.__file__).parent
    folders = (package / "layout", package / "analysis")
    code = "\n".join(p.read_text(encoding="utf-8") for f in folders for p in sorted(f.rglob("*.py")))
    bare = rule.removeprefix("tracker_").removeprefix("fixed_")
    assert re.search(rf'"({rule}|{bare})"', code), f"{section}.{rule} is read nowhere"


@pytest.mark.parametrize("kind", ASSET_KINDS)
def test_every_asset_type_has_a_slope_limit(kind):
    assert 0 < make_spec().number(kind, "slope_limit_deg") <= 10


def test_default_slope_limits():
    limits = {kind: make_spec().number(kind, "slope_limit_deg") for kind in ASSET_KINDS}
    assert limits == {
        "solar_array": 10, "inverter_skid": 5, "battery": 4, "generator": 5, "gas_turbine": 3,
        "cooling_system": 4, "control_center": 3, "substation": 3, "wind_turbine": 8,
    }  # fmt: skip


def test_an_override_changes_one_rule_alone():
    spec = make_spec({"solar": {"tracker_gcr": 0.5}})
    assert spec.number("solar", "tracker_gcr") == 0.5
    assert spec.number("solar", "fixed_gcr") == 0.45
    assert make_spec().number("solar", "tracker_gcr") == 0.35


def test_overrides_are_copied():
    overrides = {"solar": {"tracker_gcr": 0.5}}
    spec = make_spec(overrides)
    overrides["solar"]["tracker_gcr"] = 0.2
    assert spec.number("solar", "tracker_gcr") == 0.5
    with pytest.raises(TypeError):
        spec.overrides["solar"]["tracker_gcr"] = 0.1


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"sloar": {}}, r"unknown section \[sloar\]; choose from site"),
        ({"solar": {"gcr": 0.4}}, r"unknown rule solar\.gcr; choose from mounting"),
        ({"solar": {"tracker_gcr": 0.9}}, r"solar\.tracker_gcr = 0\.9; it must lie between 0\.15 and 0\.7"),
        ({"solar": {"tracker_gcr": float("nan")}}, "must lie between"),
        ({"solar": {"tracker_gcr": "0.4"}}, "is not a number"),
        ({"solar": {"tracker_gcr": True}}, "is not a number"),
        ({"solar": {"mounting": "roof"}}, "choose from tracker, fixed"),
        ({"solar": {"mounting": ["tracker"]}}, "choose from tracker, fixed"),
        ({"solar": 3}, r"write \[solar\]"),
        ({"solar": {"tracker_unit_rows": 2.5}}, "whole number"),
    ],
)
def test_invalid_overrides_are_refused_in_one_line(overrides, said):
    with pytest.raises(InputError, match=said) as caught:
        make_spec(overrides)
    assert "\n" not in str(caught.value)


@given(st.sampled_from([p for p in RULES if "min" in catalog()[p[0]][p[1]]]), st.floats(allow_nan=False))
def test_a_number_is_accepted_exactly_when_it_is_in_range(pair, value):
    section, rule = pair
    entry = catalog()[section][rule]
    whole = not isinstance(entry["value"], int) or value == int(value if abs(value) < 1e9 else 0)
    if entry["min"] <= value <= entry["max"] and whole:
        assert make_spec({section: {rule: value}}).number(section, rule) == value
    else:
        with pytest.raises(InputError):
            make_spec({section: {rule: value}})


def test_a_toml_file_is_read(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text("[solar]\ntracker_gcr = 0.4\n")
    assert read_spec(file) == {"solar": {"tracker_gcr": 0.4}}


@pytest.mark.parametrize("content", [None, b"not toml", b"\xff\xfe"])
def test_an_unreadable_toml_file_is_refused_with_its_name(tmp_path, content):
    file = tmp_path / "rules.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"rules\.toml") as caught:
        read_spec(file)
    assert "\n" not in str(caught.value)


def test_rules_of_a_section_are_added_to_its_overrides():
    spec = make_spec({"solar": {"tracker_gcr": 0.5}}).with_rules("solar", {"tracker_row_m": 32.0})
    assert spec.number("solar", "tracker_gcr") == 0.5
    assert spec.number("solar", "tracker_row_m") == 32.0


def test_the_catalog_is_asked_whether_it_has_a_rule():
    assert make_spec().has("battery", "storage_kw")
    assert not make_spec().has("battery", "capacity_kw")


def test_a_spec_travels_between_processes():
    spec = make_spec({"road": {"width_m": 7.0}})
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 (own bytes)
