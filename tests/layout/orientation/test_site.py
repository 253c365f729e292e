"""Sites and specs in a turned frame."""

import numpy as np
import pytest
import shapely
from shapely import Point
from shapely.affinity import rotate

from pacifico.errors import InputError
from pacifico.layout.criteria.setbacks import set_back
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.layout.orientation.site import restored_spec, turned_site, turned_spec
from pacifico.site.model import Anchor, NamedLine, Zone


@pytest.fixture
def site(make):
    return make.site(
        exclusions=(Zone(make.at(100, 100, 150, 150), "pond", "buffered", 5.0),),
        anchors=(Anchor(Point(make.west, make.south + 300), "gate", is_entry=True),),
        lines=(NamedLine(shapely.LineString([(make.west, make.south), (make.west + 600, make.south)]), "County road"),),
    )


def frame(make, degrees):
    return TurnedFrame(degrees, (make.west + 300, make.south + 300))


def test_all_parts_turn_and_the_area_stays(make, site):
    turned = turned_site(site, frame(make, 90.0))
    assert turned.boundary.equals(site.boundary)
    assert turned.exclusions[0].geometry.equals(make.at(450, 100, 500, 150))
    assert turned.exclusions[0].buffer_m == 5.0
    assert turned.anchors[0].point == Point(make.west + 300, make.south)
    assert turned.lines[0].line.coords[1] == (make.west + 600, make.south + 600)
    assert turned_site(site, frame(make, 33.0)).area_ha == site.area_ha


def test_the_wind_turns_with_the_site(make, site):
    spec = turned_spec(make_spec(), frame(make, 20.0), site)
    assert spec.number("wind_turbine", "wind_from_deg") == 250.0


@pytest.mark.parametrize("degrees", [20.0, -35.0, 60.0, 90.0])
@pytest.mark.parametrize("edges", ["north", "west", 2, "county road", ["south", 1]])
def test_setbacks_hold_the_edges_of_the_map(make, site, degrees, edges):
    spec = make_spec({"site": {"setbacks": [{"edges": edges, "setback_m": 80.0}]}})
    turned = frame(make, degrees)
    inside = set_back(site.boundary, 10.0, spec.setbacks, site.lines)
    in_frame = turned_spec(spec, turned, site).setbacks
    found = set_back(turned_site(site, turned).boundary, 10.0, in_frame)
    back = rotate(found, -degrees, origin=turned.origin)
    assert shapely.symmetric_difference(inside, back).area < 1.0


def test_an_edge_that_is_not_there_is_refused(make, site):
    spec = make_spec({"site": {"setbacks": [{"edges": 9, "setback_m": 80.0}]}})
    with pytest.raises(InputError, match="names edge 9"):
        turned_spec(spec, frame(make, 20.0), site)


@pytest.mark.parametrize(
    "overrides",
    [
        {"solar": {"row_azimuth_deg": 20.0}},
        {"wind_turbine": {"wind_from_deg": 200.0, "rotor_m": 150.0}, "site": {"setback_m": 20.0}},
        {"site": {"setbacks": [{"edges": "north", "setback_m": 30.0}]}},
    ],
)
def test_a_restored_spec_is_the_given_one(make, site, overrides):
    given = make_spec(overrides)
    turned = turned_spec(given, frame(make, 20.0), site)
    assert restored_spec(turned, given) == given


def test_rules_that_the_layout_changed_stay_changed(make, site):
    given = make_spec({"solar": {"row_azimuth_deg": 20.0}})
    turned = turned_spec(given, frame(make, 20.0), site).with_rules("solar", {"array_max_kw": 300.0})
    assert restored_spec(turned, given).number("solar", "array_max_kw") == 300.0
    assert np.isclose(restored_spec(turned, given).number("wind_turbine", "wind_from_deg"), 270.0)
