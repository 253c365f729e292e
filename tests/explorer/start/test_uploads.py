"""Uploads are limited in size and kind, and read by the strict readers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from affine import Affine

from pacifico.errors import InputError
from pacifico.explorer.start import uploads
from pacifico.explorer.start.uploads import MOST_DEM_BYTES, MOST_MESSAGE_BYTES, uploaded_dem, uploaded_site

RING = [[-93.0, 41.54], [-92.99, 41.54], [-92.99, 41.55], [-93.0, 41.55], [-93.0, 41.54]]
SITE = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()


@pytest.fixture
def site():
    return uploaded_site("field.geojson", SITE)


def test_a_boundary_is_read_under_its_name(site):
    assert site.name == "field"
    assert site.area_ha == pytest.approx(92.6, rel=0.01)


@pytest.mark.parametrize("content", [b"", b"<kml/>", b"PK\x05\x06" + bytes(18), b"GIF89a"])
def test_what_is_no_site_is_refused(content):
    with pytest.raises(InputError, match=r"field\.kml: "):
        uploaded_site("../field.kml", content)


def test_files_above_the_limits_are_refused(site, monkeypatch, tmp_path):
    assert MOST_DEM_BYTES < MOST_MESSAGE_BYTES  # one message holds a file
    monkeypatch.setattr(uploads, "MOST_SITE_BYTES", len(SITE) - 1)
    with pytest.raises(InputError, match="at most are taken; export the site alone"):
        uploaded_site("field.geojson", SITE)
    monkeypatch.setattr(uploads, "MOST_DEM_BYTES", 3)
    with pytest.raises(InputError, match="at most are taken; cut it to the site"):
        uploaded_dem(site, b"II*\x00", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_geotiff_is_the_elevation(site, tmp_path):
    source = tmp_path / "source.tif"
    profile = {"driver": "GTiff", "width": 60, "height": 60, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(source, "w", transform=Affine(0.0005, 0.0, -93.01, 0.0, -0.0005, 41.56), **profile) as file:
        file.write(np.full((1, 60, 60), 321.0, np.float32))
    dem = uploaded_dem(site, source.read_bytes(), tmp_path)
    assert float(dem.mean()) == pytest.approx(321.0)


@pytest.mark.parametrize("content", [b"", b"<VRTDataset>/etc/passwd</VRTDataset>", b"II", b"{}"])
def test_other_rasters_are_refused_unread(site, content, tmp_path):
    with pytest.raises(InputError, match="no GeoTIFF"):
        uploaded_dem(site, content, tmp_path)
    assert list(tmp_path.iterdir()) == []
