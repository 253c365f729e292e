"""Fences around the plant: shared across gaps, inside the boundary, outside public roads, with gates for roads."""

from types import SimpleNamespace

import pytest
import shapely
from shapely import LineString, box

from pacifico.layout.ground.fences import MARGIN_M, plant_fences
from pacifico.site.model import Zone


def fences_of(*footprints, boundary=None, zones=(), roads=()):
    """Fences of footprints on a large site."""
    return plant_fences(
        SimpleNamespace(boundary=boundary or box(-5000, -5000, 5000, 5000), exclusions=zones),
        [SimpleNamespace(footprint=f) for f in footprints],
        [SimpleNamespace(line=r) for r in roads],
    )


def test_one_asset_has_a_fence_at_the_margin():
    (fence,) = fences_of(box(0, 0, 40, 20))
    assert fence.length_m == pytest.approx(2 * (60 + 40))
    assert fence.line.is_ring
    assert shapely.Polygon(fence.line).equals(box(0, 0, 40, 20).buffer(MARGIN_M, join_style="mitre"))
    assert fence.properties() == {"fence_id": "FN001", "length_m": 200.0, "gates": 0}


@pytest.mark.parametrize(("gap", "count"), [(80, 1), (100, 2)])
def test_a_fence_encloses_narrow_gaps(gap, count):
    fences = fences_of(box(0, 0, 40, 20), box(40 + gap, 0, 90 + gap, 20))
    assert len(fences) == count
    assert [f.fence_id for f in fences] == ["FN001", "FN002"][:count]
    assert sorted((f.length_m for f in fences), reverse=True) == [f.length_m for f in fences]


def test_each_road_that_passes_has_a_gate():
    through = LineString([(-100, 10), (200, 10)])
    end = LineString([(20, 10), (20, 200)])
    (fence,) = fences_of(box(0, 0, 40, 20), roads=(through, end))
    assert fence.gates == 3


def test_fences_stay_inside_the_boundary_and_outside_public_roads():
    boundary, road = box(-3, -100, 200, 200), Zone(box(55, -100, 61, 200), zone_type="road", name="Road")
    fences = fences_of(box(0, 0, 40, 20), box(70, 0, 110, 20), boundary=boundary, zones=(road,))
    assert len(fences) == 2
    for fence in fences:
        assert boundary.covers(fence.line)
        assert not shapely.Polygon(fence.line).intersection(road.geometry).area


def test_the_boundary_is_fenced_where_that_is_shorter():
    """Many small blocks spread over the site: a fence for each would be longer than one for all."""
    blocks = [box(x, y, x + 10, y + 10) for x in range(0, 1000, 125) for y in range(0, 1000, 125)]
    boundary = box(-20, -20, 920, 920)
    (fence,) = fences_of(*blocks, boundary=boundary)
    assert fence.length_m == pytest.approx(boundary.length)


def test_no_assets_need_no_fence():
    assert fences_of() == ()


def test_a_road_that_the_plant_uses_lies_inside_the_fence():
    track = Zone(box(-100, 30, 200, 40), "track", "road", drivable=True, existing=True)
    assert len(fences_of(box(0, 0, 40, 20), box(0, 50, 40, 70), zones=(track,))) == 1
    public = Zone(box(-100, 30, 200, 40), "County road", "road", drivable=True)
    assert len(fences_of(box(0, 0, 40, 20), box(0, 50, 40, 70), zones=(public,))) == 2
