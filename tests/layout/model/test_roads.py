"""Records of roads: criteria, grades and properties of the file."""

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.earthwork import CorridorVolumes
from pacifico.layout.model.roads import Network, RoadCriteria, make_road, min_radius_to, road_criteria

XYZ = np.array([(0.0, 0.0, 100.0), (30.0, 40.0, 102.5), (30.0, 140.0, 102.5)])


def test_length_and_grades_of_a_road():
    road = make_road("R001", "spine", XYZ, 6.1)
    assert road.length_m == pytest.approx(150.0)
    assert road.max_grade_pct == pytest.approx(5.0)
    assert road.mean_grade_pct == pytest.approx(100 * 2.5 / 150)
    assert road.line.has_z


def test_properties_of_a_road():
    properties = make_road("R001", "spur", XYZ, 6.1).properties(CorridorVolumes(1.234, 5.678, 0.0, 0.0, 0.0))
    assert properties == {
        "road_id": "R001", "road_class": "spur", "width_m": 6.1, "length_m": 150.0, "max_grade_pct": 5.0,
        "mean_grade_pct": 1.667, "cut_m3": 1.23, "fill_m3": 5.68,
    }  # fmt: skip


def test_length_of_a_network_is_that_of_its_roads():
    road = make_road("R001", "spine", XYZ, 6.1)
    assert Network((road, road), None).length_m == pytest.approx(300.0)
    assert Network((), None).length_m == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width_m": 0.0}, "width_m is 0.0; give a value above 0"),
        ({"max_grade": float("nan")}, "max_grade is nan"),
        ({"grade_margin": 0.1}, "grade_margin is 0.1; give 0 or more and less than max_grade"),
        ({"grade_margin": -0.01}, "grade_margin is -0.01"),
    ],
)
def test_criteria_out_of_range_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        RoadCriteria(**values)


def test_criteria_are_taken_from_the_spec():
    spec = make_spec({"road": {"width_m": 5.0, "max_grade_pct": 8.0, "min_radius_m": 15.0, "max_cut_fill_m": 2.0}})
    found = road_criteria(spec, "solar_farm")
    assert (found.width_m, found.max_grade, found.min_radius_m, found.max_cut_fill_m) == (5.0, 0.08, 15.0, 2.0)


def test_roads_of_wind_plants_are_at_least_as_wide_as_turbines_need():
    spec = make_spec({"road": {"width_m": 5.0}, "wind_road": {"width_m": 5.5}})
    assert road_criteria(spec, "wind_hybrid").width_m == 5.5
    assert road_criteria(spec, "hybrid").width_m == 5.0


def test_only_turbines_need_wider_bends():
    spec = make_spec()
    assert min_radius_to("wind_turbine", spec) == spec.number("wind_road", "min_radius_m")
    assert min_radius_to("battery", spec) == 0.0
