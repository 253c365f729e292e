"""Layouts of version 1 are read as version 2 states them."""

import copy
import json

import pytest

from pacifico.errors import InputError
from pacifico.layout.files.stored import StoredLayout, read_layout
from pacifico.layout.files.versions import upgraded

OLD = {
    "schema_version": 1,
    "profile": "solar_farm",
    "metrics": {
        "cut_volume_m3": 100.0, "fill_volume_m3": 80.0, "net_earthwork_m3": 20.0, "batter_cut_m3": 30.0, "batter_fill_m3": 5.0,
        "earthwork_p10_p90_m3": [190.0, 260.0], "earthwork_p50_m3": 220.0, "buildable_area_ha": 30.0,
        "buildable_area_p10_p90_ha": [25.0, 29.0], "buildable_area_p50_ha": 27.0, "road_length_m": 10.0,
    },
}  # fmt: skip


def test_totals_of_version_1_get_their_side_slopes():
    new = upgraded(OLD)
    m = new["metrics"]
    assert new["schema_version"] == 2
    assert (m["cut_volume_m3"], m["fill_volume_m3"], m["net_earthwork_m3"]) == (130.0, 85.0, 45.0)
    assert (m["batter_cut_m3"], m["road_length_m"], new["profile"]) == (30.0, 10.0, "solar_farm")


def test_intervals_of_version_1_are_widened_to_hold_their_value():
    m = upgraded(OLD)["metrics"]
    # 190 to 260 and side slopes of 35; the total is 215
    assert (m["earthwork_p10_p90_m3"], m["earthwork_p50_m3"]) == ([215.0, 295.0], 215.0)
    assert (m["buildable_area_p10_p90_ha"], m["buildable_area_p50_ha"]) == ([25.0, 30.0], 30.0)


def test_the_given_member_is_not_changed():
    before = copy.deepcopy(OLD)
    upgraded(OLD)
    assert before == OLD


def test_version_2_stays_as_it_is():
    assert upgraded(upgraded(OLD)) == upgraded(OLD)


@pytest.mark.parametrize(
    "metrics",
    [
        None,
        [],
        {},
        OLD["metrics"] | {"cut_volume_m3": "many"},
        OLD["metrics"] | {"cut_volume_m3": 10**400},
        OLD["metrics"] | {"fill_volume_m3": float("inf")},
        OLD["metrics"] | {"earthwork_p10_p90_m3": [1.0]},
        OLD["metrics"] | {"earthwork_p10_p90_m3": [1.0, 10**400]},
    ],
)
def test_invalid_metrics_are_left_for_the_reader_to_refuse(metrics):
    assert upgraded(OLD | {"metrics": metrics})["metrics"] == metrics


def old_file(layout):
    """A layout as version 1 wrote it."""
    old = copy.deepcopy(layout)
    about = old["pacifico"]
    m = about["metrics"]
    about["schema_version"] = 1
    del about["headline"]
    m["cut_volume_m3"] = round(m["cut_volume_m3"] - m["batter_cut_m3"], 1)
    m["fill_volume_m3"] = round(m["fill_volume_m3"] - m["batter_fill_m3"], 1)
    m["net_earthwork_m3"] = round(m["cut_volume_m3"] - m["fill_volume_m3"], 1)
    m["earthwork_p10_p90_m3"] = [v + 1e4 for v in m["earthwork_p10_p90_m3"]]
    return old


def test_a_file_of_version_1_is_read_with_the_totals_of_version_2(layout, tmp_path):
    path = tmp_path / "old.geojson"
    path.write_text(json.dumps(old_file(layout)))
    content = read_layout(path)
    stored = StoredLayout.of(content)
    for metrics in (content["pacifico"]["metrics"], stored.metrics):
        for name in ("cut_volume_m3", "fill_volume_m3", "net_earthwork_m3", "earthwork_p50_m3"):
            assert metrics[name] == pytest.approx(layout["pacifico"]["metrics"][name], abs=0.11)
        low, high = metrics["earthwork_p10_p90_m3"]
        assert low <= metrics["cut_volume_m3"] + metrics["fill_volume_m3"] <= high
    assert content["pacifico"]["schema_version"] == 2


def test_an_invalid_file_of_version_1_is_refused(layout):
    old = old_file(layout)
    del old["pacifico"]["metrics"]["batter_cut_m3"]
    with pytest.raises(InputError, match="metrics an object is not valid"):
        StoredLayout.of(old)


@pytest.mark.parametrize("version", [1, 2])
def test_a_number_too_large_for_a_float_is_refused(layout, version):
    old = old_file(layout) if version == 1 else copy.deepcopy(layout)
    old["pacifico"]["metrics"]["cut_volume_m3"] = 10**400
    with pytest.raises(InputError):
        StoredLayout.of(old)
