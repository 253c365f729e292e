"""Why not more: table, figure and map layer of the land waterfall."""

from dataclasses import replace

import pytest
from pyproj import CRS
from shapely import box

from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import LABELS, LandPart, LandUse, Reason
from pacifico.layout.model.levers import Lever, Levers
from pacifico.report import land
from pacifico.run.html import LAND

PARTS = (
    LandPart(Reason.EXCLUSION, "<b>wood", 1.0, box(500_000, 4_600_000, 500_100, 4_600_100)),
    LandPart(Reason.TOO_STEEP, "Too steep", 5.0, box(500_100, 4_600_000, 500_400, 4_600_100)),
    LandPart(Reason.USED, "Used", 4.0, box(500_400, 4_600_000, 500_800, 4_600_100)),
)
USE = LandUse("hill", 10.0, CRS.from_epsg(32615), PARTS)
STEEP = Lever("solar_array.slope_limit_deg", "slope limit 12°", Reason.TOO_STEEP, 4100.0, 5.2e6)


def test_the_table_has_every_part_with_its_lever_escaped():
    html = land.LandTable(USE, Levers("hill", (STEEP,)))._repr_html_()
    assert "&lt;b&gt;wood" in html
    assert "<b>wood" not in html
    assert 'data-land="too_steep"' in html
    assert "slope limit 12°: +4.1 MW, +5.20 million USD" in html
    assert "−5.0</td><td>50%" in html


def test_without_levers_there_is_no_column_for_them():
    html = land.LandTable(USE)._repr_html_()
    assert "What would change it" not in html
    assert "Too steep" in repr(land.LandTable(USE))


def test_the_map_layer_has_a_colour_for_each_part():
    content = land.LandLayer(USE)._repr_mimebundle_()[LAND]
    assert [f["properties"]["colour"] for f in content["features"]] == [land.COLOURS[p.reason] for p in PARTS]


def test_every_reason_on_the_site_has_a_colour():
    assert set(land.COLOURS) == {*LABELS, Reason.EXCLUSION}


def test_the_figure_names_every_part_with_its_area(make):
    dem = make.dem(make.ground(make.level, 800, 100))
    figure = land.land_figure(USE, dem, boundary=box(500_000, 4_600_000, 500_800, 4_600_100))
    texts = [t.get_text() for ax in figure.axes for t in ax.texts]
    assert "Too steep: 5.0 ha (50%)" in texts
    assert "Site: 10.0 ha (100%)" in texts


@pytest.mark.parametrize(("target_kw", "wanted", "solved"), [(500, None, False), (50_000, None, True), (50_000, False, False)])  # fmt: skip
def test_levers_are_solved_where_a_small_plant_misses_its_target(make, monkeypatch, target_kw, wanted, solved):
    dem = make.dem(make.ground(make.level, 200, 200))
    plan = generate_layout(make.site(200, 200), dem, target_capacity_kw=target_kw)
    assert (land.levers_of(plan, dem, wanted=wanted) is not None) == solved
    if solved:
        monkeypatch.setattr(land, "MOST_ASSETS", 0)
        assert land.levers_of(replace(plan), dem, wanted=None) is None
