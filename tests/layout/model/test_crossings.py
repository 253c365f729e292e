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
