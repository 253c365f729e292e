"""Figures of a report show the layout where it is."""

import io

import numpy as np
import pytest
import shapely
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.report import figures, profile

LIMITS = {"solar_array": 10.0, "inverter_skid": 5.0, "substation": 3.0}


def words(figure):
    return " ".join(t.get_text() for ax in figure.axes for t in ax.findobj(Text))


def drawn(figure):
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def test_every_figure_is_drawn_at_one_width(site, dem, layout):
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


def test_the_same_data_give_the_same_bytes(layout, dem):
    assert drawn(figures.layout_figure(layout, dem)) == drawn(figures.layout_figure(layout, dem))


def test_slope_classes_have_their_share_of_the_site(site, dem):
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


def test_footprints_are_drawn_at_their_place(layout, dem):
    figure = figures.layout_figure(layout, dem)
    blue = [
        p
        for p in figure.axes[0].patches
        if isinstance(p, PathPatch) and p.get_facecolor()[:3] == (0.0, 114 / 255, 178 / 255)
    ]
    array = next(a for a in layout.of_kind("asset") if a["asset_type"] == "solar_array")
    np.testing.assert_allclose(blue[0].get_path().get_extents().extents, array.geometry.bounds)


def test_holes_are_kept_open(layout, dem):
    ring = shapely.box(*layout.boundary.bounds).difference(layout.boundary.centroid.buffer(50))
    collection = StoredLayout(layout.about, layout.crs, tuple(f for f in layout.features if f.kind != "buildable"))
    features = (*collection.features, StoredFeature("buildable", {}, ring, ring))
    figure = figures.buildable_figure(StoredLayout(layout.about, layout.crs, features), dem)
    green = [
        p for p in figure.axes[0].patches if isinstance(p, PathPatch) and p.get_path().codes.tolist().count(1) == 2
    ]
    assert len(green) == 1


def test_coarse_ground_is_marked_as_coarse(layout, site, dem):
    dem.attrs["source_resolution_m"] = 83.0
    assert "no claim about grading" in words(profile.profile_figure(layout, dem))
    assert "no claim about grading" in words(figures.slope_figure(site, dem, LIMITS))
    assert "no claim" in words(figures.cut_fill_figure(layout, dem))
