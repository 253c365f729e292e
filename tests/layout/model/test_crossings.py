"""Record of a crossing."""

from shapely import LineString

from pacifico.layout.model.crossings import Crossing


def test_properties_are_those_of_the_contract():
    one = Crossing("X001", "culvert", "R003", "creek", "water", LineString([(0, 0), (0, 20.126)]))
    assert one.properties() == {
        "crossing_id": "X001",
        "crossing_type": "culvert",
        "of_id": "R003",
        "over": "creek",
        "zone_type": "water",
        "drained_area_ha": None,
        "length_m": 20.13,
    }


def test_a_stretch_of_an_existing_road_says_so():
    one = Crossing("X001", "upgrade", "R003", "track", "road", LineString([(0, 0), (0, 20)]), existing=True)
    assert one.properties()["existing"] is True
