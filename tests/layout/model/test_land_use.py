"""Records of a land waterfall: sums, keys and what they show."""

import pytest
from pyproj import CRS
from shapely import box

from pacifico.layout.model.land_use import LABELS, LandPart, LandUse, Reason

PARTS = (
    LandPart(Reason.SETBACK, "Setback", 2.0, box(0, 0, 100, 200)),
    LandPart(Reason.EXCLUSION, "A & B", 1.0, box(100, 0, 200, 100)),
    LandPart(Reason.TOO_STEEP, "Too steep", 3.0, box(0, 200, 100, 500)),
    LandPart(Reason.USED, "Used", 4.0, box(200, 0, 400, 200)),
)


@pytest.fixture
def land():
    return LandUse("hill", 10.0, CRS.from_epsg(32615), PARTS)


def test_areas_add_up_by_reason(land):
    assert (land.used_ha, land.buildable_ha) == (4.0, 4.0)
    assert land.hectares_of(Reason.TOO_STEEP) == 3.0
    assert list(land.to_frame()["left_ha"]) == [10.0, 8.0, 7.0, 4.0, 4.0]


def test_exclusions_have_their_names_as_keys(land):
    assert [p.key for p in land.parts] == ["setback", "exclusion:A & B", "too_steep", "used"]


def test_every_reason_on_the_site_has_a_label_but_exclusions():
    assert set(Reason) - set(LABELS) == {Reason.OUTSIDE, Reason.EXCLUSION}


def test_it_names_the_largest_loss_and_escapes_names(land):
    assert repr(land) == "<LandUse 'hill': 4.0 of 10.0 ha used; largest loss: too steep>"
    assert "A &amp; B" in land._repr_html_()


def test_geojson_has_areas_and_shares(land):
    properties = [f["properties"] for f in land.to_geojson()["features"]]
    assert properties[2] == {"kind": "land_use", "key": "too_steep", "name": "Too steep", "area_ha": 3.0, "share": 0.3}
