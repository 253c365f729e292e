"""Record of a fence."""

from shapely import LineString

from pacifico.layout.model.fences import Fence


def test_properties_are_rounded():
    fence = Fence("FN007", LineString([(0, 0), (10.123, 0), (10.123, 5), (0, 0)]), 2)
    assert fence.properties() == {"fence_id": "FN007", "length_m": round(fence.length_m, 2), "gates": 2}
