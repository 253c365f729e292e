"""Rules of the catalog: shipped values, overrides, refusals."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pacifico
from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import asset_type, solar_unit, spec_for_target, substation_type
from pacifico.layout.criteria.spec import PROFILES, SLOPE_LIMITED, STRATEGIES, catalog, make_spec, read_spec

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
    """A rule that nothing reads would be a promise of --spec that isn't kept."""
    package = Path(pacifico.__file__).parent
    folders = (package / "layout", package / "analysis")
    code = "\n".join(p.read_text(encoding="utf-8") for f in folders for p in sorted(f.rglob("*.py")))
    bare = rule.removeprefix("tracker_").removeprefix("fixed_")
    assert re.search(rf'"({rule}|{bare})"', code), f"{section}.{rule} is read nowhere"


@pytest.mark.parametrize("kind", SLOPE_LIMITED)
def test_every_asset_type_has_a_slope_limit(kind):
    assert 0 < make_spec().number(kind, "slope_limit_deg") <= 10


def test_the_design_page_limits_are_the_defaults():
    limits = {kind: make_spec().number(kind, "slope_limit_deg") for kind in SLOPE_LIMITED}
    assert limits == {
        "solar_array": 10, "inverter_skid": 5, "battery": 4, "generator": 5, "gas_turbine": 3,
        "cooling_system": 4, "control_center": 3, "substation": 3, "wind_turbine": 8,
    }  # fmt: skip


def test_an_override_wins_and_leaves_the_rest():
    rules = make_spec({"solar": {"tracker_gcr": 0.5}})
    assert rules.number("solar", "tracker_gcr") == 0.5
    assert rules.number("solar", "fixed_gcr") == 0.45
    assert make_spec().number("solar", "tracker_gcr") == 0.35


def test_overrides_are_copied_not_kept():
    mine = {"solar": {"tracker_gcr": 0.5}}
    rules = make_spec(mine)
    mine["solar"]["tracker_gcr"] = 0.2
    assert rules.number("solar", "tracker_gcr") == 0.5
    with pytest.raises(TypeError):
        rules.overrides["solar"]["tracker_gcr"] = 0.1


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
def test_bad_overrides_are_refused_in_one_line(overrides, said):
    with pytest.raises(InputError, match=said) as caught:
        make_spec(overrides)
    assert "\n" not in str(caught.value)


@given(st.sampled_from([p for p in RULES if "min" in catalog()[p[0]][p[1]]]), st.floats(allow_nan=False))
def test_a_number_is_taken_exactly_when_it_is_in_range(pair, value):
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
def test_a_bad_toml_file_is_refused_with_its_name(tmp_path, content):
    file = tmp_path / "rules.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"rules\.toml") as caught:
        read_spec(file)
    assert "\n" not in str(caught.value)


def test_the_command_line_lists_the_same_choices():
    from pacifico.cli import options

    assert options.PROFILES == PROFILES
    assert options.STRATEGIES == STRATEGIES


def test_tracker_unit_by_hand():
    """4 rows of 64 m x 2.4 m at 22 % and 1 kW/m2; pitch 2.4 / 0.35."""
    unit = solar_unit(make_spec())
    assert unit.dc_kw == pytest.approx(135.168, abs=1e-9)
    assert unit.ac_kw == pytest.approx(103.9753846, abs=1e-6)
    assert unit.pitch_x_m == pytest.approx(27.4285714, abs=1e-6)
    assert unit.gap_x_m == pytest.approx(4.4571429, abs=1e-6)
    assert unit.height_m == 64
    assert unit.most_units == 4  # 5 would be 520 kW


def test_fixed_unit_by_hand():
    """6 rows of 32 m x 4.8 m, 10.667 m apart."""
    unit = solar_unit(make_spec({"solar": {"mounting": "fixed"}}))
    assert unit.dc_kw == pytest.approx(202.752, abs=1e-9)
    assert unit.ac_kw == pytest.approx(155.9630769, abs=1e-6)
    assert unit.height_m == pytest.approx(58.1333333, abs=1e-6)
    assert (unit.pitch_x_m, unit.gap_x_m, unit.most_units) == (33, 1, 3)


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_a_pocket_unit_has_the_same_power_in_other_proportions(mounting):
    rules = make_spec({"solar": {"mounting": mounting}})
    full, pocket = solar_unit(rules), solar_unit(rules, pocket=True)
    assert pocket.dc_kw == pytest.approx(full.dc_kw)
    assert pocket.height_m < full.height_m
    assert pocket.pitch_x_m > full.pitch_x_m


def test_a_lone_fixed_row_has_no_pocket_of_twice_the_power():
    rules = make_spec({"solar": {"mounting": "fixed", "fixed_unit_rows": 1}})
    assert solar_unit(rules, pocket=True).dc_kw == pytest.approx(solar_unit(rules).dc_kw)


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_arrays_are_of_100_to_500_kw_and_within_physics(mounting):
    unit = solar_unit(make_spec({"solar": {"mounting": mounting}}))
    assert unit.ac_kw >= 100
    assert unit.most_units * unit.ac_kw <= 500
    assert unit.dc_kw / (unit.pitch_x_m * unit.height_m) < 0.115


def test_substation_grows_with_the_root_of_its_rating():
    at_100, at_400 = substation_type(make_spec(), 100.0), substation_type(make_spec(), 400.0)
    assert at_100.length_m * at_100.width_m == pytest.approx(6000, rel=0.002)
    assert at_400.length_m * at_400.width_m == pytest.approx(12000, rel=0.002)
    assert at_100.length_m / at_100.width_m == pytest.approx(1.25, rel=0.002)
    assert at_100.rating_kva == 100_000


def test_a_battery_block_stores_four_hours():
    battery = asset_type(make_spec(), "battery")
    assert battery.storage_kwh / battery.storage_kw == 4
    assert battery.capacity_kw == 0


class TestUnitsOfASmallPlant:
    """Rows of 26 kW, four to a unit of 104 kW; half rows of 13 kW."""

    @pytest.mark.parametrize(
        ("target", "rows", "row_m"),
        [
            (60, 4, 64),
            (104, 4, 64),
            (109, 4, 64),
            (131, 5, 64),
            (150, 11, 32),
            (208, 4, 64),
            (495, 19, 32),
            (5000, 4, 64),
        ],
    )
    def test_exact(self, target, rows, row_m):
        sized = spec_for_target(make_spec(), target)
        assert sized.number("solar", "tracker_unit_rows") == rows
        assert sized.number("solar", "tracker_row_m") == row_m

    @given(st.sampled_from(["tracker", "fixed"]), st.floats(100, 20_000))
    def test_whole_units_come_near_the_target(self, mounting, target):
        rules = make_spec({"solar": {"mounting": mounting}})
        least, unit = solar_unit(rules), solar_unit(spec_for_target(rules, target))
        met = target // unit.ac_kw * unit.ac_kw
        assert unit.ac_kw >= least.ac_kw - 1e-9
        assert met >= target // least.ac_kw * least.ac_kw - 1e-6
        assert met >= 0.89 * target or target < least.ac_kw

    def test_rows_that_were_asked_for_stay(self):
        rules = make_spec({"solar": {"tracker_unit_rows": 4}})
        assert spec_for_target(rules, 150.0) is rules
