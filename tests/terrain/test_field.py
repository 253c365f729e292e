"""Real and hostile rasters, where they are at hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacifico.errors import DEMError, PacificoError
from pacifico.grid import warnings_of
from pacifico.site.boundary import read_site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.surface import slope

pytestmark = pytest.mark.field


def test_hostile_rasters_do_as_expected(field_data):
    site = read_site(field_data / "hostile" / "utf8-bom.kml")
    cases = [
        c for c in json.loads((field_data / "hostile" / "expected.json").read_text()) if c["file"].startswith("dem-")
    ]
    assert len(cases) >= 12
    for case in cases:
        path = field_data / "hostile" / case["file"]
        if case["expect"] == "error":
            with pytest.raises(DEMError, match=r"^[^\n]+$"):
                open_dem(site, path)
            continue
        assert case["expect"] in {"ok", "error-or-warn"}, case
        dem = open_dem(site, path)
        assert bool(warnings_of(dem)) == (case["expect"] == "error-or-warn"), case
        # The control plane: 2 % and 1 %.
        assert np.nanmedian(slope(dem, units="percent")) == pytest.approx(np.hypot(2, 1), rel=2e-3), case


def facts(field_data):
    return {case["name"]: case for case in json.loads((field_data / "manifest.json").read_text())}


def test_real_dems_agree_with_what_is_known_of_them(field_data):
    names = sorted(path.stem for path in (field_data / "dem").glob("*.tif"))
    assert len(names) >= 20
    known = facts(field_data)
    for name in names:
        fact = known[name]["site"]
        site = read_site(field_data / "sites" / f"{name}.geojson")
        feet = name in {"kentucky-ft", "wisconsin-ft-nad27"}
        dem = open_dem(site, field_data / "dem" / f"{name}.tif", units="ft" if feet else None)
        own = known[name]["ground_px_m"]
        assert dem.attrs["source_resolution_m"] == pytest.approx(np.sqrt(own[0] * own[1]), rel=0.02), name
        assert dem.attrs["nodata_share"] * 100 == pytest.approx(fact["nodata_pct"], abs=1.0), name
        steep = slope(dem, units="percent")
        assert float(np.nanmedian(steep)) < 100, name


def test_feet_are_warned_of(field_data):
    for name in ("kentucky-ft", "wisconsin-ft-nad27"):
        dem = open_dem(read_site(field_data / "sites" / f"{name}.geojson"), field_data / "dem" / f"{name}.tif")
        assert any("DEM units option" in w for w in warnings_of(dem)), name


def test_swapped_site_is_caught_by_the_dem(field_data):
    with pytest.raises(PacificoError, match="lon"):
        open_dem(
            read_site(field_data / "hostile" / "lonlat-swapped-in-range.kml"), field_data / "dem" / "assam-1as.tif"
        )
