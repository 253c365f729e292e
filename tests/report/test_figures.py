import base64
import io

import numpy as np
import pytest
import shapely
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from PIL import Image

from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.report import figures, overlay, profile
from pacifico.report.elevations import height_change, longest_way, road_profile, stationed
from pacifico.report.mapframe import nice, nice_above, stretched
from pacifico.run.html import OVERLAY

LIMITS = {"solar_array": 10.0, "inverter_skid": 5.0, "substation": 3.0}


def words(figure):
    return " ".join(t.get_text() for ax in figure.axes for t in ax.findobj(Text))


def drawn(figure):
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def test_every_figure_draws_and_shows_itself(site, dem, layout):
    made = [
        figures.site_figure(site, dem),
        figures.slope_figure(site, dem, LIMITS),
        figures.buildable_figure(layout, dem),
        figures.layout_figure(layout, dem),
        figures.cut_fill_figure(layout, dem),
        profile.profile_figure(layout, dem, max_grade_pct=10.0),
    ]
    for figure in made:
        assert figure._repr_png_().startswith(b"\x89PNG")
        assert figure.get_figwidth() == pytest.approx(9.4)


def test_the_same_data_draw_the_same_bytes(layout, dem):
    assert drawn(figures.layout_figure(layout, dem)) == drawn(figures.layout_figure(layout, dem))


def test_slope_shares_are_those_of_the_site(site, dem):
    # A plane of 3.16 % is 1.81 degrees steep everywhere.
    text = words(figures.slope_figure(site, dem, LIMITS))
    assert "0–3°: 100% of the site" in text
    assert "3–5°: 0% of the site" in text
    assert "no longer: substation" in text


def test_maps_have_scale_bar_north_arrow_and_legend(layout, dem):
    figure = figures.layout_figure(layout, dem)
    text = words(figure)
    assert "N" in text.split()
    assert " 0 100 200 m " in f" {text} "
    assert "Solar array: 1" in text
    assert "Road: 0.70 km" in text


def test_footprints_are_drawn_where_they_are(layout, dem):
    figure = figures.layout_figure(layout, dem)
    blue = [
        p
        for p in figure.axes[0].patches
        if isinstance(p, PathPatch) and p.get_facecolor()[:3] == (0.0, 114 / 255, 178 / 255)
    ]
    array = next(a for a in layout.of_kind("asset") if a["asset_type"] == "solar_array")
    np.testing.assert_allclose(blue[0].get_path().get_extents().extents, array.geometry.bounds)


def test_holes_stay_open(layout, dem):
    ring = shapely.box(*layout.boundary.bounds).difference(layout.boundary.centroid.buffer(50))
    collection = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "buildable"))
    features = (*collection.features, StoredFeature("buildable", {}, ring, ring))
    figure = figures.buildable_figure(StoredLayout(layout.about, layout.crs, features), dem)
    green = [
        p for p in figure.axes[0].patches if isinstance(p, PathPatch) and p.get_path().codes.tolist().count(1) == 2
    ]
    assert len(green) == 1


def test_coarse_ground_is_called_coarse(layout, site, dem):
    dem.attrs["source_resolution_m"] = 83.0
    assert "no claim about grading" in words(profile.profile_figure(layout, dem))
    assert "no claim about grading" in words(figures.slope_figure(site, dem, LIMITS))
    assert "no claim" in words(figures.cut_fill_figure(layout, dem))


class TestEarth:
    def test_the_longest_way_starts_at_the_entry_and_ignores_side_roads(self, layout):
        way = longest_way(layout)
        assert np.hypot(*np.diff(way[:, :2], axis=0).T).sum() == pytest.approx(700.0, abs=0.02)
        np.testing.assert_allclose(way[[0, -1], 2], [103.0, 120.0])

    def test_profile_against_the_plane(self, layout, dem):
        found = road_profile(layout, dem)
        x = np.minimum(found.station_m, 500.0)
        y = 300 + np.maximum(found.station_m - 500.0, 0.0)
        np.testing.assert_allclose(found.ground_m, 100 + 0.03 * x + 0.01 * y, atol=0.01)
        assert found.grade_pct[0] == pytest.approx(3.5, abs=0.01)
        assert found.grade_pct[-1] == pytest.approx(1.0, abs=0.01)

    def test_height_change_under_the_pad_is_design_minus_ground(self, layout, dem):
        xy, dz = height_change(layout, dem)[0]
        centre = layout.of_kind("pad")[0].geometry.centroid
        ground = 100 + 0.03 * 420 + 0.01 * 370 + 0.03 * (xy[:, 0] - centre.x) + 0.01 * (xy[:, 1] - centre.y)
        np.testing.assert_allclose(dz, 116.0 - ground, atol=0.01)
        assert len(dz) > 100

    def test_without_roads_there_is_no_profile(self, layout, dem):
        bare = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "road"))
        assert profile.profile_figure(bare, dem) is None
        figures.layout_figure(bare, dem)
        figures.cut_fill_figure(bare, dem)

    def test_stations_keep_vertices_and_repeats_vanish(self):
        line = np.array([[0.0, 0, 0], [0, 0, 0], [10, 0, 1], [10, 5, 1]])
        dense = stationed(line, 4.0)
        assert np.hypot(*np.diff(dense[:, :2], axis=0).T).max() <= 4.0
        for vertex in line:
            assert (np.abs(dense - vertex).max(axis=1) < 1e-12).any()
        np.testing.assert_allclose(dense[1], [10 / 3, 0, 1 / 3])


class TestOverlay:
    def test_bounds_hold_the_dem(self, dem):
        bundle = overlay.hillshade_overlay(dem)._repr_mimebundle_()[OVERLAY]
        (south, west), (north, east) = bundle["bounds"]
        assert west < -93.0 < east
        assert south < 42.0 < north
        assert bundle["image"].startswith("data:image/png;base64,")

    def test_nodata_is_transparent(self, dem):
        dem.values[:, :100] = np.nan
        image = overlay.hillshade_overlay(dem).image
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.split(",")[1]))))
        alpha = pixels[pixels.shape[0] // 2, :, 1]
        assert alpha[len(alpha) // 4] == 0
        assert alpha[3 * len(alpha) // 4] == 255


def test_stretch_keeps_order_and_never_exaggerates():
    light = np.array([0.70, 0.705, 0.71])
    out = stretched(light, np.ones(3, dtype=bool))
    assert (np.diff(out) > 0).all()
    assert np.ptp(out) <= 8 * np.ptp(light) + 1e-12


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.99, 1.0), (730.0, 500.0), (0.3, 0.2), (5.0, 5.0)])
def test_nice_numbers(value, expected):
    assert nice(value) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.01, 2.0), (730.0, 1000.0), (0.32, 0.5), (5.0, 5.0)])
def test_nice_numbers_above(value, expected):
    assert nice_above(value) == pytest.approx(expected)


def test_samples_of_cut_and_fill_average_to_the_prism(layout, dem):
    """Mean height difference times area is cut less fill of the pad's plane."""
    _, dz = height_change(layout, dem, step_m=0.5)[0]
    centre = layout.of_kind("pad")[0].geometry.centroid
    ground = 100 + 0.03 * (420 + 0.0) + 0.01 * 370.0
    assert dz.mean() == pytest.approx(116.0 - ground, abs=1e-3)
    assert centre.x > 0
