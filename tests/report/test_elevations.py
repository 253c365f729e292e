"""Design heights of a stored layout against its ground."""

import numpy as np
import pytest

from pacifico.layout.files.stored import StoredLayout
from pacifico.report.elevations import densified, farthest_route, height_change, road_profile


def test_the_farthest_route_starts_at_the_entry(layout):
    route = farthest_route(layout)
    assert np.hypot(*np.diff(route[:, :2], axis=0).T).sum() == pytest.approx(700.0, abs=0.02)
    np.testing.assert_allclose(route[[0, -1], 2], [103.0, 120.0])


def test_the_profile_has_the_heights_of_the_plane(layout, dem):
    found = road_profile(layout, dem)
    x = np.minimum(found.station_m, 500.0)
    y = 300 + np.maximum(found.station_m - 500.0, 0.0)
    np.testing.assert_allclose(found.ground_m, 100 + 0.03 * x + 0.01 * y, atol=0.01)
    assert found.grade_pct[0] == pytest.approx(3.5, abs=0.01)
    assert found.grade_pct[-1] == pytest.approx(1.0, abs=0.01)


def test_height_change_under_the_pad_is_design_minus_ground(layout, dem):
    xy, dz = height_change(layout, dem)[0]
    centre = layout.of_kind("pad")[0].geometry.centroid
    ground = 100 + 0.03 * 420 + 0.01 * 370 + 0.03 * (xy[:, 0] - centre.x) + 0.01 * (xy[:, 1] - centre.y)
    np.testing.assert_allclose(dz, 116.0 - ground, atol=0.01)
    assert len(dz) > 100


def test_points_are_added_and_repeats_dropped():
    line = np.array([[0.0, 0, 0], [0, 0, 0], [10, 0, 1], [10, 5, 1]])
    dense = densified(line, 4.0)
    assert np.hypot(*np.diff(dense[:, :2], axis=0).T).max() <= 4.0
    for vertex in line:
        assert (np.abs(dense - vertex).max(axis=1) < 1e-12).any()
    np.testing.assert_allclose(dense[1], [10 / 3, 0, 1 / 3])


def test_height_changes_average_to_the_prism(layout, dem):
    """Mean height difference times area is cut less fill of the pad's plane."""
    _, dz = height_change(layout, dem, step_m=0.5)[0]
    centre = layout.of_kind("pad")[0].geometry.centroid
    ground = 100 + 0.03 * (420 + 0.0) + 0.01 * 370.0
    assert dz.mean() == pytest.approx(116.0 - ground, abs=1e-3)
    assert centre.x > 0


def test_without_roads_the_route_is_empty(layout, dem):
    bare = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "road"))
    assert farthest_route(bare).shape == (0, 3)
    assert road_profile(bare, dem) is None
