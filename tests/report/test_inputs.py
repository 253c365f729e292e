"""Site and ground of a report, from their sources or from clips of an earlier run."""

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.report.inputs import dem_for, ground_of, site_of


def test_the_sample_site_has_a_dem_of_its_own():
    assert dem_for("sample", None) == "sample"
    assert dem_for("sample", "other.tif") == "other.tif"
    assert dem_for("site.kml", None) is None
    assert dem_for("sample", None, terrain=False) is None


def test_a_clip_replaces_its_source_and_gives_the_same_ground(tmp_path):
    site = site_of("sample")
    first = ground_of(site, "sample", keep_in=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["dem.tif"]
    again = ground_of(site, str(tmp_path / "dem.tif"), keep_in=tmp_path)
    np.testing.assert_array_equal(again.values, first.values)


def test_either_a_dem_or_level_ground_is_needed():
    site = site_of("sample")
    with pytest.raises(InputError, match="no DEM was given"):
        ground_of(site, None)
    with pytest.raises(InputError, match="leave one of them out"):
        ground_of(site, "sample", terrain=False)
    assert np.ptp(ground_of(site, None, terrain=False).values) == 0.0
