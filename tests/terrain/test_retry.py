"""Retries."""

from __future__ import annotations

import pytest
import shapely
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.errors import OutsideServiceError
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.remote import SourceSettings

LONLAT = CRS.from_epsg(4326)


def site_at(lon, lat, half=700):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


def test_a_server_that_stalls_is_given_up(server, settings, tmp_path):
    server.put_glo30(tmp_path, -96, 44)
    server.fail("*", "Copernicus", "stall")
    hasty = SourceSettings(glo30_url=server.url, timeout_s=0.3, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match="timed out"):
        open_dem(site_at(-95.5, 44.5), "glo30", settings=hasty)
