"""Names of sources, and the sample."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pacifico.errors import DEMError
from pacifico.terrain.dem import open_dem
from pacifico.terrain.sources import sample_elevation, sample_site_path, suggestion


def test_the_sample_lies_where_its_mountains_are():
    """The file's latitudes are swapped: read wrongly, the valley floor would lie elsewhere."""
    from pacifico.terrain.sources import SAMPLE_TRANSFORM

    assert SAMPLE_TRANSFORM[5] - 344 / 1200 == pytest.approx(36.44625, abs=1e-6)
    assert SAMPLE_TRANSFORM[2] + 403 / 1200 == pytest.approx(-84.07791667, abs=1e-6)


def test_opening_the_sample_imports_no_plotting():
    code = (
        "import sys; from pacifico.site.boundary import read_site; from pacifico.terrain import dem, sources;"
        "dem.open_dem(read_site(sources.sample_site_path()), 'sample', resolution_m=30);"
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'rioxarray', 'geopandas', 'dask')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_sample_and_its_site():
    from pacifico.site.boundary import read_site

    site = read_site(sample_site_path())
    assert 250 < site.area_ha < 350
    assert [zone.name for zone in site.exclusions] == ["Exclusion: creek buffer"]
    assert [anchor.name for anchor in site.entries] == ["Site entry"]
    assert site.boundary.contains(site.entries[0].point)
    dem = open_dem(site, "sample", resolution_m=10)
    assert dem.attrs["source"] == "sample"
    assert 320 < float(dem.min()) < float(dem.max()) < 480
    elevation = sample_elevation()
    assert elevation.shape == (344, 403)
    assert (elevation.min(), elevation.max()) == (236, 1076)
    again = open_dem(site, "sample", resolution_m=10)
    assert dem.identical(again)


@pytest.mark.parametrize(
    ("source", "meant"),
    [("3dpe", "3dep"), ("glo-30", "glo30"), ("GLO30", "glo30"), ("3DEP-30", "3dep-30"), ("3dep30", "3dep-30"), ("smaple", "sample"),
     ("srtm", "glo30"), ("dem.tif", None), ("folder/3dpe", None), ("nothing", None), ("NETCDF:a.nc:z", None)],
)  # fmt: skip
def test_a_misspelt_source_has_a_suggestion(source, meant):
    assert suggestion(source) == meant


def test_a_misspelt_source_is_refused_with_it(site):
    with pytest.raises(DEMError, match=r"'3dpe' is no file and no named source; did you mean '3dep'\?"):
        open_dem(site, "3dpe")
