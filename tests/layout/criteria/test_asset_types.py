"""Asset types by hand: dimensions and ratings, solar units, units for a small target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import (
    DEFAULT_CLEARANCE_M,
    asset_type,
    check_array_sizes,
    feeder_mva,
    solar_unit,
    solar_units,
    spec_for_target,
    strip_gap_m,
    substation_type,
)
from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.vocabulary import ASSET_KINDS


def test_every_asset_type_has_a_section_in_the_catalog():
    assert all("slope_limit_deg" in catalog()[kind] for kind in ASSET_KINDS)


@pytest.mark.parametrize(
    ("kind", "ratings"),
    [
        ("battery", (0, 5000, 20000, 0)),
        ("generator", (2500, 0, 0, 0)),
        ("gas_turbine", (47500, 0, 0, 0)),
        ("wind_turbine", (5000, 0, 0, 0)),
        ("inverter_skid", (0, 0, 0, 4200)),
        ("cooling_system", (0, 0, 0, 0)),
        ("control_center", (0, 0, 0, 0)),
    ],
)
def test_ratings_are_those_of_the_catalog(kind, ratings):
    found = asset_type(make_spec(), kind)
    assert (found.capacity_kw, found.storage_kw, found.storage_kwh, found.rating_kva) == ratings


def test_a_type_without_a_clearance_gets_the_default():
    assert asset_type(make_spec(), "inverter_skid").clearance_m == DEFAULT_CLEARANCE_M
    assert asset_type(make_spec(), "battery").clearance_m == 3.05


def test_a_feeder_carries_root_three_times_voltage_times_current():
    assert feeder_mva(make_spec()) == pytest.approx(1.7320508 * 34.5 * 0.5, rel=1e-6)


def test_tracker_unit_by_hand():
    """A row of 64 m x 2.4 m at 22 % and 1 kW/m2; pitch 2.4 / 0.35."""
    unit = solar_unit(make_spec())
    assert unit.dc_kw == pytest.approx(33.792, abs=1e-9)
    assert unit.ac_kw == pytest.approx(25.9938462, abs=1e-6)
    assert unit.pitch_x_m == pytest.approx(6.8571429, abs=1e-6)
    assert unit.gap_x_m == pytest.approx(4.4571429, abs=1e-6)
    assert unit.height_m == 64
    assert unit.least_units == 4  # 3 would be 78 kW
    assert unit.most_units == 19  # 20 would be 520 kW


def test_fixed_unit_by_hand():
    """6 rows of 32 m x 4.8 m, 10.667 m apart."""
    unit = solar_unit(make_spec({"solar": {"mounting": "fixed"}}))
    assert unit.dc_kw == pytest.approx(202.752, abs=1e-9)
    assert unit.ac_kw == pytest.approx(155.9630769, abs=1e-6)
    assert unit.height_m == pytest.approx(58.1333333, abs=1e-6)
    assert (unit.pitch_x_m, unit.gap_x_m, unit.most_units) == (33, 1, 3)


def test_a_pocket_unit_of_trackers_is_a_half_row():
    full, pocket = solar_unit(make_spec()), solar_unit(make_spec(), pocket=True)
    assert pocket.dc_kw == pytest.approx(full.dc_kw / 2)
    assert pocket.height_m == full.height_m / 2
    assert pocket.pitch_x_m == full.pitch_x_m


def test_a_pocket_unit_of_many_fixed_rows_has_the_same_power_in_other_proportions():
    spec = make_spec({"solar": {"mounting": "fixed", "fixed_unit_rows": 8}})
    full, pocket = solar_unit(spec), solar_unit(spec, pocket=True)
    assert pocket.dc_kw == pytest.approx(full.dc_kw)
    assert pocket.height_m < full.height_m
    assert pocket.pitch_x_m > full.pitch_x_m


def test_a_pocket_unit_of_few_fixed_rows_is_a_table_long():
    spec = make_spec({"solar": {"mounting": "fixed"}})
    full, pocket = solar_unit(spec), solar_unit(spec, pocket=True)
    assert pocket.dc_kw == pytest.approx(full.dc_kw * 4 / 6)
    assert pocket.height_m < full.height_m
    assert pocket.pitch_x_m == full.pitch_x_m


@pytest.mark.parametrize("rows", [4, 5, 6, 7, 8, 10, 12])
def test_footprints_of_fixed_arrays_are_no_denser_than_modules_at_half_cover(rows):
    spec = make_spec({"solar": {"mounting": "fixed", "fixed_unit_rows": rows}})
    for unit in solar_units(spec):
        assert unit.dc_kw / ((unit.pitch_x_m - unit.gap_x_m) * unit.height_m) <= 0.115


@pytest.mark.parametrize(("gcr", "rows"), [(0.2, 5), (0.45, 4), (0.6, 3), (0.8, 2)])
def test_the_fewest_fixed_rows_follow_from_their_gap(gcr, rows):
    spec = make_spec({"solar": {"mounting": "fixed", "fixed_gcr": gcr, "fixed_collector_m": 5.0}})
    pocket = solar_unit(spec, pocket=True)
    assert pocket.height_m == pytest.approx((max(rows, 3) - 1) * 5.0 / gcr + 5.0)


def test_arrays_are_made_of_full_half_and_third_rows():
    spec = make_spec()
    assert [u.height_m for u in solar_units(spec)] == pytest.approx([64, 32, 64 / 3])
    assert [u.ac_kw for u in solar_units(spec)] == pytest.approx([solar_unit(spec).ac_kw / n for n in (1, 2, 3)])
    # fixed tables have no thirds, and third rows of short trackers are too short
    assert len(solar_units(make_spec({"solar": {"mounting": "fixed"}}))) == 2
    assert len(solar_units(make_spec({"solar": {"tracker_row_m": 32.0}}))) == 2


def test_a_single_fixed_row_has_a_pocket_of_equal_power():
    spec = make_spec({"solar": {"mounting": "fixed", "fixed_unit_rows": 1}})
    assert solar_unit(spec, pocket=True).dc_kw == pytest.approx(solar_unit(spec).dc_kw)


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_arrays_are_of_100_to_500_kw_and_within_physics(mounting):
    unit = solar_unit(make_spec({"solar": {"mounting": mounting}}))
    assert unit.least_units * unit.ac_kw >= 100
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
    """Rows of 26 kW; half rows of 13 kW and third rows of 8.66 kW."""

    @pytest.mark.parametrize(
        ("target", "parts"), [(60, 1), (104, 1), (109, 1), (131, 1), (150, 2), (126, 3), (208, 1), (495, 1), (5000, 1)]
    )
    def test_exact(self, target, parts):
        sized = spec_for_target(make_spec(), target)
        assert sized.number("solar", "tracker_unit_rows") == 1
        assert sized.number("solar", "tracker_row_m") == pytest.approx(64 / parts)

    def test_fixed_units_grow_by_rows(self):
        """Units of 6 rows make 156 kW; one of 8 rows makes 208 kW."""
        spec = make_spec({"solar": {"mounting": "fixed"}})
        assert spec_for_target(spec, 210.0).number("solar", "fixed_unit_rows") == 8

    @given(st.sampled_from(["tracker", "fixed"]), st.floats(100, 20_000))
    def test_whole_units_meet_the_target_closely(self, mounting, target):
        spec = make_spec({"solar": {"mounting": mounting}})
        least, unit = solar_unit(spec), solar_unit(spec_for_target(spec, target))
        met = target // unit.ac_kw * unit.ac_kw
        assert met >= target // least.ac_kw * least.ac_kw - 1e-6
        assert met >= 0.89 * target or target < least.least_units * least.ac_kw

    def test_overridden_rows_stay(self):
        spec = make_spec({"solar": {"tracker_unit_rows": 4}})
        assert spec_for_target(spec, 150.0) is spec


def test_fixed_tables_of_neighbouring_arrays_keep_the_gap_of_their_rows():
    fixed = {"mounting": "fixed", "fixed_collector_m": 4.8, "pair_gap_m": 3.0}
    assert strip_gap_m(make_spec({"solar": {**fixed, "fixed_gcr": 0.4}})) == pytest.approx(7.2)
    assert strip_gap_m(make_spec({"solar": {**fixed, "fixed_gcr": 0.8}})) == 3.0
    assert strip_gap_m(make_spec({"solar": {"mounting": "tracker", "pair_gap_m": 2.5}})) == 2.5


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            {"tracker_unit_rows": 40},
            "tracker_unit_rows = 40 with tracker_row_m = 64 are 1,040 kW, more than array_max_kw = 500",
        ),
        ({"mounting": "fixed", "fixed_row_m": 120.0}, "fixed_unit_rows = 6 with fixed_row_m = 120 are"),
        ({"array_max_kw": 100.0, "tracker_unit_rows": 4}, "more than array_max_kw = 100"),
        ({"array_min_kw": 400.0, "array_max_kw": 300.0}, "array_min_kw = 400 is more than array_max_kw = 300"),
    ],
)
def test_rows_that_no_array_can_hold_are_refused(rules, said):
    with pytest.raises(InputError, match=said):
        check_array_sizes(make_spec({"solar": rules}))


def test_rules_of_the_catalog_make_arrays_within_their_limits():
    for mounting in ("tracker", "fixed"):
        check_array_sizes(make_spec({"solar": {"mounting": mounting}}))
