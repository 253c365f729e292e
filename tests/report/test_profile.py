"""The road profile figure, with its grade limit and without roads."""

import numpy as np
import pytest
import shapely
from matplotlib.text import Text

from pacifico.layout.files.stored import StoredLayout
from pacifico.report import elevations, figures, profile


def words(figure):
    return [t.get_text() for t in figure.findobj(Text)]


def area(ring):
    return shapely.Polygon(ring).buffer(0).area


def test_the_profile_shows_length_and_grade_limit(layout, dem):
    text = words(profile.profile_figure(layout, dem, max_grade_pct=10.0))
    assert "Road profile: longest way from the entry, 0.70 km" in text
    assert "limit 10 % " in text


def test_cut_and_fill_are_filled_to_where_the_lines_cross(layout, dem):
    road = elevations.road_profile(layout, dem)
    upper = profile.profile_figure(layout, dem).axes[0]
    cut, fill = (sum(area(p.vertices) for p in drawn.get_paths()) for drawn in upper.collections[:2])
    above = road.ground_m - road.design_m
    fine = np.linspace(0, road.station_m[-1], 200_001)
    dense = np.interp(fine, road.station_m, above)
    assert cut == pytest.approx(np.trapezoid(np.maximum(dense, 0), fine), rel=1e-4)
    assert fill == pytest.approx(np.trapezoid(np.maximum(-dense, 0), fine), rel=1e-4)
    assert min(cut, fill) > 0


def test_without_roads_there_is_no_profile(layout, dem):
    bare = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "road"))
    assert profile.profile_figure(bare, dem) is None
    figures.layout_figure(bare, dem)
    figures.cut_fill_figure(bare, dem)
