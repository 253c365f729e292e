"""Figures of a site's terrain."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.reasons import reasons
from pacifico.terrain.summary import SiteTerrain, summary_of

UTM15 = CRS.from_epsg(32615)
LIMITS = {"solar_array": 10.0, "battery": 4.0}


def test_figures_of_two_halves():
    """100 cells, half of them at 3° and half at 6°, one without elevation, ten of them barred."""
    grid = Grid(UTM15, 500_000.0, 4_600_100.0, 10.0, 10.0, 10, 10)
    site = Site("s", UTM15, shapely.box(*grid.bounds))
    z = np.add.outer(np.zeros(10), np.arange(10.0)) + 300
    z[0, 0] = np.nan
    steep = np.where(np.arange(10)[:, None] < 5, 3.0, 6.0) + np.zeros((10, 10))
    steep[0, 0] = np.nan
    barred = np.zeros((10, 10), dtype=bool)
    barred[9] = True
    inside = np.ones((10, 10), dtype=bool)
    terrain = SiteTerrain(grid, z, steep, inside, reasons({"exclusion: x": barred}, steep, LIMITS))
    assert terrain.usable.sum() == 90
    dem = grid.data_array(z, name="elevation", source="made", source_resolution_m=10.0, warnings="one\ntwo")
    summary = summary_of(site, dem, terrain, LIMITS)
    assert summary["warnings"] == ["one", "two"]
    assert summary["elevation_m"]["min"] == 300
    assert summary["elevation_m"]["max"] == 309
    assert summary["slope_deg"]["p50"] == pytest.approx(6.0, abs=3)
    assert sum(summary["slope_histogram"]["area_ha"]) == pytest.approx(site.area_ha * 0.99, rel=1e-3)
    assert summary["why_not_buildable_ha"]["exclusion: x"] == pytest.approx(site.area_ha / 10, abs=1e-3)
    assert summary["why_not_buildable_ha"]["no elevation, or beside it"] == pytest.approx(site.area_ha / 100, abs=1e-3)
    assert summary["buildable"]["solar_array"]["slope_limit_deg"] == 10.0
    assert json.loads(json.dumps(summary)) == summary
