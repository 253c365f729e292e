"""Requests for layouts."""

import pytest
from pyproj import CRS
from shapely import Point, box

from pacifico.errors import InputError
from pacifico.layout.criteria.design import Design
from pacifico.layout.layout_request import checked_design, checked_request
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.site.model import Anchor, Site, Zone

UTM = CRS.from_epsg(32615)
GATE = Anchor(Point(500_001, 4_600_300), "gate", is_entry=True)
SITE = Site("site", UTM, box(500_000, 4_600_000, 500_600, 4_600_600), anchors=(GATE,))
POND = Zone(box(500_100, 4_600_100, 500_150, 4_600_150), "pond", "hard", 0.0)


def test_an_unknown_keyword_is_a_type_error():
    assert checked_design({"profile": "bess"}) == Design(profile="bess")
    with pytest.raises(TypeError, match="no keyword 'profil'"):
        checked_design({"profil": "bess"})


def test_exclusions_join_those_of_the_site():
    request = checked_request(SITE, Design(), (POND,))
    assert [zone.name for zone in request.site.exclusions] == ["pond"]
    assert request.site.entries == SITE.entries


def test_a_requested_entry_replaces_those_of_the_file():
    assert checked_request(SITE, Design(entry=(-93.0, 41.5)), ()).site.entries == ()


def test_limits_follow_the_profile_and_its_spec():
    request = checked_request(SITE, Design(spec={"solar_array": {"slope_limit_deg": 7.0}}), ())
    assert request.slope_limit_deg == 7.0


def test_a_value_out_of_range_is_refused():
    with pytest.raises(InputError, match="target capacity"):
        checked_request(SITE, Design(target_capacity_kw=-1.0), ())


@pytest.mark.parametrize(
    ("asked_kw", "limit_kw", "target_kw"),
    [(None, 0.0, None), (5_000.0, 0.0, 5_000.0), (5_000.0, 3_000.0, 3_000.0), (2_000.0, 3_000.0, 2_000.0), (None, 3_000.0, 3_000.0)],
)  # fmt: skip
def test_the_target_is_no_more_than_the_grid_takes(asked_kw, limit_kw, target_kw):
    request = checked_request(SITE, Design(target_capacity_kw=asked_kw, spec={"grid": {"limit_kw": limit_kw}}), ())
    assert request.target_kw == target_kw
    assert request.capacities.solar_kw == target_kw
    assert bool(request.over_grid) == (asked_kw is not None and asked_kw > target_kw)


def test_a_turned_request_keeps_all_but_its_directions():
    request = checked_request(SITE, Design(target_capacity_kw=5000.0), (POND,))
    turned = request.turned(TurnedFrame(90.0, (500_000.0, 4_600_000.0)))
    assert (turned.profile, turned.target_kw, turned.capacities) == (request.profile, 5000.0, request.capacities)
    assert turned.site.boundary.equals(box(499_400, 4_600_000, 500_000, 4_600_600))
    assert turned.spec.number("wind_turbine", "wind_from_deg") == 180.0
