"""Record of a cable."""

from shapely import LineString

from pacifico.layout.model.cables import Cable


def test_properties_state_the_length_in_plan():
    cable = Cable("F01-01", "battery-0001", "substation-0001", 34.5, LineString([(0, 0), (3, 4)]), True, 5.0)
    assert cable.length_m == 5.0
    assert cable.properties() == {
        "cable_id": "F01-01",
        "from_id": "battery-0001",
        "to_id": "substation-0001",
        "voltage_kv": 34.5,
        "length_m": 5.0,
        "in_road_trench": True,
    }
