"""The first picture holds the assets of a draft, before roads."""

from __future__ import annotations

import pytest
from shapely import box
from shapely.geometry import shape

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError
from pacifico.explorer.engine.first_picture import first_picture
from pacifico.layout.criteria.design import Design


@pytest.mark.parametrize("profile", ["solar_farm", "bess"])
def test_a_draft_is_about_as_large_as_asked(terrain, profile):
    found = first_picture(terrain.site, terrain.dem, Design(profile=profile, target_capacity_kw=5000.0), ())
    kinds = [f["properties"]["kind"] for f in found.features]
    assert kinds.count("boundary") == 1
    assert kinds.count("asset") == found.asset_count > 1
    assert 0.8 * 5000 < found.capacity_kw < 1.3 * 5000
    assert "road" not in kinds


def test_a_bad_design_is_refused(terrain):
    with pytest.raises(InputError, match="out of range"):
        first_picture(terrain.site, terrain.dem, Design(target_capacity_kw=1.0), ())


def test_arrays_of_a_turned_layout_are_drawn_turned(terrain):
    design = Design(target_capacity_kw=3000.0, spec={"solar": {"row_azimuth_deg": 20.0}})
    found = first_picture(terrain.site, terrain.dem, design, ())
    shapes = [shape(f["geometry"]) for f in found.features if f["properties"]["kind"] == "asset"]
    metres = [reproject(s, LONLAT, terrain.site.crs) for s in shapes]
    assert all(s.area < 0.999 * box(*s.bounds).area for s in metres)
    assert all(terrain.site.boundary.buffer(0.01).covers(s) for s in metres)
